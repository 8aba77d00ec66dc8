//! What a witness sees of a keyspace that others go on changing is what was there at the cut, each key once.

use std::collections::BTreeMap;
use std::sync::Arc;

use keyspace::era::Witness;
use keyspace::{Deadline, EntryMut, Held, Key, Keyspace, Lookup, Payload, Place, SHARDS, Value};
use parking_lot::Mutex;
use proptest::prelude::*;

type Seen = BTreeMap<(usize, Vec<u8>), (Vec<u8>, Option<i64>)>;

#[derive(Default)]
struct Notes(Mutex<Seen>);

fn text(value: Value<'_>) -> Vec<u8> {
    value.string_bytes().expect("the test stores strings").into_owned()
}

impl Witness for Notes {
    fn see(&self, database: usize, entry: &mut EntryMut<'_>) {
        let key = (database, entry.key().to_vec());
        let before = self.0.lock().insert(key, (text(entry.value()), entry.deadline_ms()));
        assert!(before.is_none(), "shown twice");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u8, Option<i64>),
    Remove(u8),
    Lookup(u8),
    Append(u8),
    Touch(u8),
    Deadline(u8, Option<i64>),
    Expire,
    Flush,
    Walk(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let deadline = || prop_oneof![Just(None), (1i64..100).prop_map(Some)];
    let key = || 0u8..40;
    let step = prop_oneof![
        6 => (key(), any::<u8>(), deadline()).prop_map(|(k, v, d)| Step::Put(k, v, d)),
        2 => key().prop_map(Step::Remove),
        1 => key().prop_map(Step::Lookup),
        2 => key().prop_map(Step::Append),
        1 => key().prop_map(Step::Touch),
        2 => (key(), deadline()).prop_map(|(k, d)| Step::Deadline(k, d)),
        1 => Just(Step::Expire),
        1 => Just(Step::Flush),
        3 => (1usize..200).prop_map(Step::Walk),
    ];
    proptest::collection::vec(step, 0..120)
}

/// A walk over all shards, in slices.
struct Walk {
    shard: usize,
    place: Place,
}

impl Walk {
    fn slice(&mut self, keyspace: &Keyspace, mut shards: usize) {
        while shards > 0 && self.shard < SHARDS {
            match keyspace
                .lock(self.shard)
                .get_mut()
                .show_some(self.place, 1, true)
                .expect("all are shown")
            {
                Some(next) => self.place = next,
                None => {
                    *self = Self { shard: self.shard + 1, place: Place::default() };
                    shards -= 1;
                }
            }
        }
    }
}

fn act(keyspace: &Keyspace, step: &Step, walk: &mut Walk) {
    let on = |number: &u8, work: &mut dyn FnMut(&mut keyspace::Db, Key<'_>)| {
        let name = format!("key {}", number / 2);
        let key = Key::new(name.as_bytes());
        work(keyspace.lock(key.hash().shard()).get_mut().db_mut(usize::from(number % 2)), key);
    };
    match step {
        Step::Put(number, value, deadline) => on(number, &mut |db, key| {
            let text = vec![b'v'; usize::from(*value)];
            let payload = match value % 3 {
                0 => Payload::Int(i64::from(*value)),
                _ => Payload::Bytes(&text),
            };
            let deadline = deadline.map_or(Deadline::Keep, Deadline::At);
            db.put_if(key, i64::MIN, payload, deadline, 0, |_| true);
        }),
        Step::Remove(number) => on(number, &mut |db, key| drop(db.remove(key))),
        Step::Lookup(number) => on(number, &mut |db, key| match db.lookup(key, 50) {
            Lookup::Live(mut entry) => entry.touch(77),
            Lookup::Tidied(_) | Lookup::Expired(_) | Lookup::Absent => {}
        }),
        Step::Append(number) => on(number, &mut |db, key| {
            if let Some(string) = db.string_object(key) {
                string.extend_from_slice(b"more");
            }
        }),
        Step::Touch(number) => on(number, &mut |db, key| {
            if let Some(mut entry) = db.get_mut(key) {
                entry.set_integer(5);
            }
        }),
        Step::Deadline(number, at) => on(number, &mut |db, key| db.set_deadline(key, *at)),
        Step::Expire => (0..SHARDS).for_each(|shard| {
            let mut guard = keyspace.lock(shard);
            for (_, db) in guard.get_mut().dbs_mut() {
                while db.pop_due(60, &mut 100).is_some() {}
            }
        }),
        Step::Flush => (0..SHARDS).for_each(|shard| {
            drop(keyspace.lock(shard).get_mut().take(0));
        }),
        Step::Walk(shards) => walk.slice(keyspace, *shards),
    }
}

fn contents(keyspace: &Keyspace) -> Seen {
    let mut all = Seen::new();
    for shard in 0..SHARDS {
        for (number, db) in keyspace.lock(shard).get().dbs() {
            let mut place = Some(0);
            while let Some(here) = place {
                place = db.scan(here, |entry| {
                    let key = (number, entry.key().to_vec());
                    all.insert(key, (text(entry.value()), entry.deadline_ms()));
                });
            }
        }
    }
    all
}

fn cut(keyspace: &Keyspace, notes: &Arc<Notes>) {
    let closed = keyspace.gate().close();
    let mut held = Held::all(keyspace, &closed);
    held.lend().cut(&(Arc::clone(notes) as Arc<dyn Witness>));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_witness_sees_the_keys_of_the_cut_whatever_happens_meanwhile(
        before in steps(), during in steps(), again in steps(), given_up in any::<bool>(),
    ) {
        let keyspace = Keyspace::new(2, 0);
        let mut nobody = Walk { shard: SHARDS, place: Place::default() };
        before.iter().for_each(|step| act(&keyspace, step, &mut nobody));
        for (round, steps) in [during, again].iter().enumerate() {
            let expected = contents(&keyspace);
            let notes = Arc::new(Notes::default());
            cut(&keyspace, &notes);
            let mut walk = Walk { shard: 0, place: Place::default() };
            steps.iter().for_each(|step| act(&keyspace, step, &mut walk));
            if round == 0 && given_up {
                continue;
            }
            walk.slice(&keyspace, usize::MAX);
            prop_assert_eq!(&*notes.0.lock(), &expected);
            // Nobody holds on to it any more.
            prop_assert_eq!(Arc::strong_count(&notes), 1);
        }
    }
}

#[test]
fn snapshots_may_be_given_up_any_number_of_times_if_eras_are_settled() {
    let keyspace = Keyspace::new(1, 0);
    let key = Key::new(b"k");
    keyspace.lock(key.hash().shard()).get_mut().db_mut(0).put(key, Payload::Int(1), None, 0);
    for round in 0..100 {
        if round % 20 == 0 {
            let closed = keyspace.gate().close();
            Held::all(&keyspace, &closed).lend().settle_eras();
        }
        let notes = Arc::new(Notes::default());
        cut(&keyspace, &notes);
        if round % 7 == 0 {
            Walk { shard: 0, place: Place::default() }.slice(&keyspace, usize::MAX);
            assert_eq!(notes.0.lock().len(), 1);
        }
    }
}
