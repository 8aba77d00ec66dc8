//! A base as commands: what makes the data set from nothing.

use codec::number::format_f64;
use effects::{encode_slices, encode_word, encode_words};
use keyspace::{EntryRef, Value};
use snapshot::{Encode, Form, Frame, Run};
use value::cut::Element;
use value::item::Item;
use value::list::ListLimits;
use value::stream::{Id, Stream};
use value::{ObjectRef, listpack};

/// Words of one command at most, of a value that is written whole.
const WORDS: usize = 128;

/// Commands as a snapshot's encoding.
pub(super) struct RespEncode;

impl Encode for RespEncode {
    fn select(&self, database: usize, out: &mut Vec<u8>) {
        encode_slices(out, &[&b"SELECT"[..], database.to_string().as_bytes()]);
    }

    fn key(&self, entry: EntryRef<'_>, out: &mut Vec<u8>) {
        let key = entry.key();
        match entry.value() {
            Value::Bytes(bytes) => encode_slices(out, &[b"SET", key, bytes]),
            Value::Int(number) => encode_slices(out, &[b"SET", key, number.to_string().as_bytes()]),
            Value::Object(ObjectRef::String(text)) => encode_slices(out, &[b"SET", key, text]),
            Value::Object(object) => write_elements(key, object, out),
        }
        write_tail(entry, out);
    }

    fn frame(&self, entry: EntryRef<'_>, value: ObjectRef<'_>) -> Frame {
        let mut tail = Vec::new();
        write_tail(entry, &mut tail);
        Frame { head: Vec::new(), tail, form: Box::new(RespForm::new(entry.key(), value)) }
    }
}

/// What stands behind the elements.
fn write_tail(entry: EntryRef<'_>, out: &mut Vec<u8>) {
    let key = entry.key();
    if let Value::Object(ObjectRef::Stream(stream)) = entry.value() {
        write_counters(key, stream, out);
        stream.groups().for_each(|(name, _)| write_group(key, stream, name, out));
    }
    if let Some(at_ms) = entry.deadline_ms() {
        encode_slices(out, &[b"PEXPIREAT", key, at_ms.to_string().as_bytes()]);
    }
}

/// Writes all elements of a collection.
fn write_elements(key: &[u8], object: ObjectRef<'_>, out: &mut Vec<u8>) {
    let form = RespForm::new(key, object);
    let (mut run, mut deadlines) = (Run::default(), Run::default());
    let mut see = |element: Element<'_>| {
        form.element(element, &mut run);
        if run.words >= WORDS {
            form.hand_out(std::mem::take(&mut run), out);
        }
    };
    let mut due = |member: Item<'_>, at_ms: Option<i64>| {
        let deadline = at_ms.map(|at_ms| Element::Deadline(member, at_ms));
        deadline.into_iter().for_each(|deadline| form.element(deadline, &mut deadlines));
    };
    match object {
        ObjectRef::String(_) => {}
        ObjectRef::List(list) => list.nodes().for_each(|node| see(Element::Node(0, node))),
        ObjectRef::Set(set) => set.iter().for_each(|item| {
            see(Element::Item(item));
            due(item, set.deadline(item));
        }),
        ObjectRef::SortedSet(zset) => zset.iter().for_each(|(member, score)| {
            see(Element::Scored(member, score));
            due(Item::Bytes(member), zset.deadline(member));
        }),
        ObjectRef::Hash(hash) => hash.iter().for_each(|field| {
            see(Element::Field(field.name, field.value, field.deadline));
        }),
        ObjectRef::Stream(stream) => {
            stream.parts().for_each(|(first, part)| see(Element::Block(first, part)));
        }
    }
    form.hand_out(run, out);
    form.hand_out_deadlines(deadlines, out);
}

/// The commands that make one collection.
struct RespForm {
    key: Box<[u8]>,
    /// What adds elements, so many of them at once as one likes.
    verb: &'static [u8],
    /// What sets a deadline of an element, and the word before the number of elements.
    due: [&'static [u8]; 2],
}

impl RespForm {
    fn new(key: &[u8], value: ObjectRef<'_>) -> Self {
        let (verb, due): (&[u8], [&[u8]; 2]) = match value {
            ObjectRef::List(_) => (b"RPUSH", [b"", b""]),
            ObjectRef::Set(_) => (b"SADD", [b"SPEXPIREAT", b"MEMBERS"]),
            ObjectRef::SortedSet(_) => (b"ZADD", [b"ZPEXPIREAT", b"MEMBERS"]),
            ObjectRef::Hash(_) => (b"HMSET", [b"HPEXPIREAT", b"FIELDS"]),
            ObjectRef::Stream(_) | ObjectRef::String(_) => (b"XADD", [b"", b""]),
        };
        Self { key: key.into(), verb, due }
    }

