use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

const SMALL: ListLimits = ListLimits::new(5);

fn item(text: &[u8]) -> Item<'_> {
    Item::parse(text)
}

fn push(list: &mut List, text: &[u8], limits: ListLimits) {
    list.before_growth(1, text.len(), limits);
    list.push_back(item(text), limits);
}

fn texts(list: &List) -> Vec<Vec<u8>> {
    list.iter().map(Item::to_vec).collect()
}

fn check(list: &List, model: &VecDeque<Vec<u8>>) {
    if let Form::Chunks(chunks) = &list.0 {
        chunks.check();
    }
    assert_eq!(list.len(), model.len());
    assert!(list.iter().map(Item::to_vec).eq(model.iter().cloned()));
    assert!(list.iter_back_from(usize::MAX).map(Item::to_vec).eq(model.iter().rev().cloned()));
    let middle = model.len() / 2;
    let expected = model.get(middle).cloned();
    assert_eq!(list.get(middle).map(Item::to_vec), expected);
    assert_eq!(list.iter_from(middle).next().map(Item::to_vec), expected);
    assert_eq!(list.iter_from(middle).len(), model.len() - middle);
    assert_eq!(list.iter_from(middle).count(), model.len() - middle);
    if !model.is_empty() {
        assert_eq!(list.iter_back_from(middle).count(), middle + 1);
    }
    assert_eq!(list.get(model.len()), None);
}

#[derive(Clone, Debug)]
enum Op {
    PushFront(Vec<u8>),
    PushBack(Vec<u8>),
    PopFront,
    PopBack,
    Set(usize, Vec<u8>),
    Insert(usize, Vec<u8>),
    InsertBeside(Vec<u8>, bool, Vec<u8>),
    Remove(Vec<u8>, i64),
    Trim(usize, usize),
    Reload,
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0..20u32).prop_map(|n| format!("item:{n:04}").into_bytes()),
        2 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        2 => (-200i64..200).prop_map(|n| n.to_string().into_bytes()),
        1 => prop_oneof![Just("-0"), Just("01"), Just("+1"), Just("")].prop_map(|s| s.into()),
        1 => (0usize..300).prop_map(|n| vec![b'z'; n]),
        1 => (8000usize..9000).prop_map(|n| vec![b'z'; n]),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => text().prop_map(Op::PushFront),
        6 => text().prop_map(Op::PushBack),
        2 => Just(Op::PopFront),
        2 => Just(Op::PopBack),
        3 => (any::<usize>(), text()).prop_map(|(i, t)| Op::Set(i, t)),
        3 => (any::<usize>(), text()).prop_map(|(i, t)| Op::Insert(i, t)),
        1 => (text(), any::<bool>(), text()).prop_map(|(p, b, t)| Op::InsertBeside(p, b, t)),
        1 => (text(), -3i64..4).prop_map(|(t, n)| Op::Remove(t, n)),
        1 => (0usize..4, 0usize..4).prop_map(|(a, b)| Op::Trim(a, b)),
        1 => Just(Op::Reload),
    ]
}

fn reload(list: &List, limits: ListLimits) -> List {
    let mut loaded = List::new();
    for node in list.nodes() {
        if let Some(plain) = node.plain(limits) {
            loaded.before_growth(1, plain.len(), limits);
            loaded.push_back(Item::Bytes(plain), limits);
        } else {
            let mut listpack = Vec::new();
            node.write_listpack(&mut listpack);
            loaded.append_listpack(&listpack, limits).unwrap();
        }
    }
    loaded.settle(limits);
    loaded
}

