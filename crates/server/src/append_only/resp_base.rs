//! A base as commands: what makes the data set from nothing.

use codec::number::format_f64;
use effects::encode_slices;
use keyspace::{EntryRef, Value};
use snapshot::{Encode, EncodeParts};
use value::ObjectRef;
use value::stream::{Id, Stream};

/// Elements of one command at most.
const AT_ONCE: usize = 64;

/// Commands as a snapshot's encoding.
pub(super) struct RespEncode;

impl Encode for RespEncode {
    fn select(&self, database: usize, out: &mut Vec<u8>) {
        encode_slices(out, &[&b"SELECT"[..], database.to_string().as_bytes()]);
    }

    fn key(&self, entry: EntryRef<'_>, out: &mut Vec<u8>) {
        write_entry(entry, out);
    }

    fn parts(&self) -> Option<&dyn EncodeParts> {
        None
    }
}

fn write_entry(entry: EntryRef<'_>, out: &mut Vec<u8>) {
    let key = entry.key();
    match entry.value() {
        Value::Bytes(bytes) => encode_slices(out, &[b"SET", key, bytes]),
        Value::Int(number) => encode_slices(out, &[b"SET", key, number.to_string().as_bytes()]),
        Value::Object(object) => write_object(key, object, out),
    }
    if let Some(at_ms) = entry.deadline_ms() {
        encode_slices(out, &[b"PEXPIREAT", key, at_ms.to_string().as_bytes()]);
    }
}

fn write_object(key: &[u8], object: ObjectRef<'_>, out: &mut Vec<u8>) {
    match object {
        ObjectRef::String(text) => encode_slices(out, &[b"SET", key, text]),
        ObjectRef::List(list) => many(out, b"RPUSH", key, 1, list.iter().map(|item| item.to_vec())),
        ObjectRef::Set(set) => {
            many(out, b"SADD", key, 1, set.iter().map(|item| item.to_vec()));
            for item in set.iter() {
                deadline(out, [b"SPEXPIREAT", b"MEMBERS"], key, &item.to_vec(), set.deadline(item));
            }
        }
        ObjectRef::SortedSet(zset) => {
            let words = zset.iter().flat_map(|(member, score)| {
                let mut text = Vec::new();
                format_f64(score, &mut text);
                [text, member.to_vec()]
            });
            many(out, b"ZADD", key, 2, words);
            for (member, _) in zset.iter() {
                deadline(out, [b"ZPEXPIREAT", b"MEMBERS"], key, member, zset.deadline(member));
            }
        }
        ObjectRef::Hash(hash) => {
            let words = hash.iter().flat_map(|field| [field.name.to_vec(), field.value.to_vec()]);
            many(out, b"HMSET", key, 2, words);
            for field in hash.iter() {
                let name = field.name.to_vec();
                deadline(out, [b"HPEXPIREAT", b"FIELDS"], key, &name, field.deadline);
            }
        }
        ObjectRef::Stream(stream) => write_stream(key, stream, out),
    }
}

/// The deadline of a field or member, if it has one; `words` are the command and the word before the number of names.
fn deadline(out: &mut Vec<u8>, words: [&[u8]; 2], key: &[u8], name: &[u8], at_ms: Option<i64>) {
    if let Some(at_ms) = at_ms {
        let [verb, parts] = words;
        encode_slices(out, &[verb, key, at_ms.to_string().as_bytes(), parts, b"1", name]);
    }
}

/// Commands of a bounded number of elements, of `size` words each.
fn many(
    out: &mut Vec<u8>,
    verb: &[u8],
    key: &[u8],
    size: usize,
    words: impl Iterator<Item = Vec<u8>>,
) {
    let mut command: Vec<Vec<u8>> = vec![verb.to_vec(), key.to_vec()];
    for word in words {
        command.push(word);
        if command.len() == 2 + AT_ONCE * size {
            encode_slices(out, &command);
            command.truncate(2);
        }
    }
    if command.len() > 2 {
        encode_slices(out, &command);
    }
}

fn write_stream(key: &[u8], stream: &Stream, out: &mut Vec<u8>) {
    for entry in stream.range(Id::MIN, Id::MAX, false) {
        let id = entry.id.to_string();
        let mut words: Vec<Vec<u8>> = vec![b"XADD".to_vec(), key.to_vec(), id.into_bytes()];
        for (name, value) in entry.fields() {
            words.push(name.to_vec());
            words.push(value.to_vec());
        }
        encode_slices(out, &words);
    }
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
    for (name, group) in stream.groups() {
        let last = group.last_id.to_string();
        let read = group.entries_read.map_or("-1".to_owned(), |read| read.to_string());
        let words: [&[u8]; 7] =
            [b"XGROUP", b"CREATE", key, name, last.as_bytes(), b"ENTRIESREAD", read.as_bytes()];
        encode_slices(out, &words);
        for consumer in group.consumers() {
            let words: [&[u8]; 5] = [b"XGROUP", b"CREATECONSUMER", key, name, consumer.name()];
            encode_slices(out, &words);
        }
        for (id, nack, consumer) in group.pending(Id::MIN, Id::MAX) {
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
    }
}