    fn deadline(&self, name: Item<'_>, at_ms: i64, out: &mut Vec<u8>) {
        let ([verb, parts], at_ms) = (self.due, at_ms.to_string());
        name.with_bytes(|name| {
            encode_slices(out, &[verb, &self.key, at_ms.as_bytes(), parts, b"1", name]);
        });
    }
}

impl Form for RespForm {
    fn element(&self, element: Element<'_>, run: &mut Run) {
        let mut word = |word: &[u8]| {
            encode_word(&mut run.bytes, word);
            run.words += 1;
        };
        match element {
            Element::Item(item) => item.with_bytes(word),
            Element::Scored(member, score) => {
                let mut text = Vec::new();
                format_f64(score, &mut text);
                [&text, member].into_iter().for_each(word);
            }
            Element::Field(name, value, deadline) => {
                name.with_bytes(&mut word);
                value.with_bytes(&mut word);
                deadline.into_iter().for_each(|at| self.deadline(name, at, &mut run.after));
            }
            Element::Node(_, node) => match node.plain(ListLimits::default()) {
                Some(text) => word(text),
                None => {
                    let mut packed = Vec::new();
                    node.write_listpack(&mut packed);
                    let items = listpack::read(&packed).unwrap_or_default();
                    items.into_iter().for_each(|item| item.with_bytes(&mut word));
                }
            },
            Element::Block(_, part) => part.entries().for_each(|entry| {
                let id = entry.id.to_string();
                let words: [&[u8]; 3] = [self.verb, &self.key, id.as_bytes()];
                let fields = entry.fields().flat_map(|(name, value)| [name, value]);
                let count = words.len() + 2 * entry.fields().len();
                effects::encode(&mut run.after, count, words.into_iter().chain(fields));
            }),
            Element::Deadline(member, at) => self.deadline(member, at, &mut run.bytes),
        }
    }

    fn hand_out(&self, mut run: Run, out: &mut Vec<u8>) {
        if run.words > 0 {
            encode_words(out, &[self.verb, &self.key], run.words, &run.bytes);
        }
        out.append(&mut run.after);
    }

    /// A deadline is that of a member that is there.
    fn has_deadlines_first(&self) -> bool {
        false
    }

    fn hand_out_deadlines(&self, mut run: Run, out: &mut Vec<u8>) {
        out.append(&mut run.bytes);
    }
}

fn write_counters(key: &[u8], stream: &Stream, out: &mut Vec<u8>) {
    if stream.is_empty() {
        // An empty stream is one whose only entry has gone.
        let id =
            if stream.last_id() == Id::MIN { "0-1".into() } else { stream.last_id().to_string() };
        let words: [&[u8]; 7] = [b"XADD", key, b"MAXLEN", b"0", id.as_bytes(), b"x", b"y"];
        encode_slices(out, &words);
    }
    let (last, added) = (stream.last_id().to_string(), stream.entries_added().to_string());
    let deleted = stream.max_deleted_id().to_string();
    let words: [&[u8]; 7] = [
        b"XSETID",
        key,
        last.as_bytes(),
        b"ENTRIESADDED",
        added.as_bytes(),
        b"MAXDELETEDID",
        deleted.as_bytes(),
    ];
    encode_slices(out, &words);
}

fn write_group(key: &[u8], stream: &Stream, name: &[u8], out: &mut Vec<u8>) {
    let Some(group) = stream.group(name) else { return };
    let last = group.last_id.to_string();
    let read = group.entries_read.map_or("-1".to_owned(), |read| read.to_string());
    let words: [&[u8]; 7] =
        [b"XGROUP", b"CREATE", key, name, last.as_bytes(), b"ENTRIESREAD", read.as_bytes()];
    encode_slices(out, &words);
    for consumer in group.consumers() {
        let words: [&[u8]; 5] = [b"XGROUP", b"CREATECONSUMER", key, name, consumer.name()];
        encode_slices(out, &words);
    }
    let held = group.pending(Id::MIN, Id::MAX).filter(|(_, nack, _)| !nack.is_released());
    for (id, nack, consumer) in held {
        let (id, time) = (id.to_string(), nack.delivered_ms.to_string());
        let count = nack.count.to_string();
        let words: [&[u8]; 12] = [
            b"XCLAIM",
            key,
            name,
            consumer,
            b"0",
            id.as_bytes(),
            b"TIME",
            time.as_bytes(),
            b"RETRYCOUNT",
            count.as_bytes(),
            b"JUSTID",
            b"FORCE",
        ];
        encode_slices(out, &words);
    }
    for id in group.released() {
        let count = group.nack(id).map_or(0, |(nack, _)| nack.count).to_string();
        let id = id.to_string();
        let words: [&[u8]; 10] = [
            b"XNACK",
            key,
            name,
            b"FAIL",
            b"IDS",
            b"1",
            id.as_bytes(),
            b"RETRYCOUNT",
            count.as_bytes(),
            b"FORCE",
        ];
        encode_slices(out, &words);
    }
}
