//! A base as commands: what makes the data set from nothing.

use codec::crc64::crc64;
use codec::number::format_f64;
use effects::encode_slices;
use keyspace::gate::Closed;
use keyspace::{EntryRef, Held, Keyspace, SHARDS, Value};
use value::Object;
use value::stream::{Id, Stream};

/// Elements of one command at most.
const AT_ONCE: usize = 64;

/// A snapshot of nothing in the form of Redis 7, as the base of files that begin with nothing.
pub(super) fn empty_rdb() -> Vec<u8> {
    let mut bytes = b"REDIS0010\xff".to_vec();
    let sum = crc64(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Whether these bytes are a snapshot of nothing: a header, remarks, and the end.
pub(super) fn read_empty_rdb(bytes: &[u8]) -> Option<()> {
    /// The code of a remark: a name and a value.
    const AUX: u8 = 0xfa;
    const END: u8 = 0xff;
    let mut rest = bytes.strip_prefix(b"REDIS")?.get(4..)?;
    loop {
        let (code, after) = rest.split_first()?;
        rest = after;
        match *code {
            AUX => rest = skip_string(skip_string(rest)?)?,
            END => return Some(()),
            _ => return None,
        }
    }
}

/// What is behind a short string or a small number.
fn skip_string(bytes: &[u8]) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    match first >> 6 {
        0 => rest.get(usize::from(first & 0x3f)..),
        1 => {
            let (second, rest) = rest.split_first()?;
            rest.get(usize::from(first & 0x3f) << 8 | usize::from(*second)..)
        }
        3 => rest.get([1, 2, 4].get(usize::from(first & 0x3f)).copied()?..),
        _ => None,
    }
}

/// Appends the commands that make everything there is.
pub(super) fn write(keyspace: &Keyspace, closed: &Closed<'_>, out: &mut Vec<u8>) {
    let mut held = Held::all(keyspace, closed);
    for number in 0..keyspace.databases() {
        let physical = keyspace.resolve(number);
        let mut selected = false;
        for shard in 0..SHARDS {
            held.visit(shard, |shard| {
                let Some(db) = shard.db(physical).filter(|db| !db.is_empty()) else { return };
                if !std::mem::replace(&mut selected, true) {
                    encode_slices(out, &[&b"SELECT"[..], number.to_string().as_bytes()]);
                }
                let mut place = Some(0);
                while let Some(here) = place {
                    place = db.scan(here, |entry| write_entry(entry, out));
                }
            });
        }
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

fn write_object(key: &[u8], object: &Object, out: &mut Vec<u8>) {
    match object {
        Object::String(text) => encode_slices(out, &[b"SET", key, text]),
        Object::List(list) => many(out, b"RPUSH", key, 1, list.iter().map(|item| item.to_vec())),
        Object::Set(set) => many(out, b"SADD", key, 1, set.iter().map(|item| item.to_vec())),
        Object::SortedSet(zset) => {
            let words = zset.iter().flat_map(|(member, score)| {
                let mut text = Vec::new();
                format_f64(score, &mut text);
                [text, member.to_vec()]
            });
            many(out, b"ZADD", key, 2, words);
        }
        Object::Hash(hash) => {
            let words = hash.iter().flat_map(|field| [field.name.to_vec(), field.value.to_vec()]);
            many(out, b"HMSET", key, 2, words);
            for field in hash.iter() {
                let Some(at_ms) = field.deadline else { continue };
                let (at_ms, name) = (at_ms.to_string(), field.name.to_vec());
                let words: [&[u8]; 6] =
                    [b"HPEXPIREAT", key, at_ms.as_bytes(), b"FIELDS", b"1", &name];
                encode_slices(out, &words);
            }
        }
        Object::Stream(stream) => write_stream(key, stream, out),
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
