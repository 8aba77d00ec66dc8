use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const TINY: HashLimits = HashLimits { max_listpack_entries: 6, max_listpack_value: 10 };

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

fn item(text: &[u8]) -> Item<'_> {
    Item::parse(text)
}

fn owned(field: Field<'_>) -> (Vec<u8>, (Vec<u8>, Option<i64>)) {
    (field.name.to_vec(), (field.value.to_vec(), field.deadline))
}

fn check(hash: &Hash, model: &Model) {
    if let View::Big(fields) = hash.0.view() {
        fields.check();
    }
    assert_eq!(hash.len(), model.len());
    assert_eq!(&hash.iter().map(owned).collect::<Model>(), model);
    for name in model.keys() {
        let field = hash.field(item(name)).map(owned);
        assert_eq!(field.as_ref().map(|(name, rest)| (name, rest)), model.get_key_value(name));
    }
    assert_eq!(hash.next_expiry(), model.values().filter_map(|(_, deadline)| *deadline).min());
}

#[derive(Clone, Debug)]
enum Op {
    Set(Vec<u8>, Vec<u8>, u8, i64),
    SetIfAbsent(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    Deadline(Vec<u8>, Option<i64>),
    Expire(i64, usize),
    Random(u64),
    Reload,
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (0u32..25).prop_map(|n| format!("f{n}").into_bytes()),
        2 => (-5i64..5).prop_map(|n| n.to_string().into_bytes()),
        1 => prop_oneof![Just("-0"), Just("01"), Just("+1"), Just("")].prop_map(|s| s.into()),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => name(),
        2 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        1 => (0usize..100).prop_map(|n| vec![b'v'; n]),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (name(), value(), 0u8..3, 1i64..50).prop_map(|(f, v, k, d)| Op::Set(f, v, k, d)),
        1 => (name(), value()).prop_map(|(f, v)| Op::SetIfAbsent(f, v)),
        2 => name().prop_map(Op::Remove),
        3 => (name(), prop::option::of(1i64..50)).prop_map(|(f, d)| Op::Deadline(f, d)),
        1 => (0i64..40, 0usize..5).prop_map(|(now, limit)| Op::Expire(now, limit)),
        1 => any::<u64>().prop_map(Op::Random),
        1 => Just(Op::Reload),
    ]
}

fn reload(hash: &Hash, limits: HashLimits) -> Hash {
    let mut bytes = Vec::new();
    if !hash.write_listpack(&mut bytes) {
        return hash.clone();
    }
    Hash::from_listpack(&bytes, hash.encoding() == "listpackex", limits).unwrap()
}

fn expire(hash: &mut Hash, model: &mut Model, now: i64, limit: usize) {
    let due = model.values().filter(|(_, deadline)| deadline.is_some_and(|at| at < now)).count();
    let gone = hash.expire_due(now, limit, |field| {
        assert!(field.is_due(now));
        let (name, rest) = owned(field);
        assert_eq!(model.remove(&name), Some(rest));
    });
    assert_eq!(gone, due.min(limit));
}

fn apply(hash: &mut Hash, model: &mut Model, op: Op, limits: HashLimits) {
    match op {
        Op::Set(name, text, kind, at) => {
            let ttl = [Ttl::Clear, Ttl::Keep, Ttl::At(at)][usize::from(kind)];
            let change = hash.set(item(&name), item(&text), ttl, limits);
            let old = model.get(&name).map(|(_, deadline)| *deadline);
            assert_eq!(change == Change::Updated, old.is_some());
            model.insert(name, (text, ttl.resolve(old.flatten())));
        }
        Op::SetIfAbsent(name, text) => {
            let absent = !model.contains_key(&name);
            assert_eq!(hash.set_if_absent(item(&name), item(&text), limits), absent);
            model.entry(name).or_insert((text, None));
        }
        Op::Remove(name) => {
            let old = model.remove(&name);
            let field = hash.take(item(&name), |field| owned(field).1);
            assert_eq!(field, old);
        }
        Op::Deadline(name, deadline) => {
            let entry = model.get_mut(&name);
            assert_eq!(hash.set_deadline(item(&name), deadline), entry.is_some());
            if let Some(entry) = entry {
                entry.1 = deadline;
            }
        }
        Op::Expire(now, limit) => expire(hash, model, now, limit),
        Op::Random(word) => {
            let field = hash.random(word).map(owned);
            assert_eq!(field.is_none(), model.is_empty());
            assert!(field.iter().all(|(name, rest)| model.get(name) == Some(rest)));
        }
        Op::Reload => *hash = reload(hash, limits),
    }
}

