//! The keyspace against a model: random sequences of changes, expiry and scans, with a clock that the
//! test moves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use keyspace::{Db, Entry, Gone, Held, Key, Keyspace, Lookup, Payload, SHARDS, Value};
use proptest::prelude::*;
use value::Object;

/// How long after its deadline a key may stay in the table though nobody touches it.
const LAG_MS: i64 = 16;
const START_MS: i64 = 1_700_000_000_000;
const DATABASES: usize = 2;

/// Names of keys: most of them in one shard, so that its table grows and shrinks.
fn names() -> &'static [Vec<u8>] {
    static NAMES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let all = (0..).map(|number: u32| format!("key:{number}").into_bytes());
        let crowded = all.clone().filter(|name| Key::new(name).hash().shard() == 7).take(200);
        all.take(56).chain(crowded).collect()
    })
}

#[derive(Clone, Debug)]
enum Text {
    Short(u8),
    Long(u16),
    Number(i64),
    /// In a block of its own whatever its length.
    Apart(u16),
}

impl Text {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Short(len) => vec![b'x'; usize::from(*len)],
            Self::Long(len) | Self::Apart(len) => vec![b'y'; usize::from(*len)],
            Self::Number(number) => number.to_string().into_bytes(),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize, Text, Option<i64>),
    Get(usize),
    Remove(usize),
    SetDeadline(usize, Option<i64>),
    Rename(usize, usize),
    Wait(i64),
    /// What the background does.
    Expire,
    Swap,
    Flush,
    ScanFromStart,
    Scan(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0..256usize;
    let text = prop_oneof![
        4 => any::<u8>().prop_map(Text::Short),
        1 => (0..9000u16).prop_map(Text::Long),
        2 => any::<i64>().prop_map(Text::Number),
        1 => (0..300u16).prop_map(Text::Apart),
    ];
    let lifetime = || {
        prop_oneof![
            3 => Just(None),
            4 => (1..2000i64).prop_map(Some),
            1 => (1..i64::MAX / 2).prop_map(Some),
        ]
    };
    prop_oneof![
        20 => (key(), text, lifetime()).prop_map(|(key, text, ms)| Step::Put(key, text, ms)),
        6 => key().prop_map(Step::Get),
        6 => key().prop_map(Step::Remove),
        5 => (key(), lifetime()).prop_map(|(key, ms)| Step::SetDeadline(key, ms)),
        5 => (key(), key()).prop_map(|(from, to)| Step::Rename(from, to)),
        4 => (0..500i64).prop_map(Step::Wait),
        2 => Just(Step::Expire),
        1 => Just(Step::Swap),
        1 => Just(Step::ScanFromStart),
        4 => (1..400u16).prop_map(Step::Scan),
        1 => (0..8).prop_map(|dice| if dice == 0 { Step::Flush } else { Step::Expire }),
    ]
}

/// A walk over a database that goes on while keys change.
#[derive(Default)]
struct Walk {
    shard: usize,
    place: u32,
    seen: BTreeSet<Vec<u8>>,
    /// Keys that were there at its beginning and ever since.
    lasting: BTreeSet<Vec<u8>>,
}

/// Texts and deadlines by key.
type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

struct Pair {
    keyspace: Keyspace,
    now_ms: i64,
    model: [Model; DATABASES],
    walk: Option<Walk>,
}

impl Pair {
    fn new() -> Self {
        Self {
            keyspace: Keyspace::new(DATABASES, START_MS),
            now_ms: START_MS,
            model: Default::default(),
            walk: None,
        }
    }

    /// Works on the part of database 0 where `key` is.
    fn db<T>(&self, key: Key<'_>, work: impl FnOnce(&mut Db) -> T) -> T {
        let mut held = Held::one(&self.keyspace, key.hash());
        let db = held.shard_mut(key.hash()).db_mut(self.keyspace.resolve(0));
        let result = work(db);
        if let Some(due) = db.next_due_ms() {
            held.lend().note_deadline(key.hash(), due);
        }
        result
    }

    fn live(&self, name: &[u8]) -> Option<&(Vec<u8>, Option<i64>)> {
        self.model[0].get(name).filter(|(_, at)| at.is_none_or(|at| at > self.now_ms))
    }

    fn gone(&mut self, name: &[u8]) {
        self.model[0].remove(name);
        if let Some(walk) = &mut self.walk {
            walk.lasting.remove(name);
        }
    }

