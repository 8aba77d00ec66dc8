use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::stream::{NewId, StreamLimits};

const ENTRIES: u64 = 12;

fn id(ms: u64) -> Id {
    Id::new(ms, 0)
}

fn stream() -> Stream {
    let mut stream = Stream::new();
    for ms in 1..=ENTRIES {
        let fields = [(&b"f"[..], &b"v"[..])];
        let limits = StreamLimits::default();
        stream.append(NewId::Exact(id(ms)), fields.into_iter(), limits).unwrap();
    }
    stream.create_group(b"g", Id::MIN, None);
    stream
}

#[derive(Clone, Debug)]
enum Op {
    Deliver(u8, usize),
    Ack(u64),
    Release(u64, Recount, bool),
    Claim(u8, u64, u64),
    ClaimIdle(u8, u64, usize),
    Leave(u8),
    Delete(u64),
}

fn any_op() -> impl Strategy<Value = Op> {
    let entry = || 1..=ENTRIES;
    let recount = prop_oneof![
        Just(Recount::Less),
        Just(Recount::Same),
        (0u64..5).prop_map(Recount::To),
        Just(Recount::To(COUNT)),
    ];
    prop_oneof![
        3 => (0u8..3, 0usize..4).prop_map(|(c, n)| Op::Deliver(c, n)),
        2 => entry().prop_map(Op::Ack),
        3 => (entry(), recount, any::<bool>()).prop_map(|(e, r, f)| Op::Release(e, r, f)),
        3 => (0u8..3, entry(), 0u64..60).prop_map(|(c, e, idle)| Op::Claim(c, e, idle)),
        4 => (0u8..3, 0u64..60, 0usize..4).prop_map(|(c, idle, n)| Op::ClaimIdle(c, idle, n)),
        1 => (0u8..3).prop_map(Op::Leave),
        1 => entry().prop_map(Op::Delete),
    ]
}

const COUNT: u64 = crate::stream::COUNT_MAX;

/// What is pending: who holds it (`None`: nobody, with its place among those), since when, how often.
#[derive(Default)]
struct Model {
    pending: BTreeMap<u64, (Option<u8>, u64, u64)>,
    last: u64,
    released: u64,
}

impl Model {
    fn hold(&mut self, entry: u64, consumer: u8, now_ms: u64, count: u64) {
        self.pending.insert(entry, (Some(consumer), now_ms, count.min(COUNT)));
    }

    /// What a claim of idle ones takes, in its order.
    fn idle(&self, min_idle_ms: u64, now_ms: u64) -> Vec<u64> {
        let mut all: Vec<_> = self
            .pending
            .iter()
            .filter(|(_, (owner, at, _))| owner.is_none() || now_ms - at >= min_idle_ms)
            .map(|(&entry, &(owner, at, _))| (owner.is_some(), at, entry))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, _, entry)| entry).collect()
    }
}

fn claim_idle(
    stream: &mut Stream,
    model: &mut Model,
    op: (u8, u64, usize),
    gone: &[u64],
    now_ms: u64,
) {
    let (consumer, min_idle_ms, limit) = op;
    let expected = model.idle(min_idle_ms, now_ms);
    let (mut seen, mut wanted) = (Vec::new(), Vec::new());
    stream.claim_idle(b"g", &[consumer], min_idle_ms, limit, now_ms, |_, entry, nack| {
        let Some(entry) = entry else { return true };
        seen.push((entry.id.ms, nack.count, nack.idle_ms(now_ms)));
        true
    });
    for entry in expected {
        if limit > 0 && wanted.len() == limit {
            break;
        }
        let (owner, at, count) = model.pending[&entry];
        if gone.contains(&entry) {
            model.pending.remove(&entry);
            continue;
        }
        wanted.push((entry, count, owner.map(|_| now_ms - at)));
        model.hold(entry, consumer, now_ms, count + 1);
    }
    assert_eq!(seen, wanted);
}

fn release(stream: &mut Stream, model: &mut Model, op: (u64, Recount, bool), gone: &[u64]) {
    let (entry, count, force) = op;
    let known = model.pending.get(&entry).map(|(_, _, count)| *count);
    let done = known.is_some() || force && !gone.contains(&entry);
    assert_eq!(stream.release(b"g", id(entry), count, force), Some(done));
    if done {
        let before = known.unwrap_or(0);
        let count = match count {
            Recount::Less => before.saturating_sub(1),
            Recount::Same => before,
            Recount::To(count) => count,
        };
        model.released += 1;
        model.pending.insert(entry, (None, model.released, count));
    }
}

