use value::hash::{Hash, Ttl};
use value::item::Item as Text;
use value::list::List;
use value::set::Set;
use value::stream::{Id, NewId, Recount, Retention, Stream};
use value::zset::Zset;

use super::*;
use crate::write::{Encoder, Records, View, header};

fn hash(fields: usize, deadlines: bool) -> Object {
    let mut hash = Hash::new();
    for number in 0..fields {
        let name = format!("field:{number}");
        let ttl = match deadlines && number % 2 == 0 {
            true => Ttl::At(2_000_000_000_000 + number as i64),
            false => Ttl::Clear,
        };
        let value = Text::Int(number as i64 * 1000);
        hash.set(Text::parse(name.as_bytes()), value, ttl, Limits::default().hash);
    }
    Object::Hash(hash)
}

fn set(members: usize, words: bool) -> Object {
    let mut set = Set::new();
    for number in 0..members {
        let word = format!("member:{number}");
        let item = if words { Text::parse(word.as_bytes()) } else { Text::Int(number as i64) };
        set.insert(item, Limits::default().set);
    }
    Object::Set(set)
}

fn list(items: usize, len: usize) -> Object {
    let mut list = List::new();
    let limits = Limits::default().list;
    for number in 0..items {
        let text = vec![b'a' + (number % 26) as u8; len];
        list.before_growth(1, len, limits);
        list.push_back(Text::parse(&text), limits);
    }
    Object::List(list)
}

/// Sets and sorted sets whose members have deadlines.
fn timed(members: i64) -> [Object; 2] {
    let (mut set, mut zset) = (Set::new(), Zset::new());
    for number in 0..members {
        let text = format!("timed:{number}");
        let deadline = (number % 3 == 0).then_some(5_000_000_000_000 + number);
        set.insert(Text::parse(text.as_bytes()), Limits::default().set);
        set.set_deadline(Text::parse(text.as_bytes()), deadline);
        zset.insert(text.as_bytes(), number as f64, Limits::default().zset);
        zset.set_deadline(text.as_bytes(), deadline);
    }
    [Object::Set(set), Object::SortedSet(zset)]
}

fn zset(members: usize) -> Object {
    let mut zset = Zset::new();
    for number in 0..members {
        let score = [f64::INFINITY, -0.5, 3.0, f64::NEG_INFINITY, 1e300][number % 5];
        let score = score / if number % 2 == 0 { 1.0 } else { 3.0 };
        zset.insert(format!("m{number}").as_bytes(), score, Limits::default().zset);
    }
    Object::SortedSet(zset)
}

fn stream(entries: u64) -> Object {
    let mut stream = Stream::new();
    for number in 0..entries {
        let name = if number % 7 == 0 { &b"other"[..] } else { b"temperature" };
        let value = number.to_string();
        let fields = [(name, value.as_bytes()), (b"place", b"somewhere")];
        let id = NewId::Exact(Id::new(1000 + number / 3, number % 3 + 1));
        stream.append(id, fields.into_iter(), Limits::default().stream).unwrap();
    }
    stream.create_group(b"readers", Id::new(1002, 0), Some(6));
    let group = stream.group_mut(b"readers").unwrap();
    group.create_consumer(b"alice", 123);
    group.assign(Id::new(1000, 1), b"bob", 456, 3);
    group.consumer_mut(b"bob").unwrap().active_ms = Some(9);
    stream.delete(Id::new(1001, 2));
    Object::Stream(Box::new(stream))
}

/// A stream with what only later types have a place for.
fn later_stream(released: bool, producers: bool) -> Object {
    let Object::Stream(mut stream) = stream(20) else { unreachable!() };
    if released {
        stream.release(b"readers", Id::new(1003, 1), Recount::To(7), true);
        stream.release(b"readers", Id::new(1000, 1), Recount::Same, true);
    }
    if producers {
        let known = stream.idempotence_mut(Retention { duration_s: 60, messages: 3 });
        for number in 0..5u64 {
            known.record(b"p", &number.to_be_bytes(), Id::new(1000 + number, 1), 0);
            known.record(&[number as u8], b"only", Id::new(1000, 2), 0);
        }
        (known.added, known.duplicates) = (11, 12);
    }
    Object::Stream(stream)
}

