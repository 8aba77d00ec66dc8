//! Many threads at once: multi-key commands, walks, and operations that run alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use keyspace::{Held, Key, Keyspace, Lookup, Payload, SHARDS, Value};

const ACCOUNTS: u64 = 64;
const EACH: i64 = 1000;
const NOW_MS: i64 = 1_700_000_000_000;
const WORKERS: u64 = 4;
const TRANSFERS: u64 = 20_000;
/// Far more than the test takes: who waits so long waits for ever.
const PATIENCE: Duration = Duration::from_secs(120);

fn account(number: u64) -> Vec<u8> {
    format!("account:{number}").into_bytes()
}

fn step(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn balance(held: &mut Held<'_>, key: Key<'_>) -> i64 {
    let physical = held.keyspace().resolve(0);
    match held.shard_mut(key.hash()).db_mut(physical).lookup(key, NOW_MS) {
        Lookup::Live(entry) => match entry.value() {
            Value::Int(number) => number,
            other => panic!("an account holds {other:?}"),
        },
        _ => panic!("an account is missing"),
    }
}

fn set(held: &mut Held<'_>, key: Key<'_>, balance: i64) {
    let physical = held.keyspace().resolve(0);
    let db = held.shard_mut(key.hash()).db_mut(physical);
    assert!(db.put(key, Payload::Int(balance), None, 0).is_none());
}

/// Moves money around a ring of up to five accounts, named in any order and more than once.
fn transfer(keyspace: &Keyspace, random: &mut u64) {
    let names: Vec<Vec<u8>> =
        (0..2 + step(random) % 4).map(|_| account(step(random) % ACCOUNTS)).collect();
    let keys: Vec<Key<'_>> = names.iter().map(|name| Key::new(name)).collect();
    let mut held = Held::many(keyspace, keys.iter().map(|key| key.hash()));
    for pair in keys.windows(2) {
        let amount = (step(random) % 10) as i64;
        let from = balance(&mut held, pair[0]);
        set(&mut held, pair[0], from - amount);
        let to = balance(&mut held, pair[1]);
        set(&mut held, pair[1], to + amount);
    }
}

fn total(held: &mut Held<'_>) -> i64 {
    (0..ACCOUNTS).map(|number| balance(held, Key::new(&account(number)))).sum()
}

/// Transfers, walks that lock one shard after the other, and audits behind the closed gate.
fn work(keyspace: &Keyspace, worker: u64, audits: &AtomicU64) {
    let slot = keyspace.gate().register();
    let mut random = 0x9e37_79b9_7f4a_7c15 ^ (worker + 1);
    for turn in 0..TRANSFERS {
        if turn % 500 == worker {
            let closed = keyspace.gate().close();
            let mut held = Held::all(keyspace, &closed);
            assert_eq!(total(&mut held), EACH * ACCOUNTS as i64);
            if turn % 1000 == worker {
                held.lend().swap(0, 1);
                held.lend().swap(1, 0);
            }
            audits.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        slot.enter();
        if turn % 300 == worker {
            let mut held = Held::nothing(keyspace);
            let physical = keyspace.resolve(0);
            let keys: usize = (0..SHARDS)
                .map(|shard| held.visit(shard, |one| one.db(physical).map_or(0, |db| db.len())))
                .sum();
            assert_eq!(keys, ACCOUNTS as usize);
        } else {
            transfer(keyspace, &mut random);
        }
        slot.leave();
    }
}

#[test]
fn commands_on_many_keys_and_operations_that_run_alone_neither_mix_nor_wait_for_ever() {
    let keyspace = Arc::new(Keyspace::new(2, NOW_MS));
    for number in 0..ACCOUNTS {
        let name = account(number);
        let key = Key::new(&name);
        set(&mut Held::one(&keyspace, key.hash()), key, EACH);
    }
    let audits = Arc::new(AtomicU64::new(0));
    let (done, finished) = channel();
    let threads: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (keyspace, audits) = (Arc::clone(&keyspace), Arc::clone(&audits));
            let done = done.clone();
            thread::spawn(move || {
                work(&keyspace, worker, &audits);
                // Nobody listens only when the test has failed already.
                let _ = done.send(());
            })
        })
        .collect();
    drop(done);
    for _ in 0..WORKERS {
        match finished.recv_timeout(PATIENCE) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => panic!("the workers wait for each other"),
            // One has panicked; joining it says so.
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    for thread in threads {
        thread.join().expect("a worker has panicked");
    }
    let closed = keyspace.gate().close();
    assert_eq!(total(&mut Held::all(&keyspace, &closed)), EACH * ACCOUNTS as i64);
    assert!(audits.load(Ordering::Relaxed) >= WORKERS * TRANSFERS / 1000);
}

#[test]
fn a_prefetch_beside_writers_touches_nothing_that_is_gone() {
    let keyspace = Arc::new(Keyspace::new(1, NOW_MS));
    let stopped = Arc::new(AtomicBool::new(false));
    let reader = {
        let (keyspace, stopped) = (Arc::clone(&keyspace), Arc::clone(&stopped));
        thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for number in 0..ACCOUNTS {
                    let hash = Key::new(&account(number)).hash();
                    keyspace.prefetch_bucket(hash);
                    keyspace.prefetch_entry(0, hash);
                }
            }
        })
    };
    for turn in 0..20_000 {
        let name = account(turn % ACCOUNTS);
        let key = Key::new(&name);
        let mut held = Held::one(&keyspace, key.hash());
        let db = held.shard_mut(key.hash()).db_mut(0);
        if turn % 3 == 0 {
            drop(db.remove(key));
        } else {
            drop(db.put(key, Payload::Bytes(&name), None, 0));
        }
    }
    stopped.store(true, Ordering::Relaxed);
    reader.join().expect("the reader has panicked");
}

#[test]
fn whoever_finds_a_shard_locked_leaves_it_locked() {
    let keyspace = Keyspace::new(1, 0);
    let held = keyspace.lock(7);
    for _ in 0..3 {
        assert!(keyspace.try_lock(7).is_none());
    }
    drop(held);
    assert!(keyspace.try_lock(7).is_some());
    assert!(keyspace.try_lock(7).is_some());
}