proptest! {
    #[test]
    fn fields_set_at_once_are_those_set_one_by_one(
        fields in prop::collection::vec(("[a-d]{0,2}|-?[0-9]{1,3}", "[a-z]{0,300}|[0-9]{1,19}"), 0..12),
    ) {
        let mut single = Hash::new();
        let limits = HashLimits { max_listpack_value: 1000, ..HashLimits::default() };
        for (name, value) in &fields {
            single.set(item(name.as_bytes()), item(value.as_bytes()), Ttl::Clear, limits);
        }
        let mut whole = Hash::new();
        let items = fields.iter().map(|(name, value)| (item(name.as_bytes()), item(value.as_bytes())));
        if whole.fill(items) {
            prop_assert!(whole.iter().map(owned).eq(single.iter().map(owned)));
            prop_assert!(fields.is_empty() || !whole.fill([(item(b"x"), item(b"y"))].into_iter()));
        } else {
            prop_assert!(single.len() < fields.len());
            prop_assert!(whole.is_empty());
        }
    }

    #[test]
    fn a_hash_behaves_like_a_map(ops in prop::collection::vec(op(), 1..200), tiny in any::<bool>()) {
        let limits = if tiny { TINY } else { HashLimits::default() };
        let (mut hash, mut model) = (Hash::new(), Model::new());
        for op in ops {
            apply(&mut hash, &mut model, op, limits);
            check(&hash, &model);
        }
        check(&hash.clone(), &model);
    }
}

fn filled(fields: usize, limits: HashLimits) -> Hash {
    let mut hash = Hash::new();
    for n in 0..fields {
        hash.set(Item::Int(n as i64), Item::Bytes(b"v"), Ttl::Clear, limits);
    }
    hash
}

#[test]
fn encodings_change_by_redis_rules() {
    assert_eq!(filled(6, TINY).encoding(), "listpack");
    assert_eq!(filled(7, TINY).encoding(), "hashtable");
    let mut hash = filled(3, TINY);
    hash.set_deadline(Item::Int(0), Some(1000));
    assert_eq!(hash.encoding(), "listpackex");
    hash.set_deadline(Item::Int(0), None);
    assert_eq!(hash.encoding(), "listpackex");
    hash.set(Item::Bytes(b"long"), Item::Bytes(b"01234567890"), Ttl::Clear, TINY);
    assert_eq!(hash.encoding(), "hashtable");
    let mut hash = filled(3, TINY);
    hash.before_growth(6, 10, TINY);
    assert_eq!(hash.encoding(), "listpack");
    hash.before_growth(7, 1, TINY);
    assert_eq!(hash.encoding(), "hashtable");
}

#[test]
fn a_scan_sees_every_lasting_field_while_the_table_grows() {
    let mut hash = filled(2000, TINY);
    let (mut seen, mut cursor, mut fresh) = (std::collections::BTreeSet::new(), 0, 100_000);
    loop {
        cursor = hash.scan(cursor, 10, |field| {
            seen.insert(field.name.as_int().unwrap());
        });
        if cursor == 0 {
            break;
        }
        for _ in 0..20 {
            fresh += 1;
            hash.set(Item::Int(fresh), Item::Int(1), Ttl::Clear, TINY);
        }
    }
    assert!((0..2000).all(|n| seen.contains(&n)));
}

#[test]
fn many_fields_expire_in_order_and_in_slices() {
    let mut hash = filled(5000, TINY);
    for n in 0..5000i64 {
        hash.set_deadline(Item::Int(n), Some(1 + n / 10));
    }
    let mut last = 0;
    for _ in 0..50 {
        let gone = hash.expire_due(i64::MAX, 100, |field| {
            assert!(field.deadline >= Some(last));
            last = field.deadline.unwrap();
        });
        assert_eq!(gone, 100);
    }
    assert_eq!((hash.len(), hash.next_expiry()), (0, None));
}

#[test]
fn a_megabyte_value_and_the_empty_field_are_like_others() {
    let limits = HashLimits::default();
    let long = vec![b'x'; 1 << 20];
    let mut hash = Hash::new();
    hash.set(Item::Bytes(b""), Item::Bytes(&long), Ttl::Clear, limits);
    assert_eq!(hash.get(Item::Bytes(b"")), Some(Item::Bytes(&long)));
    hash.set(Item::Bytes(b""), Item::Int(i64::MIN), Ttl::Keep, limits);
    assert_eq!(hash.get(Item::Bytes(b"")), Some(Item::Int(i64::MIN)));
    assert!(hash.heap_bytes() < 1000);
}

#[test]
fn malformed_snapshots_are_refused() {
    let odd = [9, 0, 0, 0, 1, 0, 5, 1, 0xFF];
    assert!(Hash::from_listpack(&odd, false, TINY).is_err());
    let twice = [15, 0, 0, 0, 4, 0, 5, 1, 6, 1, 5, 1, 6, 1, 0xFF];
    assert_eq!(Hash::from_listpack(&twice, false, TINY).err(), Some(Corrupt { offset: 10 }));
    let bad_deadline = [14, 0, 0, 0, 3, 0, 5, 1, 6, 1, 0x81, b'x', 2, 0xFF];
    assert!(Hash::from_listpack(&bad_deadline, true, TINY).is_err());
}

#[test]
fn a_snapshot_has_the_fields_in_the_order_of_their_deadlines() {
    let mut hash = filled(3, TINY);
    hash.set_deadline(Item::Int(2), Some(5));
    hash.set_deadline(Item::Int(1), Some(9));
    let loaded = reload(&hash, TINY);
    let names: Vec<Item<'_>> = loaded.iter().map(|field| field.name).collect();
    assert_eq!(names, [Item::Int(2), Item::Int(1), Item::Int(0)]);
}
