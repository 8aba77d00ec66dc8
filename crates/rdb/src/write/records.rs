use value::cut::Element;
use value::stream::Stream;
use value::{Item, ObjectRef};

use super::{Encoder, View, number, stream};
use crate::input::Input;
use crate::op::{self, Type};

/// The name of the text that says when consumers of the next key's stream last got something: what the
/// stream type that Redis 7.0 knows has no place for. Other servers pass it over.
pub(crate) const ACTIVE_TIMES: &[u8] = b"rubrica-active-times";

/// The name of the text that holds the deadlines of members of the next key's set or sorted set: `[member][8
/// bytes of milliseconds since the epoch]...`. No type of Redis has a place for them. There may be several such texts.
pub(crate) const MEMBER_DEADLINES: &[u8] = b"rubrica-member-deadlines";

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

/// What a value that is written in parts has around its elements.
#[derive(Clone, Debug)]
pub struct Frame {
    /// What stands before them: how many they are, too.
    pub head: Vec<u8>,
    /// What stands behind them.
    pub tail: Vec<u8>,
    /// The first deadline of all fields, if any has one.
    pub first: Option<i64>,
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

    /// What stands before and behind the elements of a collection that is written in parts. [`Encoder::element`]
    /// appends each; deadlines of members go before it all ([`Records::member_deadlines`]).
    pub fn frame(
        &self,
        key: &[u8],
        collection: ObjectRef<'_>,
        deadline_ms: Option<i64>,
        used: Used,
    ) -> Frame {
        debug_assert!(collection.has_parts());
        let (mut head, mut tail, mut first) = (Vec::new(), Vec::new(), None);
        if let ObjectRef::Stream(stream) = collection {
            self.active_times(stream, &mut head);
            self.encoder.after_entries(stream, &mut tail);
        }
        prelude(deadline_ms, used, &mut head);
        let kind = match collection {
            ObjectRef::List(_) => Type::ListQuicklist2,
            ObjectRef::Set(_) => Type::Set,
            ObjectRef::Hash(hash) => {
                first = hash.next_expiry();
                if first.is_some() { Type::HashMetadata } else { Type::Hash }
            }
            ObjectRef::Stream(stream) => stream::stream_type(stream).0,
            ObjectRef::SortedSet(_) | ObjectRef::String(_) => Type::Zset2,
        };
        head.push(kind.number());
        self.encoder.string(key, &mut head);
        first.into_iter().for_each(|first| head.extend_from_slice(&first.to_le_bytes()));
        number::put(collection.parts() as u64, &mut head);
        Frame { head, tail, first }
    }

    /// Appends deadlines of members of the next key's set or sorted set.
    pub fn member_deadlines(&self, deadlines: &[u8], out: &mut Vec<u8>) {
        self.aux(MEMBER_DEADLINES, deadlines, out);
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
        match value {
            View::Object(ObjectRef::Stream(stream)) => self.active_times(stream, out),
            View::Object(object) => self.deadlines_of(object, out),
            View::Int(_) | View::Bytes(_) => {}
        }
        prelude(deadline_ms, used, out);
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

    /// Appends the deadlines of members that have one.
    fn deadlines_of(&self, object: ObjectRef<'_>, out: &mut Vec<u8>) {
        if matches!(object, ObjectRef::Hash(_)) || object.next_expiry().is_none() {
            return;
        }
        let mut text = Vec::new();
        let mut put = |member: Item<'_>, deadline: Option<i64>| {
            if let Some(deadline) = deadline {
                self.encoder.element(Element::Deadline(member, deadline), None, &mut text);
            }
        };
        match object {
            ObjectRef::Set(set) => set.iter().for_each(|item| put(item, set.deadline(item))),
            ObjectRef::SortedSet(zset) => {
                zset.iter().for_each(|(name, _)| put(Item::Bytes(name), zset.deadline(name)));
            }
            _ => {}
        }
        self.member_deadlines(&text, out);
    }

    /// Appends the end; `sum` is the checksum of everything before and this mark, or 0.
    pub fn end_mark(&self, out: &mut Vec<u8>) {
        out.push(op::EOF);
    }
}

/// Appends what stands before a key's type.
fn prelude(deadline_ms: Option<i64>, used: Used, out: &mut Vec<u8>) {
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

/// Gives a set's or sorted set's members the deadlines that [`Records::key`] wrote beside it.
pub(crate) fn set_member_deadlines(object: &mut value::Object, text: &[u8]) {
    let mut input = Input::new(text);
    while !input.is_empty()
        && let Ok(member) = input.string()
        && let Ok(deadline) = input.i64()
    {
        let deadline = Some(deadline).filter(|deadline| *deadline > 0);
        // A member that is not there has none.
        let _ = match object {
            value::Object::Set(set) => set.set_deadline(Item::parse(&member), deadline),
            value::Object::SortedSet(zset) => zset.set_deadline(&member, deadline),
            _ => false,
        };
    }
}
