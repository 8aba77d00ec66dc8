//! The fuzz targets of this crate for a bounded time; `FUZZ_SECONDS=600` for a longer one.

#[path = "../../../fuzz/bodies/drive.rs"]
mod drive;
#[path = "../../../fuzz/bodies/payload.rs"]
mod payload;
#[path = "../../../fuzz/bodies/snapshot.rs"]
mod snapshot;

use rdb::{Encoder, Limits, Records, Used, View};
use value::Object;
use value::hash::{Hash, Ttl};
use value::item::Item;
use value::list::List;
use value::set::Set;
use value::stream::{Id, NewId, Stream};
use value::zset::Zset;

/// A value of every type, small and with many members.
fn objects() -> Vec<Object> {
    let limits = Limits::default();
    let mut objects = Vec::new();
    for size in [3, 700] {
        let (mut hash, mut timed, mut set) = (Hash::new(), Hash::new(), Set::new());
        let (mut list, mut zset, mut stream) = (List::new(), Zset::new(), Stream::new());
        for number in 0..size {
            let text = format!("member:{number}");
            let item = || Item::parse(text.as_bytes());
            hash.set(item(), Item::Int(number), Ttl::Clear, limits.hash);
            timed.set(item(), item(), Ttl::At(2_000_000_000_000 + number), limits.hash);
            set.insert(item(), limits.set);
            list.before_growth(1, text.len(), limits.list);
            list.push_back(item(), limits.list);
            zset.insert(text.as_bytes(), number as f64 / 3.0, limits.zset);
            let id = NewId::Exact(Id::new(1000, number.unsigned_abs() + 1));
            let fields = [(&b"field"[..], text.as_bytes())];
            stream.append(id, fields.into_iter(), limits.stream).expect("ids rise");
        }
        stream.create_group(b"readers", Id::new(1000, 2), Some(2));
        let group = stream.group_mut(b"readers").expect("it was made");
        group.create_consumer(b"alice", 123);
        group.assign(Id::new(1000, 1), b"bob", 456, 3);
        objects.extend([
            Object::Hash(hash),
            Object::Hash(timed),
            Object::Set(set),
            Object::List(list),
            Object::SortedSet(zset),
            Object::Stream(Box::new(stream)),
        ]);
    }
    objects
}

const PIECES: &[&[u8]] = &[
    b"\xff",
    b"\x00",
    b"\x80\x00\x00\x00\x01",
    b"\x81\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xc0\x01",
    b"\xc1\x00\x80",
    b"\xc2\xff\xff\xff\x7f",
    b"\xc3\x05\x20\x01aa\x80\x00",
    b"\xf5",
    b"\xfa",
    b"\xfb",
    b"\xfc",
    b"\xfd",
    b"\xfe",
    b"\xf8",
    b"\xf9",
    b"\x40\x80",
    b"\x7f",
];

#[test]
fn payloads_are_read_or_refused_and_come_back_the_same() {
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for object in objects() {
        let mut payload = rdb::dump(View::Object(object.view()), seeds.len().is_multiple_of(2));
        payload.truncate(payload.len() - 10);
        seeds.push(payload);
    }
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    drive::drive(payload::payload, &seeds, PIECES);
}

#[test]
fn files_are_read_or_refused() {
    let records = Records { encoder: Encoder { compress: true } };
    let mut seeds = Vec::new();
    for object in objects() {
        let mut file = Vec::new();
        rdb::write::header(&mut file);
        records.aux(b"redis-ver", b"7.0.0", &mut file);
        records.select(0, &mut file);
        records.size(1, 1, &mut file);
        records.key(b"key", View::Object(object.view()), Some(1 << 50), Used::Idle(5), &mut file);
        records.end_mark(&mut file);
        seeds.push(file);
    }
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    drive::drive(snapshot::snapshot, &seeds, PIECES);
}
