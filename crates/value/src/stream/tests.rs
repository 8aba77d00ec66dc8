use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

const LIMITS: StreamLimits = StreamLimits { block_bytes: 4096, block_entries: 10 };

fn add(stream: &mut Stream, ms: u64, seq: u64) -> Id {
    let fields = [(&b"field"[..], &b"value"[..])];
    stream.append(NewId::Exact(Id::new(ms, seq)), fields.into_iter(), LIMITS).unwrap()
}

fn numbered(n: u64) -> Stream {
    let mut stream = Stream::new();
    (1..=n).for_each(|ms| {
        add(&mut stream, ms, 0);
    });
    stream
}

fn ids<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Vec<u64> {
    entries.map(|entry| entry.id.ms).collect()
}

fn trim(to: TrimTo, approx: bool) -> Trim {
    Trim { to, approx, limit: 0, references: References::Keep }
}

#[derive(Clone, Debug)]
enum Op {
    Add(NewId, Pairs),
    Delete(prop::sample::Index),
    MaxLen(u64),
    MinId(prop::sample::Index),
    Range(u64, u64, u64, u64),
}

fn any_pairs() -> impl Strategy<Value = Pairs> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        bytes().prop_map(|value| vec![(b"a".to_vec(), value.clone()), (b"b".to_vec(), value)]),
        prop::collection::vec((bytes(), bytes()), 1..5),
    ]
}

fn any_new_id() -> impl Strategy<Value = NewId> {
    prop_oneof![
        (0u64..50).prop_map(|now_ms| NewId::Auto { now_ms }),
        (0u64..50).prop_map(|ms| NewId::AutoSeq { ms }),
        (0u64..50, any::<u64>()).prop_map(|(ms, seq)| NewId::Exact(Id::new(ms, seq >> 3))),
    ]
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (any_new_id(), any_pairs()).prop_map(|(id, pairs)| Op::Add(id, pairs)),
        4 => any::<prop::sample::Index>().prop_map(Op::Delete),
        1 => (0u64..60).prop_map(Op::MaxLen),
        1 => any::<prop::sample::Index>().prop_map(Op::MinId),
        2 => (0u64..60, 0u64..9, 0u64..60, 0u64..9).prop_map(|(a, b, c, d)| Op::Range(a, b, c, d)),
    ]
}

fn check(stream: &Stream, model: &BTreeMap<Id, Pairs>) {
    assert_eq!(stream.len(), model.len() as u64);
    assert_eq!(stream.first_id(), model.keys().next().copied().unwrap_or_default());
    let listed: Vec<_> = stream
        .range(Id::MIN, Id::MAX, false)
        .map(|entry| {
            let pairs = entry.fields().map(|(f, v)| (f.to_vec(), v.to_vec()));
            (entry.id, pairs.collect::<Pairs>())
        })
        .collect();
    assert!(listed.iter().map(|(id, pairs)| (id, pairs)).eq(model.iter()));
    assert!(listed.iter().all(|(id, _)| stream.get(*id).is_some()));
}

fn apply(stream: &mut Stream, model: &mut BTreeMap<Id, Pairs>, op: Op) {
    match op {
        Op::Add(id, pairs) => {
            let fields = pairs.iter().map(|(field, value)| (&field[..], &value[..]));
            let last = stream.last_id();
            if let Ok(id) = stream.append(id, fields, LIMITS) {
                assert!(id > last);
                model.insert(id, pairs);
            }
        }
        Op::Delete(index) if !model.is_empty() => {
            let id = *model.keys().nth(index.index(model.len())).unwrap();
            assert!(stream.delete(id) && !stream.delete(id));
            model.remove(&id);
        }
        Op::MaxLen(max) => {
            let over = model.len().saturating_sub(max as usize);
            assert_eq!(stream.trim(trim(TrimTo::MaxLen(max), false)), over as u64);
            (0..over).for_each(|_| drop(model.pop_first()));
        }
        Op::MinId(index) if !model.is_empty() => {
            let id = *model.keys().nth(index.index(model.len())).unwrap();
            stream.trim(trim(TrimTo::MinId(id), false));
            *model = model.split_off(&id);
        }
        Op::Range(a, b, c, d) => {
            let (start, end) = (Id::new(a, b), Id::new(c, d));
            let up: Vec<Id> = stream.range(start, end, false).map(|entry| entry.id).collect();
            let mut down: Vec<Id> = stream.range(start, end, true).map(|entry| entry.id).collect();
            down.reverse();
            assert_eq!(up, down);
            let expected = model.keys().filter(|&&id| start <= id && id <= end);
            assert!(expected.eq(up.iter()));
        }
        Op::Delete(_) | Op::MinId(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..Default::default() })]

    #[test]
    fn behaves_as_an_ordered_map(ops in prop::collection::vec(any_op(), 1..150)) {
        let (mut stream, mut model) = (Stream::new(), BTreeMap::new());
        for op in ops {
            apply(&mut stream, &mut model, op);
            check(&stream, &model);
        }
        let held: usize = stream.blocks.values().map(Block::heap_bytes).sum();
        assert_eq!(stream.block_bytes, held);
    }
}

