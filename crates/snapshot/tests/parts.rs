//! Large values change, move and go while snapshots write them in parts: each snapshot has them as they were at its cut.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use keyspace::{EntryMut, Held, Key, Keyspace, LARGE, Payload, SHARDS, Value};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng as _};
use snapshot::{Pace, Preamble, RdbEncode, Snapshot, Target, Uses};
use value::hash::{Hash, HashLimits, Ttl};
use value::list::{List, ListLimits};
use value::set::{Set, SetLimits};
use value::stream::{Id, NewId, References, Stream, StreamLimits, Trim, TrimTo};
use value::zset::{Zset, ZsetLimits};
use value::{Item, Object, ObjectMut, ObjectRef};

use common::{RECORDS, load};

const DATABASES: usize = 2;
const KEYS: u32 = 10;
const MEMBERS: u32 = 2 * LARGE as u32;

/// Elements of all values, by database and key.
type Contents = BTreeMap<(usize, Vec<u8>), Vec<String>>;

fn contents(keyspace: &Keyspace, held: &mut keyspace::Lent<'_>) -> Contents {
    let mut all = Contents::new();
    for shard in 0..SHARDS {
        held.visit(shard, |shard| {
            for (database, db) in shard.dbs() {
                let number = keyspace.number_of(database).expect("every database has a number");
                let mut place = Some(0);
                while let Some(here) = place {
                    place = db.scan(here, |entry| {
                        let Value::Object(object) = entry.value() else { panic!("a collection") };
                        all.insert((number, entry.key().to_vec()), elements(object));
                    });
                }
            }
        });
    }
    all
}

fn elements(object: ObjectRef<'_>) -> Vec<String> {
    let mut lines: Vec<String> = match object {
        // In the order of the list.
        ObjectRef::List(list) => return list.iter().map(|item| format!("{item:?}")).collect(),
        ObjectRef::Set(set) => {
            set.iter().map(|item| format!("{item:?} {:?}", set.deadline(item))).collect()
        }
        ObjectRef::Hash(hash) => hash.iter().map(|field| format!("{field:?}")).collect(),
        ObjectRef::SortedSet(zset) => {
            zset.iter().map(|one| format!("{one:?} {:?}", zset.deadline(one.0))).collect()
        }
        ObjectRef::Stream(stream) => return stream_lines(stream),
        ObjectRef::String(_) => Vec::new(),
    };
    lines.sort_unstable();
    lines
}

/// A stream's entries, counters and groups.
fn stream_lines(stream: &Stream) -> Vec<String> {
    let mut lines: Vec<String> = stream
        .range(Id::MIN, Id::MAX, false)
        .map(|entry| format!("{} {:?}", entry.id, entry.fields().collect::<Vec<_>>()))
        .collect();
    let ids = [stream.first_id(), stream.last_id(), stream.max_deleted_id()];
    lines.push(format!("{ids:?} {} {}", stream.len(), stream.entries_added()));
    for (name, group) in stream.groups() {
        let pending: Vec<_> = group.pending(Id::MIN, Id::MAX).map(|one| (one.0, one.2)).collect();
        lines.push(format!("{name:?} {} {:?} {pending:?}", group.last_id, group.entries_read));
    }
    lines
}

/// A large value, of another type for every `kind`.
fn large(kind: u32) -> Object {
    let names = (0..MEMBERS).map(name);
    let due = |member: u32| member.is_multiple_of(3).then_some(1 << 40 | i64::from(member % 7));
    match kind % 5 {
        0 => {
            let mut set = Set::new();
            for (member, name) in (0..).zip(names) {
                set.insert(Item::parse(&name), SetLimits::default());
                set.set_deadline(Item::parse(&name), due(member));
            }
            Object::Set(set)
        }
        1 => {
            let mut hash = Hash::new();
            for (member, name) in (0..).zip(names) {
                let ttl = due(member as u32).map_or(Ttl::Clear, Ttl::At);
                hash.set(Item::parse(&name), Item::Int(member), ttl, HashLimits::default());
            }
            Object::Hash(hash)
        }
        2 => {
            let mut list = List::new();
            list.before_growth(MEMBERS as usize, MEMBERS as usize * 10, ListLimits::default());
            names.for_each(|name| list.push_back(Item::parse(&name), ListLimits::default()));
            Object::List(list)
        }
        3 => {
            let mut stream = Stream::new();
            names.for_each(|name| add(&mut stream, &name));
            stream.create_group(b"group", Id::MIN, None);
            Object::Stream(Box::new(stream))
        }
        _ => {
            let mut zset = Zset::new();
            for (member, name) in (0..).zip(names) {
                zset.insert(&name, f64::from(member % 1009), ZsetLimits::default());
                zset.set_deadline(&name, due(member));
            }
            Object::SortedSet(zset)
        }
    }
}

