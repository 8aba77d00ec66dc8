use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const TINY: SetLimits =
    SetLimits { max_intset_entries: 6, max_listpack_entries: 8, max_listpack_value: 10 };

fn set_of(texts: &[&str], limits: SetLimits) -> Set {
    let first = Item::parse(texts[0].as_bytes());
    let mut set = Set::for_items(first, 1, limits);
    texts.iter().for_each(|text| {
        set.insert(Item::parse(text.as_bytes()), limits);
    });
    set
}

fn check(set: &Set, model: &BTreeSet<Vec<u8>>) {
    assert_eq!(set.len(), model.len());
    let members: BTreeSet<Vec<u8>> = set.iter().map(Item::to_vec).collect();
    assert_eq!(&members, model);
    assert!(model.iter().all(|text| set.contains(Item::parse(text))));
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (-9i64..9).prop_map(|n| n.to_string().into_bytes()),
        any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        (0u32..30).prop_map(|n| format!("m{n}").into_bytes()),
        prop_oneof![Just("-0"), Just("01"), Just("+1"), Just("")].prop_map(|s| s.into()),
        (0usize..200).prop_map(|n| vec![b'z'; n]),
    ]
}

fn reload(set: &Set, limits: SetLimits) -> Set {
    let mut bytes = Vec::new();
    match set.form() {
        SetForm::Intset(blob) => {
            blob.write(&mut bytes);
            Set::from_intset(&bytes, limits).unwrap()
        }
        SetForm::Listpack(blob) => {
            blob.write(&mut bytes);
            Set::from_listpack(&bytes, limits).unwrap()
        }
        SetForm::Members => set.clone(),
    }
}

proptest! {
    #[test]
    fn a_set_behaves_like_a_set(
        ops in prop::collection::vec((0u8..9, text(), any::<u64>()), 1..200),
        tiny in any::<bool>(),
    ) {
        let limits = if tiny { TINY } else { SetLimits::default() };
        let (mut set, mut model) = (Set::new(), BTreeSet::new());
        for (op, text, word) in ops {
            match op {
                0..5 => assert_eq!(set.insert(Item::parse(&text), limits), model.insert(text)),
                5 | 6 => assert_eq!(set.remove(Item::parse(&text)), model.remove(&text)),
                7 => {
                    let member = set.random(word).map(Item::to_vec);
                    assert_eq!(member.is_none(), model.is_empty());
                    assert!(member.iter().all(|member| model.contains(member)));
                    let popped = set.pop_random(word, |item| item.to_vec());
                    assert!(popped.iter().all(|member| model.remove(member)));
                    assert_eq!(popped, member);
                }
                _ => set = reload(&set, limits),
            }
            check(&set, &model);
        }
        set.make_intset(limits);
        check(&set, &model);
    }

    #[test]
    fn batches_do_what_is_done_one_by_one(
        texts in prop::collection::vec(text(), 0..100),
        others in prop::collection::vec(text(), 1..100),
        reserved in 0usize..300,
    ) {
        let mut set = Set::new();
        let items = || texts.iter().map(|text| Item::parse(text));
        for batch in Batch::all(items()) {
            set.insert_batch(&batch, TINY);
            set.reserve(reserved);
        }
        set.fit();
        let mut single = Set::new();
        items().for_each(|item| {
            single.insert(item, TINY);
        });
        prop_assert_eq!(set.encoding(), single.encoding());
        check(&set, &texts.iter().cloned().collect());
        let common: Vec<Vec<u8>> = Batch::all(others.iter().map(|text| Item::parse(text)))
            .flat_map(|mut batch| {
                batch.keep(&set);
                batch.into_items().map(Item::to_vec).collect::<Vec<_>>()
            })
            .collect();
        let missing: Vec<Vec<u8>> = Batch::all(others.iter().map(|text| Item::parse(text)))
            .flat_map(|mut batch| {
                batch.strike(&set);
                batch.into_items().map(Item::to_vec).collect::<Vec<_>>()
            })
            .collect();
        let (here, absent): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|text| texts.contains(text));
        prop_assert_eq!((common, missing), (here, absent));
    }
}

#[test]
fn encodings_change_by_redis_rules() {
    assert_eq!(set_of(&["1", "2"], TINY).encoding(), "intset");
    assert_eq!(set_of(&["1", "x"], TINY).encoding(), "listpack");
    assert_eq!(set_of(&["x", "1"], TINY).encoding(), "listpack");
    // More integers than allowed go straight to the table.
    let mut set = set_of(&["1", "2", "3", "4", "5", "6"], TINY);
    assert_eq!(set.encoding(), "intset");
    set.insert(Item::Int(7), TINY);
    assert_eq!(set.encoding(), "hashtable");
    // A text that is too long, or an integer that would be.
    assert_eq!(set_of(&["x", "01234567890"], TINY).encoding(), "hashtable");
    assert_eq!(set_of(&["1", "01234567890"], TINY).encoding(), "hashtable");
    assert_eq!(set_of(&["-9876543210", "x"], TINY).encoding(), "hashtable");
    assert_eq!(set_of(&["9876543210", "x"], TINY).encoding(), "listpack");
    let full = ["a", "b", "c", "d", "e", "f", "g", "h"];
    assert_eq!(set_of(&full, TINY).encoding(), "listpack");
    assert_eq!(set_of(&[&full[..], &["i"]].concat(), TINY).encoding(), "hashtable");
}