fn values() -> Vec<Object> {
    let mut values = vec![
        Object::String(b"plain".to_vec()),
        Object::String(b"compressible ".repeat(500)),
        Object::String(Vec::new()),
    ];
    for count in [1, 100, 1000] {
        values.extend([hash(count, false), hash(count, true), set(count, false), set(count, true)]);
        values.extend([list(count, 3), list(count, 300), zset(count), stream(count as u64)]);
    }
    values.push(list(3, 20_000));
    values.extend(timed(10));
    values.extend([later_stream(true, false), later_stream(false, true), later_stream(true, true)]);
    values
}

/// A text by which equal values can be told, order included where it means something.
fn shown(value: &Object) -> String {
    let lines: Vec<String> = match value {
        Object::String(bytes) => vec![format!("{bytes:?}")],
        Object::List(list) => list.iter().map(|item| format!("{item:?}")).collect(),
        Object::Set(set) => {
            sorted(set.iter().map(|item| format!("{item:?} {:?}", set.deadline(item))))
        }
        Object::Hash(hash) => sorted(hash.iter().map(|field| format!("{field:?}"))),
        Object::SortedSet(zset) => {
            zset.iter().map(|pair| format!("{pair:?} {:?}", zset.deadline(pair.0))).collect()
        }
        Object::Stream(stream) => return shown_stream(stream),
    };
    lines.concat()
}