fn claim(stream: &mut Stream, model: &mut Model, op: (u8, u64, u64), gone: &[u64], now_ms: u64) {
    let (consumer, entry, min_idle_ms) = op;
    let claim = Claim { min_idle_ms, ..Claim::default() };
    let done = stream.claim(b"g", &[consumer], id(entry), claim, now_ms);
    match model.pending.get(&entry).copied() {
        Some(_) if gone.contains(&entry) => {
            assert_eq!(done, Some(Claimed::Gone));
            model.pending.remove(&entry);
        }
        Some((owner, at, count)) if owner.is_none() || now_ms - at >= min_idle_ms => {
            assert_eq!(done, Some(Claimed::Done));
            model.hold(entry, consumer, now_ms, count + 1);
        }
        _ => assert_eq!(done, Some(Claimed::Left)),
    }
}

proptest! {
    #[test]
    fn idle_deliveries_come_in_the_order_of_a_plain_list(
        ops in prop::collection::vec((any_op(), 0u64..40), 1..120),
    ) {
        let (mut stream, mut model, mut gone) = (stream(), Model::default(), Vec::new());
        let mut now_ms = 1_000_000;
        for (op, pause) in ops {
            now_ms += pause;
            match op {
                Op::Deliver(consumer, limit) => {
                    let seen = &mut Vec::new();
                    stream.deliver(b"g", &[consumer], limit, false, now_ms, |entry| {
                        seen.push(entry.id.ms);
                        true
                    });
                    model.last = seen.last().copied().unwrap_or(model.last);
                    seen.iter().for_each(|&entry| model.hold(entry, consumer, now_ms, 1));
                }
                Op::Ack(entry) => {
                    let acked = stream.group_mut(b"g").unwrap().ack(id(entry));
                    prop_assert_eq!(acked, model.pending.remove(&entry).is_some());
                }
                Op::Release(entry, count, force) => {
                    release(&mut stream, &mut model, (entry, count, force), &gone);
                }
                Op::Claim(consumer, entry, min_idle_ms) => {
                    claim(&mut stream, &mut model, (consumer, entry, min_idle_ms), &gone, now_ms);
                }
                Op::ClaimIdle(consumer, min_idle_ms, limit) => {
                    let op = (consumer, min_idle_ms, limit);
                    claim_idle(&mut stream, &mut model, op, &gone, now_ms);
                }
                Op::Leave(consumer) => {
                    stream.group_mut(b"g").unwrap().delete_consumer(&[consumer]);
                    model.pending.retain(|_, (owner, _, _)| *owner != Some(consumer));
                }
                Op::Delete(entry) => {
                    if stream.delete(id(entry)) {
                        gone.push(entry);
                    }
                }
            }
            let group = stream.group(b"g").unwrap();
            let held: Vec<_> = group
                .pending(Id::MIN, Id::MAX)
                .map(|(id, nack, name)| (id.ms, name.first().copied(), nack.count))
                .collect();
            let expected = model.pending.iter().map(|(&entry, &(owner, _, count))| (entry, owner, count));
            prop_assert_eq!(held, expected.collect::<Vec<_>>());
            let of_consumers: usize = group.consumers().map(|one| one.pending().len()).sum();
            prop_assert_eq!(of_consumers + group.released().len(), group.pending_len());
        }
        let first = model.idle(0, now_ms).first().map(|entry| match model.pending[entry] {
            (None, _, _) => 0,
            (Some(_), at, _) => at + 7,
        });
        prop_assert_eq!(stream.idle_from(b"g", 7), first);
    }
}

#[test]
fn a_claim_of_idle_ones_stops_when_no_more_is_wanted() {
    let mut stream = stream();
    stream.deliver(b"g", b"c", 3, false, 10, |_| true);
    let mut seen = Vec::new();
    let count = stream.claim_idle(b"g", b"d", 0, 0, 10, |id, _, _| {
        seen.push(id.ms);
        seen.len() < 2
    });
    assert_eq!((count, seen), (Some(2), vec![1, 2]));
    assert_eq!(stream.group(b"g").unwrap().consumer(b"c").unwrap().pending().len(), 1);
    assert_eq!(stream.claim_idle(b"nosuch", b"d", 0, 0, 10, |_, _, _| true), None);
}