#[test]
fn the_number_of_arguments_decides_beforehand() {
    let name =
        |first: &str, count| Set::for_items(Item::parse(first.as_bytes()), count, TINY).encoding();
    assert_eq!((name("1", 6), name("1", 7), name("1", 9)), ("intset", "listpack", "hashtable"));
    assert_eq!((name("x", 8), name("x", 9)), ("listpack", "hashtable"));
    let mut set = set_of(&["1"], TINY);
    set.before_growth(7, TINY);
    assert_eq!(set.encoding(), "hashtable");
    set.make_intset(TINY);
    assert_eq!(set.encoding(), "intset");
}

#[test]
fn a_scan_sees_every_lasting_member_while_the_table_grows_and_shrinks() {
    let limits = TINY;
    let mut set = Set::new();
    (0..3000).for_each(|n| {
        set.insert(Item::Int(n), limits);
    });
    let (mut seen, mut cursor, mut turn) = (BTreeSet::new(), 0, 0i64);
    loop {
        cursor = set.scan(cursor, 10, |item| {
            seen.insert(item.as_int().unwrap());
        });
        if cursor == 0 {
            break;
        }
        turn += 1;
        if turn < 100 {
            (0..50).for_each(|n| {
                set.insert(Item::Int(10_000 + turn * 50 + n), limits);
            });
        } else {
            (1000..3000).for_each(|n| {
                set.remove(Item::Int(n));
            });
        }
    }
    assert!((0..1000).all(|n| seen.contains(&n)));
}

#[test]
fn random_members_are_evenly_distributed() {
    use rand::{Rng, SeedableRng};
    let mut rng = rand::rngs::SmallRng::seed_from_u64(7);
    for limits in [SetLimits::default(), TINY] {
        for prefix in ["", "m"] {
            let texts: Vec<String> = (0..50).map(|n| format!("{prefix}{n}")).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let set = set_of(&texts, limits);
            let mut counts = BTreeMap::new();
            for _ in 0..50_000 {
                *counts.entry(set.random(rng.random()).unwrap().to_vec()).or_insert(0) += 1;
            }
            // 1000 expected, standard deviation 31.
            assert!(counts.len() == 50 && counts.values().all(|n| (820..1180).contains(n)));
        }
    }
}

#[test]
fn a_listpack_with_a_member_twice_is_refused() {
    let listpack = [11, 0, 0, 0, 2, 0, 5, 1, 5, 1, 0xFF];
    assert_eq!(Set::from_listpack(&listpack, TINY).err(), Some(Corrupt { offset: 8 }));
}

#[test]
fn a_megabyte_member_and_the_empty_one_are_members_like_others() {
    let long = "x".repeat(1 << 20);
    let mut set = set_of(&["", &long], SetLimits::default());
    assert_eq!((set.encoding(), set.len()), ("hashtable", 2));
    assert!(set.heap_bytes() > 1 << 20);
    assert!(set.remove(Item::Bytes(long.as_bytes())) && set.remove(Item::Bytes(b"")));
    assert!(set.is_empty() && set.heap_bytes() < 1000);
}

#[test]
fn members_expire_in_order_of_their_times() {
    let mut set = Set::new();
    (0..20).for_each(|int| assert!(set.insert(Item::Int(int), SetLimits::default())));
    assert!(!set.set_deadline(Item::Int(20), Some(5)));
    assert!(set.set_deadline(Item::Int(1), None));
    assert_eq!(set.encoding(), "intset");
    (0..10).for_each(|int| assert!(set.set_deadline(Item::Int(int), Some(100 - int))));
    assert!(set.set_deadline(Item::Int(9), None));
    set.remove(Item::Int(8));
    assert_eq!((set.encoding(), set.next_expiry()), ("hashtable", Some(93)));
    let mut gone = Vec::new();
    assert_eq!(set.expire_due(96, 10, |item| gone.push(item.as_int())), 3);
    assert_eq!(gone, [Some(7), Some(6), Some(5)]);
    assert_eq!(set.deadline(Item::Int(4)), Some(96));
    assert_eq!(set.deadline(Item::Int(15)), None);
    assert_eq!(set.expire_due(1000, 2, |_| ()), 2);
    assert_eq!(set.clone().expire_due(1000, 100, |_| ()), 3);
    assert_eq!(set.len(), 14);
    while set.pop_random(7, |_| ()).is_some() {}
    assert_eq!(set.next_expiry(), None);
}

#[test]
fn members_in_the_order_of_another_set_are_added_as_fast_as_any() {
    let limits = SetLimits::default();
    let start = std::time::Instant::now();
    let mut from = Set::new();
    for number in 0..300_000i64 {
        from.insert(Item::Bytes(format!("member:{number}").as_bytes()), limits);
    }
    let built = start.elapsed();
    let start = std::time::Instant::now();
    let mut to = Set::new();
    from.iter().for_each(|item| {
        to.insert(item, limits);
    });
    let copy = to.clone();
    // Twice as much work; a quadratic time would be hundreds of times as long.
    assert!(start.elapsed() < 20 * built, "{:?}, {built:?}", start.elapsed());
    assert_eq!((to.len(), copy.len()), (from.len(), from.len()));
}