fn add(stream: &mut Stream, name: &[u8]) {
    let fields = [(&b"field"[..], name)].into_iter();
    stream.append(NewId::Auto { now_ms: 0 }, fields, StreamLimits::default()).expect("it is new");
}

fn name(member: u32) -> Vec<u8> {
    format!("member:{member}").into_bytes()
}

fn change(object: ObjectMut<'_>, random: &mut SmallRng) {
    let member = name(random.random_range(0..2 * MEMBERS));
    let item = Item::parse(&member);
    let removes = random.random_range(0..4) == 0;
    let dates = random.random_range(0..4) == 0;
    let due = random.random::<bool>().then(|| random.random_range(1 << 40..1 << 41));
    match object {
        ObjectMut::List(list) if removes => {
            list.pop_back(ListLimits::default(), |_| ());
        }
        ObjectMut::List(list) => {
            list.push_front(item, ListLimits::default());
            list.set(list.len() / 3, item, ListLimits::default());
        }
        ObjectMut::Set(set) if removes && set.len() > LARGE => {
            set.remove(item);
        }
        ObjectMut::Set(set) if dates => drop(set.set_deadline(item, due)),
        ObjectMut::Set(set) => {
            set.insert(item, SetLimits::default());
        }
        ObjectMut::Hash(hash) if removes && hash.len() > LARGE => {
            hash.remove(item);
        }
        ObjectMut::Hash(hash) if dates => drop(hash.set_deadline(item, due)),
        ObjectMut::Hash(hash) => {
            let value = Item::Int(random.random_range(0..1 << 40));
            hash.set(item, value, Ttl::Clear, HashLimits::default());
        }
        ObjectMut::SortedSet(zset) if removes && zset.len() > LARGE => {
            zset.remove(&member);
        }
        ObjectMut::SortedSet(zset) if dates => drop(zset.set_deadline(&member, due)),
        ObjectMut::SortedSet(zset) => {
            let score = f64::from(random.random_range(0..5000)) / 4.0;
            zset.insert(&member, score, ZsetLimits::default());
        }
        ObjectMut::Stream(stream) if removes => {
            stream.delete(Id::new(0, random.random_range(0..stream.last_id().seq + 1)));
        }
        ObjectMut::Stream(stream) if dates => {
            let to = TrimTo::MaxLen(stream.len() - 1);
            stream.trim(Trim { to, approx: false, limit: 0, references: References::Keep });
            stream.deliver(b"group", &member, 3, false, 1, |_| true);
        }
        ObjectMut::Stream(stream) => add(stream, &member),
        ObjectMut::String(_) => {}
    }
}

fn key_of(number: u32) -> Vec<u8> {
    format!("key:{number}").into_bytes()
}