fn apply(list: &mut List, model: &mut VecDeque<Vec<u8>>, op: Op, limits: ListLimits) {
    match op {
        Op::PushFront(text) => {
            list.before_growth(1, text.len(), limits);
            list.push_front(item(&text), limits);
            model.push_front(text);
        }
        Op::PushBack(text) => {
            push(list, &text, limits);
            model.push_back(text);
        }
        Op::PopFront => assert_eq!(list.pop_front(limits, |item| item.to_vec()), model.pop_front()),
        Op::PopBack => assert_eq!(list.pop_back(limits, |item| item.to_vec()), model.pop_back()),
        Op::Set(index, text) if !model.is_empty() => {
            let index = index % model.len();
            list.before_growth(1, text.len(), limits);
            assert!(list.set(index, item(&text), limits));
            model[index] = text;
        }
        Op::Set(index, text) => assert!(!list.set(index, item(&text), limits)),
        Op::Insert(index, text) => {
            let index = index % (model.len() + 1);
            list.before_growth(1, text.len(), limits);
            assert!(list.insert(index, item(&text), limits));
            model.insert(index, text);
        }
        Op::InsertBeside(pivot, after, text) => {
            list.before_growth(1, text.len(), limits);
            let side = if after { Side::After } else { Side::Before };
            let at = model.iter().position(|entry| *entry == pivot);
            assert_eq!(list.insert_beside(item(&pivot), side, item(&text), limits), at.is_some());
            if let Some(at) = at {
                model.insert(at + usize::from(after), text);
            }
        }
        Op::Remove(text, count) => {
            let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
            let mut found: Vec<usize> = (0..model.len()).filter(|at| model[*at] == text).collect();
            if count < 0 {
                found.reverse();
            }
            found.truncate(most);
            found.sort_unstable();
            found.iter().rev().for_each(|at| {
                model.remove(*at);
            });
            assert_eq!(list.remove(item(&text), count, limits), found.len());
        }
        Op::Trim(front, back) => {
            let end = model.len().saturating_sub(back);
            list.trim(front, end, limits);
            *model = model.drain(..).take(end).skip(front).collect();
        }
        Op::Reload => *list = reload(list, limits),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_list_behaves_like_a_deque(
        ops in prop::collection::vec(op(), 1..120),
        size in prop_oneof![Just(-2i64), Just(-1), Just(1), Just(5), Just(40), Just(0)],
    ) {
        let limits = ListLimits::new(size);
        let (mut list, mut model) = (List::new(), VecDeque::new());
        for op in ops {
            apply(&mut list, &mut model, op, limits);
            check(&list, &model);
        }
        check(&list.clone(), &model);
    }
}

#[test]
fn encodings_change_at_redis_limits() {
    let mut list = List::new();
    for n in 0..5 {
        push(&mut list, format!("{n}").as_bytes(), SMALL);
        assert_eq!(list.encoding(), "listpack");
    }
    push(&mut list, b"x", SMALL);
    assert_eq!(list.encoding(), "quicklist");
    // One chunk must be left, with at most half of five.
    for _ in 0..4 {
        list.pop_front(SMALL, |_| ());
        assert_eq!(list.encoding(), "quicklist");
    }
    list.pop_front(SMALL, |_| ());
    assert_eq!((list.encoding(), list.len()), ("listpack", 1));
    (0..5).for_each(|_| push(&mut list, b"y", SMALL));
    assert_eq!(list.encoding(), "quicklist");
    (0..3).for_each(|_| list.pop_back(SMALL, |_| ()).unwrap());
    assert_eq!((list.encoding(), list.len()), ("quicklist", 3));
    list.pop_back(SMALL, |_| ());
    assert_eq!((list.encoding(), list.len()), ("listpack", 2));
}

#[test]
fn byte_limits_count_texts_and_framing_as_redis_does() {
    // Redis adds the new texts' bare lengths to the size of the listpack so far.
    let limits = ListLimits::new(-1);
    let mut list = List::new();
    push(&mut list, &[b'a'; 4096 - 7], limits);
    assert_eq!(list.encoding(), "listpack");
    let mut list = List::new();
    push(&mut list, &[b'a'; 4096 - 6], limits);
    assert_eq!(list.encoding(), "quicklist");
}

#[test]
fn a_large_text_gets_a_chunk_of_its_own() {
    let limits = ListLimits::default();
    let mut list = List::new();
    push(&mut list, b"small", limits);
    push(&mut list, &vec![b'x'; 1 << 20], limits);
    push(&mut list, b"after", limits);
    assert_eq!((list.encoding(), list.free_cost()), ("quicklist", 3));
    assert_eq!(list.get(1).map(Item::text_len), Some(1 << 20));
    list.set(1, Item::Int(i64::MIN), limits);
    list.pop_back(limits, |_| ());
    assert_eq!(texts(&list), [b"small".to_vec(), b"-9223372036854775808".to_vec()]);
}

#[test]
fn a_long_list_is_seekable_and_editable_anywhere() {
    let limits = ListLimits::default();
    let (mut list, mut model) = (List::new(), VecDeque::new());
    for n in 0..60_000u32 {
        let text = format!("item:{n}").into_bytes();
        push(&mut list, &text, limits);
        model.push_back(text);
    }
    for step in 0..300usize {
        let at = step * 7919 % model.len();
        let text = format!("new:{step}").into_bytes();
        match step % 3 {
            0 => {
                list.insert(at, item(&text), limits);
                model.insert(at, text);
            }
            1 => {
                list.set(at, item(&text), limits);
                model[at] = text;
            }
            _ => {
                let gone = model.remove(at).unwrap();
                assert_eq!(list.remove(item(&gone), 1, limits), 1);
            }
        }
    }
    check(&list, &model);
    for at in (0..model.len()).step_by(997) {
        assert_eq!(list.get(at).map(Item::to_vec).as_ref(), model.get(at));
    }
    list.trim(20_000, 20_010, limits);
    assert_eq!(list.encoding(), "listpack");
    assert_eq!(texts(&list), model.range(20_000..20_010).cloned().collect::<Vec<_>>());
}

#[test]
fn huge_indexes_find_nothing() {
    let mut list = List::new();
    push(&mut list, b"a", SMALL);
    assert_eq!(list.get(usize::MAX), None);
    assert!(!list.set(usize::MAX, Item::Int(1), SMALL));
    assert!(!list.insert(usize::MAX, Item::Int(1), SMALL));
    assert_eq!(list.iter_from(usize::MAX).count(), 0);
    assert_eq!(list.iter_back_from(usize::MAX).count(), 1);
    assert_eq!(list.remove(Item::Bytes(b"a"), i64::MIN, SMALL), 1);
    list.trim(0, usize::MAX, SMALL);
    assert!(list.is_empty());
    assert_eq!(list.iter_back_from(0).count(), 0);
}

#[test]
fn a_list_is_dropped_in_slices() {
    let mut list = List::new();
    for n in 0..100 {
        push(&mut list, format!("{n}").as_bytes(), SMALL);
    }
    assert!(!list.shed(3));
    assert_eq!(list.len(), 85);
    assert!(list.shed(1000));
}
