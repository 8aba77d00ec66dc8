use value::Object;
use value::stream::Stream;

use super::{Encoder, View, number};
use crate::op;

/// The name of the text that says when consumers of the next key's stream last got something: what the
/// stream type that Redis 7.0 knows has no place for. Other servers pass it over.
pub(crate) const ACTIVE_TIMES: &[u8] = b"rubrica-active-times";

/// How a key was used, where eviction asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Used {
    /// Nobody asks.
    #[default]
    Unknown,
    /// It was not used for so many seconds.
    Idle(u64),
    /// It is used so often, as LFU counts it.
    Freq(u8),
}

/// Writes the records of a file into a buffer that somebody else empties.
#[derive(Clone, Copy, Debug)]
pub struct Records {
    /// How values are written.
    pub encoder: Encoder,
}

impl Records {
    /// Appends a named text about the file.
    pub fn aux(&self, name: &[u8], text: &[u8], out: &mut Vec<u8>) {
        out.push(op::AUX);
        self.encoder.string(name, out);
        self.encoder.string(text, out);
    }

    /// Appends which database the following keys belong to.
    pub fn select(&self, database: u64, out: &mut Vec<u8>) {
        out.push(op::SELECTDB);
        number::put(database, out);
    }

    /// Appends how many keys the database has, and how many of them have a deadline.
    pub fn size(&self, keys: u64, volatile: u64, out: &mut Vec<u8>) {
        out.push(op::RESIZEDB);
        number::put(keys, out);
        number::put(volatile, out);
    }

    /// Appends the source of a function library.
    pub fn function(&self, source: &[u8], out: &mut Vec<u8>) {
        out.push(op::FUNCTION2);
        self.encoder.raw(source, out);
    }

    /// Appends a key with its value and its deadline, milliseconds since the epoch.
    pub fn key(
        &self,
        key: &[u8],
        value: View<'_>,
        deadline_ms: Option<i64>,
        used: Used,
        out: &mut Vec<u8>,
    ) {
        if let View::Object(Object::Stream(stream)) = value {
            self.active_times(stream, out);
        }
        if let Some(deadline) = deadline_ms {
            out.push(op::EXPIRETIME_MS);
            out.extend_from_slice(&deadline.to_le_bytes());
        }
        match used {
            Used::Unknown => {}
            Used::Idle(seconds) => {
                out.push(op::IDLE);
                number::put(seconds, out);
            }
            Used::Freq(count) => out.extend_from_slice(&[op::FREQ, count]),
        }
        let at = out.len();
        out.push(0);
        self.encoder.string(key, out);
        let (kind, _) = self.encoder.value(value, out);
        if let Some(first) = out.get_mut(at) {
            *first = kind.number();
        }
    }

    /// Appends what the stream's type leaves out, if it would be read back as something else.
    fn active_times(&self, stream: &Stream, out: &mut Vec<u8>) {
        let consumers = || stream.groups().flat_map(|(_, group)| group.consumers());
        if consumers().all(|consumer| consumer.active_ms == Some(consumer.seen_ms)) {
            return;
        }
        let mut times = Vec::new();
        for consumer in consumers() {
            let active = consumer.active_ms.map_or(-1, |ms| i64::try_from(ms).unwrap_or(i64::MAX));
            times.extend_from_slice(&active.to_le_bytes());
        }
        self.aux(ACTIVE_TIMES, &times, out);
    }

    /// Appends the end; `sum` is the checksum of everything before and this mark, or 0.
    pub fn end_mark(&self, out: &mut Vec<u8>) {
        out.push(op::EOF);
    }
}

/// Gives a stream's consumers the times that [`Records::key`] wrote beside it, if they fit.
pub(crate) fn set_active_times(stream: &mut Stream, times: &[u8]) {
    let names: Vec<Vec<u8>> = stream.groups().map(|(name, _)| name.to_vec()).collect();
    let mut times = times.chunks_exact(8);
    for name in names {
        let Some(group) = stream.group_mut(&name) else { continue };
        let consumers: Vec<Vec<u8>> = group.consumers().map(|one| one.name().to_vec()).collect();
        for name in consumers {
            let time = times.next().and_then(<[u8]>::first_chunk).copied().map(i64::from_le_bytes);
            if let (Some(time), Some(consumer)) = (time, group.consumer_mut(&name)) {
                consumer.active_ms = u64::try_from(time).ok();
            }
        }
    }
}