#[test]
fn ids_only_grow() {
    let mut stream = Stream::new();
    let mut add = |id| {
        stream.append(id, [(&b"f"[..], &b"v"[..])].into_iter(), LIMITS).map(|id| (id.ms, id.seq))
    };
    assert_eq!(add(NewId::Exact(Id::MIN)), Err(AppendError::Zero));
    assert_eq!(add(NewId::AutoSeq { ms: 0 }), Ok((0, 1)));
    assert_eq!(add(NewId::Auto { now_ms: 5 }), Ok((5, 0)));
    assert_eq!(add(NewId::Auto { now_ms: 3 }), Ok((5, 1)));
    assert_eq!(add(NewId::AutoSeq { ms: 4 }), Err(AppendError::NotGreater));
    assert_eq!(add(NewId::Exact(Id::new(5, u64::MAX))), Ok((5, u64::MAX)));
    assert_eq!(add(NewId::AutoSeq { ms: 5 }), Err(AppendError::NotGreater));
    assert_eq!(add(NewId::Auto { now_ms: 5 }), Ok((6, 0)));
    assert_eq!(add(NewId::Exact(Id::MAX)), Ok((u64::MAX, u64::MAX)));
    assert_eq!(add(NewId::Auto { now_ms: 5 }), Err(AppendError::Exhausted));
}

#[test]
fn an_approximate_trim_removes_whole_blocks_within_its_limit() {
    let mut stream = numbered(95);
    assert_eq!(stream.trim(trim(TrimTo::MaxLen(42), true)), 50);
    assert_eq!(stream.trim(Trim { limit: 15, ..trim(TrimTo::MaxLen(0), true) }), 10);
    assert_eq!(stream.trim(trim(TrimTo::MinId(Id::new(75, 0)), true)), 10);
    assert_eq!((stream.first_id(), stream.len()), (Id::new(71, 0), 25));
    assert_eq!(stream.max_deleted_id(), Id::MIN);
}

#[test]
fn a_group_delivers_each_entry_once_until_it_is_claimed() {
    let mut stream = numbered(30);
    stream.create_group(b"g", Id::MIN, Some(0));
    let mut seen = Vec::new();
    stream.deliver(b"g", b"alice", 10, false, 1000, |entry| {
        seen.push(entry.id.ms);
        true
    });
    stream.deliver(b"g", b"bob", 10, false, 1500, |entry| {
        seen.push(entry.id.ms);
        true
    });
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
    let group = stream.group(b"g").unwrap();
    assert_eq!((group.pending_len(), group.entries_read), (20, Some(20)));
    assert_eq!(stream.lag(group), Some(10));

    let claim = Claim { min_idle_ms: 600, ..Claim::default() };
    assert_eq!(stream.claim(b"g", b"carol", Id::new(3, 0), claim, 1700), Some(Claimed::Done));
    assert_eq!(stream.claim(b"g", b"carol", Id::new(13, 0), claim, 1700), Some(Claimed::Left));
    assert_eq!(stream.claim(b"g", b"carol", Id::new(25, 0), claim, 1700), Some(Claimed::Left));
    let force = Claim { force: true, just_id: true, ..claim };
    assert_eq!(stream.claim(b"g", b"carol", Id::new(25, 0), force, 1700), Some(Claimed::Done));
    let group = stream.group_mut(b"g").unwrap();
    let (nack, name) = group.nack(Id::new(3, 0)).unwrap();
    assert_eq!((nack.delivered_ms, nack.count, name), (1700, 2, &b"carol"[..]));
    assert!(group.ack(Id::new(3, 0)) && !group.ack(Id::new(3, 0)));
    assert_eq!(group.delete_consumer(b"bob"), Some(10));
    assert_eq!(group.pending_len(), 10);
    let held: Vec<_> = group.consumers().map(|c| (c.name(), c.pending().len())).collect();
    assert_eq!(held, [(&b"alice"[..], 9), (&b"carol"[..], 1)]);
    group.create_consumer(b"dave", 0);
    assert_eq!(group.consumer(b"alice").unwrap().pending().len(), 9);
}

#[test]
fn pending_entries_are_replayed_with_deleted_ones_marked() {
    let mut stream = numbered(5);
    stream.create_group(b"g", Id::MIN, None);
    stream.deliver(b"g", b"c", 0, false, 10, |_| true);
    stream.delete(Id::new(2, 0));
    let mut seen = Vec::new();
    let count = stream.replay(b"g", b"c", Id::new(1, 0), 2, 20, |id, entry| {
        seen.push((id.ms, entry.is_some()));
        true
    });
    assert_eq!((count, seen), (Some(2), vec![(2, false), (3, true)]));
    let (nack, _) = stream.group(b"g").unwrap().nack(Id::new(3, 0)).unwrap();
    assert_eq!((nack.count, nack.delivered_ms), (2, 20));
}