fn shown_stream(stream: &Stream) -> String {
    let mut text = String::new();
    for entry in stream.range(Id::MIN, Id::MAX, false) {
        text += &format!("{} {:?};", entry.id, entry.fields().collect::<Vec<_>>());
    }
    text += &format!("{} {} {}", stream.last_id(), stream.entries_added(), stream.max_deleted_id());
    for (name, group) in stream.groups() {
        text += &format!("{name:?} {} {:?}", group.last_id, group.entries_read);
        for consumer in group.consumers() {
            text += &format!("{:?} {} {:?}", consumer.name(), consumer.seen_ms, consumer.active_ms);
        }
        for (id, nack, name) in group.pending(Id::MIN, Id::MAX) {
            text += &format!("{id} {} {} {name:?}", nack.delivered_ms, nack.count);
        }
        group.released().for_each(|id| text += &format!("released {id}"));
    }
    if let Some(known) = stream.idempotence() {
        text += &format!("{:?} {} {}", known.retention(), known.added, known.duplicates);
        for (producer, messages) in known.producers(0) {
            text += &format!("{producer:?} {:?}", messages.collect::<Vec<_>>());
        }
    }
    text
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

fn file(values: &[Object], compress: bool) -> Vec<u8> {
    let mut out = Vec::new();
    header(&mut out);
    let records = Records { encoder: Encoder { compress } };
    records.aux(b"redis-ver", b"8.0.0", &mut out);
    records.select(3, &mut out);
    records.size(values.len() as u64, 0, &mut out);
    records.function(b"#!lua name=lib", &mut out);
    for (number, value) in values.iter().enumerate() {
        let used = [Used::Unknown, Used::Idle(70_000), Used::Freq(9)][number % 3];
        let deadline = (number % 4 == 0).then_some(number as i64);
        let key = format!("key:{number}");
        records.key(key.as_bytes(), View::Object(value.view()), deadline, used, &mut out);
    }
    records.end_mark(&mut out);
    let sum = codec::crc64::crc64(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// Gives out few bytes at a time.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let len = self.1.min(room.len()).min(self.0.len());
        room[..len].copy_from_slice(self.0.split_off(..len).unwrap());
        Ok(len)
    }
}

/// The values of a file, by key, or why it cannot be read.
fn read_all(reader: impl Read) -> Result<Vec<(String, String, Meta)>, String> {
    let mut scanner = Scanner::new(reader).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    loop {
        match scanner.next_item().map_err(|error| error.to_string())? {
            Item::End { .. } => return Ok(found),
            Item::Chunk(chunk) => {
                for record in chunk.records() {
                    let (key, value) =
                        chunk.decode(record, &Limits::default()).map_err(|e| e.to_string())?;
                    let value = match value {
                        Value::Int(int) => shown(&Object::String(int.to_string().into_bytes())),
                        Value::Bytes(bytes) => shown(&Object::String(bytes.into_owned())),
                        Value::Object(object) => shown(&object),
                    };
                    let key = String::from_utf8_lossy(&key).into_owned();
                    found.push((key, value, record.meta.clone()));
                }
            }
            _ => {}
        }
    }
}

#[test]
fn every_value_survives_the_way_through_a_file() {
    let values = values();
    for (compress, drip) in [(false, usize::MAX), (true, 1000), (true, usize::MAX)] {
        let bytes = file(&values, compress);
        let found = read_all(Drip(&bytes, drip)).unwrap();
        assert_eq!(found.len(), values.len());
        for (number, ((key, value, meta), expected)) in found.iter().zip(&values).enumerate() {
            assert_eq!(*key, format!("key:{number}"));
            assert_eq!(*value, shown(expected), "{expected:?}");
            assert_eq!(meta.database, 3);
            assert_eq!(meta.deadline_ms, (number % 4 == 0).then_some(number as i64));
        }
    }
}

#[test]
fn every_value_survives_dump_and_restore() {
    for value in values() {
        let payload = crate::dump(View::Object(value.view()), true);
        let restored = crate::restore(&payload, &Limits::default(), true).unwrap();
        match restored {
            // A dump has no place for consumers' active times, nor for members' deadlines.
            Value::Object(object)
                if matches!(*object, Object::Hash(_))
                    || (!matches!(*object, Object::Stream(_))
                        && value.view().next_expiry().is_none()) =>
            {
                assert_eq!(shown(&object), shown(&value));
            }
            Value::Bytes(bytes) => assert_eq!(shown(&Object::String(bytes.into())), shown(&value)),
            Value::Object(object) => {
                let (Object::Stream(new), Object::Stream(old)) = (&*object, &value) else {
                    continue;
                };
                if old.idempotence().is_some() {
                    assert_eq!(shown_stream(new), shown_stream(old));
                }
            }
            _ => {}
        }
        let mut bad = payload.clone();
        bad[0] ^= 1;
        assert!(matches!(crate::restore(&bad, &Limits::default(), true), Err(None)));
    }
}

#[test]
fn a_file_cut_at_any_byte_is_refused() {
    let later = later_stream(true, true);
    let bytes = file(&[hash(3, true), stream(5), zset(3), list(3, 3), later], false);
    for end in 0..bytes.len() {
        assert!(read_all(&bytes[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_file_with_any_bit_flipped_is_refused_by_its_checksum() {
    let bytes = file(&[hash(3, true), stream(5), zset(3), set(5, true)], true);
    for bit in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        // Without its own bits the checksum may say "none".
        assert!(read_all(&bad[..]).is_err() || bit / 8 < 9, "{bit}");
    }
}

#[test]
fn values_with_any_bit_flipped_are_refused_or_read_without_panic() {
    for value in values().into_iter().filter(|value| value.view().heap_bytes() < 4_000) {
        let mut payload = crate::dump(View::Object(value.view()), false);
        let bits = payload.len().min(1500) * 8;
        for bit in 0..bits {
            payload[bit / 8] ^= 1 << (bit % 8);
            let _ = crate::restore(&payload, &Limits::default(), false);
            payload[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