/// Does to the keyspace what commands do.
fn work(keyspace: &Keyspace, random: &mut SmallRng) {
    let (a, b) = (key_of(random.random_range(0..KEYS)), key_of(random.random_range(0..KEYS)));
    let (a, b) = (Key::new(&a), Key::new(&b));
    let (from, to) = (random.random_range(0..DATABASES), random.random_range(0..DATABASES));
    let mut held = Held::many(keyspace, [a.hash(), b.hash()].into_iter());
    let dispose = |entry| keyspace.reclaimer().dispose(entry);
    match random.random_range(0..1500) {
        // RENAME, MOVE.
        0 if a.bytes() != b.bytes() || from != to => {
            let Some(entry) = held.shard_mut(a.hash()).db_mut(from).remove(a) else { return };
            let object = entry.into_object().expect("every value is an object");
            let db = held.shard_mut(b.hash()).db_mut(to);
            db.put(b, Payload::Object(object), None, 0).into_iter().for_each(dispose);
        }
        // DEL.
        1 => held.shard_mut(a.hash()).db_mut(from).remove(a).into_iter().for_each(dispose),
        // What STORE does.
        2 => {
            let db = held.shard_mut(a.hash()).db_mut(from);
            let value = Payload::Object(large(random.random_range(0..5)));
            db.put(a, value, None, 0).into_iter().for_each(dispose);
        }
        // FLUSHDB.
        3 if random.random_range(0..4) == 0 => {
            let taken = held.shard_mut(a.hash()).take(from);
            keyspace.reclaimer().dispose_databases(vec![taken]);
        }
        // EXPIRE.
        4 => held.shard_mut(a.hash()).db_mut(from).set_deadline(a, Some(i64::MAX / 2)),
        _ => {
            let entry = held.shard_mut(a.hash()).db_mut(from).get_mut(a);
            if let Some(object) = entry.and_then(EntryMut::into_object_mut) {
                change(object, random);
            }
        }
    }
}

/// Saves, and gives what the keyspace had at the cut.
fn save(keyspace: &Keyspace, path: &Path, gives_up: bool) -> Contents {
    let encode = RdbEncode { records: RECORDS, uses: Uses::None, now_ms: 0 };
    let (at_cut, snapshot) = {
        let closed = keyspace.gate().close();
        let mut held = Held::all(keyspace, &closed);
        let at_cut = contents(keyspace, &mut held.lend());
        (at_cut, Snapshot::begin(&mut held.lend(), Box::new(encode)))
    };
    let mut target = Target::create(path.with_extension("tmp"), true, None).expect("there is room");
    let preamble = Preamble { texts: Vec::new(), functions: Vec::new() };
    target.begin(&preamble, snapshot.sizes(), RECORDS).expect("there is room");
    let mut pieces = 0;
    let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    let ran = snapshot.run(keyspace, Pace::default(), &mut |bytes| {
        pieces += 1;
        thread::yield_now();
        if gives_up && pieces == 2 { Err(full()) } else { target.write(bytes) }
    });
    if gives_up {
        ran.expect_err("the disk was full");
    } else {
        ran.expect("there is room");
        target.seal(RECORDS).and_then(|sealed| sealed.publish(path)).expect("there is room");
    }
    at_cut
}

fn loaded(path: &Path) -> Contents {
    let keyspace = Keyspace::new(DATABASES, 0);
    load(path, &keyspace, 2).expect("it is whole");
    let closed = keyspace.gate().close();
    contents(&keyspace, &mut Held::all(&keyspace, &closed).lend())
}

#[test]
fn snapshots_have_large_values_as_they_were_at_the_cut_whatever_becomes_of_them() {
    let keyspace = Keyspace::new(DATABASES, 0);
    for number in 0..KEYS {
        let key = key_of(number);
        let key = Key::new(&key);
        let mut guard = keyspace.lock(key.hash().shard());
        guard.get_mut().db_mut(0).put(key, Payload::Object(large(number)), None, 0);
    }
    let path = std::env::temp_dir().join(format!("rubrica-parts-{}.rdb", std::process::id()));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in 1..3u64 {
            let (keyspace, done) = (&keyspace, &done);
            scope.spawn(move || {
                let slot = keyspace.gate().register();
                let mut random = SmallRng::seed_from_u64(seed);
                while !done.load(Ordering::Relaxed) {
                    slot.enter();
                    (0..20).for_each(|_| work(keyspace, &mut random));
                    slot.leave();
                }
            });
        }
        for round in 0..12 {
            let gives_up = round % 3 == 1;
            let at_cut = save(&keyspace, &path, gives_up);
            if !gives_up {
                let found = loaded(&path);
                assert!(found.keys().eq(at_cut.keys()), "round {round}");
                for (key, elements) in &at_cut {
                    assert!(found[key] == *elements, "round {round}, {key:?}");
                }
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    let _ = std::fs::remove_file(&path);
}