#[test]
fn an_automatic_claim_goes_on_where_it_stopped() {
    let mut stream = numbered(8);
    stream.create_group(b"g", Id::MIN, None);
    stream.deliver(b"g", b"c", 0, false, 10, |_| true);
    stream.delete(Id::new(2, 0));
    let mut auto = |start, limit| {
        let claim = Claim { min_idle_ms: 5, ..Claim::default() };
        let result = stream.auto_claim(b"g", b"d", start, limit, claim, 100).unwrap();
        let ms = |ids: Vec<Id>| ids.into_iter().map(|id| id.ms).collect::<Vec<_>>();
        (result.next.ms, ms(result.claimed), ms(result.deleted))
    };
    assert_eq!(auto(Id::MIN, 3), (4, vec![1, 3], vec![2]));
    assert_eq!(auto(Id::new(4, 0), 10), (0, vec![4, 5, 6, 7, 8], vec![]));
    // All are fresh now; ten looks per wanted entry are more than there are.
    assert_eq!(auto(Id::MIN, 1), (0, vec![], vec![]));
}

#[test]
fn deletion_minds_deliveries_as_told() {
    let mut stream = numbered(4);
    stream.create_group(b"g", Id::MIN, None);
    stream.create_group(b"h", Id::MIN, None);
    stream.deliver(b"g", b"c", 3, false, 10, |_| true);
    stream.deliver(b"h", b"c", 2, false, 10, |_| true);
    let id = |ms| Id::new(ms, 0);
    assert_eq!(stream.delete_with(id(9), References::Keep), Deleted::Absent);
    assert_eq!(stream.delete_with(id(1), References::Acked), Deleted::Referenced);
    assert_eq!(stream.delete_with(id(1), References::Delete), Deleted::Done);
    assert_eq!(stream.group(b"g").unwrap().pending_len(), 2);
    assert_eq!(stream.ack_delete(b"g", id(2), References::Acked), Deleted::Referenced);
    assert_eq!(stream.ack_delete(b"h", id(2), References::Acked), Deleted::Done);
    assert_eq!(stream.ack_delete(b"h", id(2), References::Acked), Deleted::Absent);
    // The second group has not read it yet.
    assert_eq!(stream.ack_delete(b"g", id(3), References::Acked), Deleted::Referenced);
    let acked = Trim { references: References::Acked, ..trim(TrimTo::MaxLen(0), false) };
    assert_eq!(stream.trim(acked), 0);
    assert_eq!(ids(stream.range(Id::MIN, Id::MAX, false)), [3, 4]);
}

#[test]
fn lag_is_unknown_only_where_deletions_hide_it() {
    let mut stream = numbered(10);
    stream.create_group(b"g", Id::new(3, 0), None);
    assert_eq!(stream.lag(stream.group(b"g").unwrap()), None);
    stream.deliver(b"g", b"c", 1, true, 0, |_| true);
    assert_eq!(stream.lag(stream.group(b"g").unwrap()), None);
    stream.deliver(b"g", b"c", 0, true, 0, |_| true);
    assert_eq!(stream.lag(stream.group(b"g").unwrap()), Some(0));
    stream.set_group_id(b"g", Id::MIN, Some(0));
    assert_eq!(stream.lag(stream.group(b"g").unwrap()), Some(10));
    stream.delete(Id::new(1, 0));
    assert_eq!(stream.lag(stream.group(b"g").unwrap()), Some(9));
    stream.delete(Id::new(5, 0));
    assert_eq!(stream.lag(stream.group(b"g").unwrap()), None);
}

#[test]
fn entries_of_the_same_fields_take_little_more_than_their_values() {
    let mut stream = Stream::new();
    for i in 0..100_000u64 {
        let value = format!("{i:010}");
        let fields = [(&b"temperature"[..], value.as_bytes()), (&b"humidity"[..], &b"50"[..])];
        let id = NewId::Auto { now_ms: 1_700_000_000_000 + i };
        stream.append(id, fields.into_iter(), StreamLimits::default()).unwrap();
    }
    let per_entry = stream.heap_bytes() as f64 / 100_000.0;
    assert!(per_entry < 23.0, "{per_entry} bytes for 12 of values");
}

#[test]
fn counters_can_be_set_only_to_what_could_be() {
    let mut stream = numbered(10);
    stream.delete(Id::new(10, 0));
    assert_eq!(stream.set_id(Id::new(8, 0), None, None), Err(SetIdError::SmallerThanEntry));
    assert_eq!(stream.set_id(Id::new(9, 0), None, None), Err(SetIdError::SmallerThanDeleted));
    assert_eq!(stream.set_id(Id::new(20, 0), Some(5), None), Err(SetIdError::TooFewAdded));
    assert_eq!(stream.set_id(Id::new(20, 0), Some(50), Some(Id::new(15, 0))), Ok(()));
    assert_eq!((stream.last_id().ms, stream.entries_added()), (20, 50));
}