    fn lookup(&self, name: &[u8]) -> Option<(Vec<u8>, Option<i64>)> {
        let key = Key::new(name);
        self.db(key, |db| match db.lookup(key, self.now_ms) {
            Lookup::Live(entry) => Some((text_of(entry.value()), entry.deadline_ms())),
            Lookup::Tidied(_) | Lookup::Expired(_) | Lookup::Absent => None,
        })
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Put(key, text, lifetime) => self.put(&names()[key], &text, lifetime),
            Step::Get(key) => {
                let name = &names()[key];
                assert_eq!(self.lookup(name).as_ref(), self.live(name));
                if self.live(name).is_none() {
                    self.gone(name);
                }
            }
            Step::Remove(key) => {
                let name = &names()[key];
                let key = Key::new(name);
                let removed = self.db(key, |db| db.remove(key)).is_some();
                // A key whose time has come may have been removed before.
                assert!(removed || self.live(name).is_none());
                self.gone(name);
            }
            Step::SetDeadline(key, lifetime) => self.set_deadline(&names()[key], lifetime),
            Step::Rename(from, to) => self.rename(&names()[from], &names()[to]),
            Step::Wait(ms) => self.now_ms += ms,
            Step::Expire => self.expire(),
            Step::Swap => {
                let closed = self.keyspace.gate().close();
                Held::all(&self.keyspace, &closed).lend().swap(0, 1);
                drop(closed);
                self.model.swap(0, 1);
                self.walk = None;
            }
            Step::Flush => {
                let closed = self.keyspace.gate().close();
                let physical = self.keyspace.resolve(0);
                let mut held = Held::all(&self.keyspace, &closed);
                let taken =
                    (0..SHARDS).map(|shard| held.visit(shard, |one| one.take(physical)).len());
                assert!(taken.sum::<usize>() <= self.model[0].len());
                self.model[0].clear();
                self.walk = None;
            }
            Step::ScanFromStart => {
                let lasting = self.model[0].keys().cloned().collect();
                self.walk = Some(Walk { lasting, ..Walk::default() });
            }
            Step::Scan(places) => self.scan(places),
        }
    }

    fn put(&mut self, name: &[u8], text: &Text, lifetime: Option<i64>) {
        let key = Key::new(name);
        let bytes = text.bytes();
        let deadline = lifetime.map(|ms| self.now_ms + ms);
        let payload = match text {
            Text::Apart(_) => Payload::Object(Object::String(bytes.clone())),
            Text::Number(number) => Payload::Int(*number),
            _ => Payload::Bytes(&bytes),
        };
        self.db(key, |db| {
            db.put(key, payload, deadline, 0);
        });
        self.model[0].insert(name.to_vec(), (bytes, deadline));
    }

    fn set_deadline(&mut self, name: &[u8], lifetime: Option<i64>) {
        let deadline = lifetime.map(|ms| self.now_ms + ms);
        if self.lookup(name).is_none() {
            return self.gone(name);
        }
        let key = Key::new(name);
        self.db(key, |db| db.set_deadline(key, deadline));
        self.model[0].entry(name.to_vec()).and_modify(|value| value.1 = deadline);
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) {
        let Some(value) = self.lookup(from) else { return self.gone(from) };
        if from == to {
            return;
        }
        let (source, target) = (Key::new(from), Key::new(to));
        let physical = self.keyspace.resolve(0);
        let mut held = Held::many(&self.keyspace, [source.hash(), target.hash()].into_iter());
        let taken = held.shard_mut(source.hash()).db_mut(physical).remove(source);
        let entry = taken.expect("the lookup has found it");
        move_in(held.shard_mut(target.hash()).db_mut(physical), target, entry);
        if let Some(deadline) = value.1 {
            held.lend().note_deadline(target.hash(), deadline);
        }
        drop(held);
        self.gone(from);
        self.model[0].insert(to.to_vec(), value);
    }

    /// As the server does it: shards that may have something due, a few entries under each lock.
    fn expire(&mut self) {
        let mut removed = Vec::new();
        for shard in 0..SHARDS {
            while self.keyspace.may_expire(shard, self.now_ms) {
                let mut guard = self.keyspace.lock(shard);
                let (mut steps, mut next_due) = (64, i64::MAX);
                for (index, db) in guard.get_mut().dbs_mut() {
                    while let Some(Gone::Key(entry)) = db.pop_due(self.now_ms, &mut steps) {
                        removed.push((index, entry.view().key().to_vec()));
                    }
                    next_due = next_due.min(db.next_due_ms().unwrap_or(i64::MAX));
                }
                guard.set_next_due(next_due);
            }
        }
        for (physical, name) in removed {
            let number = (0..DATABASES).find(|one| self.keyspace.resolve(*one) == physical);
            let number = number.expect("every physical database has a number");
            let (_, deadline) = self.model[number].remove(&name).expect("what expires was there");
            assert!(deadline.is_some_and(|at| at <= self.now_ms), "{name:?} went too early");
            if let Some(walk) = self.walk.as_mut().filter(|_| number == 0) {
                walk.lasting.remove(&name);
            }
        }
        for shard in 0..SHARDS {
            let guard = self.keyspace.lock(shard);
            for (_, db) in guard.get().dbs() {
                let mut cursor = Some(0);
                while let Some(place) = cursor {
                    cursor = db.scan(place, |entry| {
                        let late = |at: i64| at + LAG_MS <= self.now_ms;
                        assert!(!entry.deadline_ms().is_some_and(late), "an expired key stayed");
                    });
                }
            }
        }
    }

    fn scan(&mut self, places: u16) {
        let Some(mut walk) = self.walk.take() else { return };
        let physical = self.keyspace.resolve(0);
        for _ in 0..places {
            if walk.shard == SHARDS {
                let missed = walk.lasting.difference(&walk.seen).next();
                assert_eq!(missed, None, "a walk missed a key that was there throughout");
                return;
            }
            let guard = self.keyspace.lock(walk.shard);
            let next = guard.get().db(physical).and_then(|db| {
                db.scan(walk.place, |entry| {
                    walk.seen.insert(entry.key().to_vec());
                })
            });
            match next {
                Some(place) => walk.place = place,
                None => (walk.shard, walk.place) = (walk.shard + 1, 0),
            }
        }
        self.walk = Some(walk);
    }

    /// Everything that is in the keyspace is in the model, and the other way round.
    fn check(&self) {
        for number in 0..DATABASES {
            let physical = self.keyspace.resolve(number);
            let (mut found, mut len, mut volatile) = (BTreeMap::new(), 0, 0);
            for shard in 0..SHARDS {
                let guard = self.keyspace.lock(shard);
                let Some(db) = guard.get().db(physical) else { continue };
                (len, volatile) = (len + db.len(), volatile + db.volatile());
                let mut cursor = Some(0);
                while let Some(place) = cursor {
                    cursor = db.scan(place, |entry| {
                        let value = (text_of(entry.value()), entry.deadline_ms());
                        found.insert(entry.key().to_vec(), value);
                    });
                }
            }
            assert_eq!(found.len(), len);
            assert_eq!(found.values().filter(|(_, at)| at.is_some()).count(), volatile);
            let alive = |at: &Option<i64>| at.is_none_or(|at| at > self.now_ms);
            found.retain(|_, (_, at)| alive(at));
            let mut model = self.model[number].clone();
            model.retain(|_, (_, at)| alive(at));
            assert_eq!(found, model);
        }
    }
}

fn text_of(value: Value<'_>) -> Vec<u8> {
    value.string_bytes().expect("only strings here").into_owned()
}

/// Stores an entry under another key.
fn move_in(db: &mut Db, key: Key<'_>, entry: Entry) {
    let (deadline, access) = (entry.view().deadline_ms(), entry.view().access());
    let small = match entry.view().value() {
        Value::Object(_) => None,
        other => other.string_bytes().map(|bytes| bytes.into_owned()),
    };
    match small {
        Some(bytes) => db.put(key, Payload::string(&bytes), deadline, access),
        None => {
            let object = entry.into_object().expect("the value is an object");
            db.put(key, Payload::Object(object), deadline, access)
        }
    };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_keyspace_does_what_a_map_does(steps in prop::collection::vec(step(), 1..1500)) {
        let mut pair = Pair::new();
        for step in steps {
            pair.apply(step);
        }
        pair.check();
        pair.now_ms += 3000;
        pair.expire();
        pair.check();
        pair.scan(u16::MAX);
    }
}
