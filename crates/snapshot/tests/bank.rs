//! Money moves between accounts while snapshots are taken: each of them has all of it, whole and at one moment.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use keyspace::{Deadline, Held, Key, Keyspace, Payload, SHARDS, Value};
use snapshot::{Pace, Preamble, RdbEncode, Snapshot, Target, Uses};

use common::{RECORDS, load};

const ACCOUNTS: u64 = 5000;
const EACH: i64 = 1000;

fn name(account: u64) -> Vec<u8> {
    format!("account:{account}").into_bytes()
}

fn balance(db: &keyspace::Db, key: Key<'_>) -> i64 {
    match db.get(key).map(|entry| entry.value()) {
        Some(Value::Int(amount)) => amount,
        _ => 0,
    }
}

fn set(db: &mut keyspace::Db, key: Key<'_>, amount: i64) {
    if amount == 0 {
        db.remove(key);
    } else {
        db.put_if(key, 0, Payload::Int(amount), Deadline::None, 0, |_| true);
    }
}

/// Moves money from one account to another, atomically; empty accounts vanish.
fn transfer(keyspace: &Keyspace, from: u64, to: u64, amount: i64) {
    let (from, to) = (name(from), name(to));
    let (from, to) = (Key::new(&from), Key::new(&to));
    if from.bytes() == to.bytes() {
        return;
    }
    let mut held = Held::many(keyspace, [from.hash(), to.hash()].into_iter());
    let has = balance(held.shard_mut(from.hash()).db_mut(0), from);
    let amount = amount.min(has);
    set(held.shard_mut(from.hash()).db_mut(0), from, has - amount);
    let has = balance(held.shard_mut(to.hash()).db_mut(0), to);
    set(held.shard_mut(to.hash()).db_mut(0), to, has + amount);
}

fn save(keyspace: &Keyspace, path: &Path) {
    let encode = RdbEncode { records: RECORDS, uses: Uses::None, now_ms: 0 };
    let snapshot = {
        let closed = keyspace.gate().close();
        Snapshot::begin(&mut Held::all(keyspace, &closed).lend(), Box::new(encode))
    };
    let temporary = path.with_extension("tmp");
    let mut target = Target::create(temporary, true, None).expect("the disk has room");
    let preamble = Preamble { texts: Vec::new(), functions: Vec::new() };
    target.begin(&preamble, snapshot.sizes(), RECORDS).expect("the disk has room");
    snapshot
        .run(keyspace, Pace::default(), &mut |bytes| target.write(bytes))
        .expect("the disk has room");
    let sealed = target.seal(RECORDS).expect("the disk has room");
    sealed.publish(path).expect("the file can be moved");
}

fn amounts(keyspace: &Keyspace) -> BTreeMap<Vec<u8>, i64> {
    let mut all = BTreeMap::new();
    for shard in 0..SHARDS {
        let guard = keyspace.lock(shard);
        let Some(db) = guard.get().db(0) else { continue };
        let mut place = Some(0);
        while let Some(here) = place {
            place = db.scan(here, |entry| {
                let Value::Int(amount) = entry.value() else { panic!("not an amount") };
                all.insert(entry.key().to_vec(), amount);
            });
        }
    }
    all
}

#[test]
fn snapshots_of_a_bank_at_work_have_all_its_money() {
    let keyspace = Keyspace::new(1, 0);
    for account in 0..ACCOUNTS {
        let name = name(account);
        let key = Key::new(&name);
        set(keyspace.lock(key.hash().shard()).get_mut().db_mut(0), key, EACH);
    }
    let path = std::env::temp_dir().join(format!("rubrica-bank-{}.rdb", std::process::id()));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in 1..3u64 {
            let (keyspace, done) = (&keyspace, &done);
            scope.spawn(move || {
                let slot = keyspace.gate().register();
                let mut word = seed;
                let mut random = |below: u64| {
                    word ^= word << 13;
                    word ^= word >> 7;
                    word ^= word << 17;
                    word % below
                };
                while !done.load(Ordering::Relaxed) {
                    slot.enter();
                    for _ in 0..50 {
                        transfer(keyspace, random(ACCOUNTS), random(ACCOUNTS), random(1500) as i64);
                    }
                    slot.leave();
                }
            });
        }
        for round in 0..20 {
            save(&keyspace, &path);
            let other = Keyspace::new(1, 0);
            let loaded = load(&path, &other, 2).unwrap();
            let found = amounts(&other);
            assert_eq!(loaded.keys, found.len() as u64);
            assert_eq!(found.values().sum::<i64>(), ACCOUNTS as i64 * EACH, "round {round}");
        }
        done.store(true, Ordering::Relaxed);
    });
    let _ = std::fs::remove_file(&path);
}

#[test]
fn a_snapshot_whose_bytes_cannot_be_written_leaves_the_keyspace_at_work_and_the_next_one_whole() {
    let keyspace = Keyspace::new(1, 0);
    for account in 0..ACCOUNTS {
        let name = name(account);
        let key = Key::new(&name);
        set(keyspace.lock(key.hash().shard()).get_mut().db_mut(0), key, EACH);
    }
    let encode = RdbEncode { records: RECORDS, uses: Uses::None, now_ms: 0 };
    let snapshot = {
        let closed = keyspace.gate().close();
        Snapshot::begin(&mut Held::all(&keyspace, &closed).lend(), Box::new(encode))
    };
    let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    let error = snapshot.run(&keyspace, Pace::default(), &mut |_| Err(full())).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    transfer(&keyspace, 1, 2, 500);
    let path = std::env::temp_dir().join(format!("rubrica-full-{}.rdb", std::process::id()));
    save(&keyspace, &path);
    let other = Keyspace::new(1, 0);
    load(&path, &other, 1).unwrap();
    assert_eq!(amounts(&other), amounts(&keyspace));
    let twice = load(&path, &other, 1);
    assert!(twice.unwrap_err().to_string().contains("duplicated key"));
    let _ = std::fs::remove_file(&path);
}
