use value::item::Item;
use value::listpack::Builder;
use value::stream::{Group, Id, Idempotence, Part, Stream};

use super::{Encoder, number};
use crate::VERSION;
use crate::op::Type;
use crate::read::UNUSED;

/// What a delivery takes, in its group and with its consumer.
const BYTES_PER_DELIVERY: usize = 41;

impl Encoder {
    pub(super) fn stream(&self, stream: &Stream, out: &mut Vec<u8>) -> (Type, u32) {
        let (kind, version) = stream_type(stream);
        number::put(stream.blocks() as u64, out);
        stream.parts().for_each(|(_, part)| self.block(part, out));
        self.after_entries(stream, out);
        (kind, version)
    }

    /// Appends what stands behind the entries.
    pub(super) fn after_entries(&self, stream: &Stream, out: &mut Vec<u8>) {
        let (kind, _) = stream_type(stream);
        number::put(stream.len(), out);
        id(stream.last_id(), out);
        id(stream.first_id(), out);
        id(stream.max_deleted_id(), out);
        number::put(stream.entries_added(), out);
        number::put(stream.groups().len() as u64, out);
        for (name, group) in stream.groups() {
            self.raw(name, out);
            self.group(group, kind, out);
        }
        if kind.has_producers() {
            self.producers(stream.idempotence(), out);
        }
    }

    /// Appends entries that lie together as a listpack, behind the ID of the first.
    pub(super) fn block(&self, part: Part<'_>, out: &mut Vec<u8>) {
        let Some(first) = part.entries().next() else { return };
        number::put(16, out);
        raw_id(first.id, out);
        self.raw(&listpack(part), out);
    }

    fn producers(&self, known: Option<&Idempotence>, out: &mut Vec<u8>) {
        let Some(known) = known else {
            let unused = [UNUSED.duration_s, UNUSED.messages as u64];
            unused.into_iter().chain([0, 0, 0]).for_each(|number| number::put(number, out));
            return;
        };
        let retention = known.retention();
        number::put(retention.duration_s, out);
        number::put(retention.messages as u64, out);
        // At the time 0 nothing is too old.
        number::put(known.producers(0).count() as u64, out);
        for (producer, messages) in known.producers(0) {
            self.raw(producer, out);
            let messages: Vec<_> = messages.collect();
            number::put(messages.len() as u64, out);
            for (message, entry) in messages {
                self.raw(message, out);
                id(entry, out);
            }
        }
        number::put(known.added, out);
        number::put(known.duplicates, out);
    }

    fn group(&self, group: &Group, kind: Type, out: &mut Vec<u8>) {
        id(group.last_id, out);
        number::put(group.entries_read.unwrap_or(u64::MAX), out);
        number::put(group.pending_len() as u64, out);
        out.reserve(group.pending_len() * BYTES_PER_DELIVERY);
        for (entry, nack, _) in group.pending(Id::MIN, Id::MAX) {
            raw_id(entry, out);
            out.extend_from_slice(&nack.delivered_ms.to_le_bytes());
            number::put(nack.count, out);
        }
        number::put(group.consumers().len() as u64, out);
        for consumer in group.consumers() {
            self.raw(consumer.name(), out);
            out.extend_from_slice(&consumer.seen_ms.to_le_bytes());
            if kind.has_active_times() {
                let active =
                    consumer.active_ms.map_or(-1, |ms| i64::try_from(ms).unwrap_or(i64::MAX));
                out.extend_from_slice(&active.to_le_bytes());
            }
            number::put(consumer.pending().len() as u64, out);
            consumer.pending().iter().for_each(|&entry| raw_id(entry, out));
        }
        if kind == Type::Stream5 {
            number::put(group.released().len() as u64, out);
            group.released().for_each(|entry| raw_id(entry, out));
        }
    }
}

/// The oldest type that has a place for all that the stream has, and which version of the format knows it.
pub(super) fn stream_type(stream: &Stream) -> (Type, u32) {
    let released = stream.groups().any(|(_, group)| group.released().len() > 0);
    match stream.idempotence() {
        _ if released => (Type::Stream5, 14),
        Some(_) => (Type::Stream4, 13),
        None => (Type::Stream2, VERSION),
    }
}

fn id(id: Id, out: &mut Vec<u8>) {
    number::put(id.ms, out);
    number::put(id.seq, out);
}

fn raw_id(id: Id, out: &mut Vec<u8>) {
    let id = u128::from(id.ms) << 64 | u128::from(id.seq);
    out.extend_from_slice(&id.to_be_bytes());
}

fn listpack(part: Part<'_>) -> Vec<u8> {
    let mut out = Builder::new();
    let Some(first) = part.entries().next() else { return out.finish() };
    out.push(Item::Int(part.count() as i64));
    out.push(Item::Int(0));
    out.push(Item::Int(first.fields().len() as i64));
    first.fields().for_each(|(name, _)| out.push(Item::parse(name)));
    out.push(Item::Int(0));
    for entry in part.entries() {
        let fields = entry.fields();
        let same = fields.len() == first.fields().len()
            && fields.zip(first.fields()).all(|((name, _), (other, _))| name == other);
        out.push(Item::Int(if same { 2 } else { 0 }));
        out.push(Item::Int(entry.id.ms.wrapping_sub(first.id.ms) as i64));
        out.push(Item::Int(entry.id.seq.wrapping_sub(first.id.seq) as i64));
        let mut items = 3 + fields.len() as i64;
        if same {
            fields.for_each(|(_, value)| out.push(Item::parse(value)));
        } else {
            items += fields.len() as i64 + 1;
            out.push(Item::Int(fields.len() as i64));
            for (name, value) in fields {
                out.push(Item::parse(name));
                out.push(Item::parse(value));
            }
        }
        out.push(Item::Int(items));
    }
    out.finish()
}
