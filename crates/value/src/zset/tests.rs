use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use proptest::prelude::*;

use super::*;

const SMALL: ZsetLimits = ZsetLimits { entries: 8, value: 16 };

/// The plainest sorted set there is.
#[derive(Default, Clone)]
struct Model {
    scores: BTreeMap<Vec<u8>, f64>,
    order: BTreeSet<(u64, Vec<u8>)>,
}

impl Model {
    fn insert(&mut self, member: &[u8], score: f64) -> Inserted {
        let old = self.scores.get(member).copied();
        match old {
            Some(old) if old == score => return Inserted::Unchanged,
            Some(old) => {
                self.order.remove(&(score::key(old), member.to_vec()));
            }
            None => {}
        }
        self.scores.insert(member.to_vec(), score);
        self.order.insert((score::key(score), member.to_vec()));
        if old.is_some() { Inserted::Updated } else { Inserted::Added }
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let score = self.scores.remove(member)?;
        self.order.remove(&(score::key(score), member.to_vec()));
        Some(score)
    }

    fn list(&self) -> Vec<(Vec<u8>, f64)> {
        self.order.iter().map(|(_, member)| (member.clone(), self.scores[member])).collect()
    }
}

fn owned<'a>(items: impl Iterator<Item = (&'a [u8], f64)>) -> Vec<(Vec<u8>, f64)> {
    items.map(|(member, score)| (member.to_vec(), score)).collect()
}

fn check(zset: &Zset, model: &Model) {
    let list = model.list();
    assert_eq!(zset.len(), list.len());
    assert_eq!(owned(zset.iter()), list);
    let mut down = owned(zset.range(0..usize::MAX, true));
    down.reverse();
    assert_eq!(down, list);
    let step = (list.len() / 50).max(1);
    for (rank, (member, score)) in list.iter().enumerate().step_by(step) {
        assert_eq!(zset.rank(member, false), Some(rank));
        assert_eq!(zset.rank(member, true), Some(list.len() - 1 - rank));
        assert_eq!(zset.score(member), Some(*score));
        assert_eq!(zset.get(rank).map(|(member, _)| member), Some(&member[..]));
    }
    let mut seen = BTreeSet::new();
    let mut cursor = 0;
    loop {
        cursor = zset.scan(cursor, |member, _| {
            seen.insert(member.to_vec());
        });
        if cursor == 0 {
            break;
        }
    }
    assert!(seen.iter().eq(model.scores.keys()));
}

#[derive(Debug, Clone)]
enum Op {
    Insert(u16, f64),
    Remove(u16),
    Run(u16, u16, f64),
    RemoveRange(u16, u16),
    PopMin,
    PopMax,
    Scores(f64, bool, f64, bool),
    RemoveScores(f64, f64),
}

fn any_score() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-20i32..20).prop_map(f64::from),
        2 => any::<u32>().prop_map(f64::from),
        2 => any::<f64>().prop_filter("no NaN", |score| !score.is_nan()),
        1 => Just(-0.0),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
    ]
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0u16..2000, any_score()).prop_map(|(m, s)| Op::Insert(m, s)),
        3 => (0u16..2000).prop_map(Op::Remove),
        2 => (0u16..2000, 0u16..600, any_score()).prop_map(|(m, n, s)| Op::Run(m, n, s)),
        1 => (0u16..2000, 0u16..400).prop_map(|(a, n)| Op::RemoveRange(a, n)),
        1 => Just(Op::PopMin),
        1 => Just(Op::PopMax),
        2 => (any_score(), any::<bool>(), any_score(), any::<bool>())
            .prop_map(|(a, x, b, y)| Op::Scores(a, x, b, y)),
        1 => (any_score(), any_score()).prop_map(|(a, b)| Op::RemoveScores(a, b)),
    ]
}

fn name(n: u16) -> Vec<u8> {
    // Some names pass the limit of the compact encoding, and a few need a length in bytes of its own.
    match n % 97 {
        0 => format!("{n:040}").into_bytes(),
        1 => format!("{n:0200}").into_bytes(),
        _ => format!("m{n}").into_bytes(),
    }
}

fn in_model(model: &Model, min: ScoreBound, max: ScoreBound) -> Vec<Vec<u8>> {
    let inside = |&(_, score): &(Vec<u8>, f64)| {
        let low = if min.exclusive { score > min.value } else { score >= min.value };
        let high = if max.exclusive { score < max.value } else { score <= max.value };
        low && high
    };
    model.list().into_iter().filter(inside).map(|(member, _)| member).collect()
}

fn apply(zset: &mut Zset, model: &mut Model, op: Op, limits: ZsetLimits) {
    match op {
        Op::Insert(m, score) => {
            let done = zset.insert(&name(m), score, limits);
            assert_eq!(done, model.insert(&name(m), score));
        }
        Op::Remove(m) => assert_eq!(zset.remove(&name(m)), model.remove(&name(m))),
        Op::Run(m, n, score) => {
            for i in 0..n {
                let member = name(m.wrapping_add(i));
                let score = score + f64::from(i);
                assert_eq!(zset.insert(&member, score, limits), model.insert(&member, score));
            }
        }
        Op::RemoveRange(start, n) => {
            let ranks = start as usize..start as usize + n as usize;
            let list = model.list();
            let gone = &list[ranks.start.min(list.len())..ranks.end.min(list.len())];
            gone.iter().for_each(|(member, _)| {
                model.remove(member);
            });
            let mut seen = Vec::new();
            zset.remove_range(ranks, |member, score| seen.push((member.to_vec(), score)));
            assert_eq!(seen, gone);
        }
        Op::PopMin => {
            let first = model.list().first().cloned();
            first.iter().for_each(|(member, _)| {
                model.remove(member);
            });
            assert_eq!(zset.pop_min(), first);
        }
        Op::PopMax => {
            let last = model.list().last().cloned();
            last.iter().for_each(|(member, _)| {
                model.remove(member);
            });
            assert_eq!(zset.pop_max(), last);
        }
        Op::Scores(a, x, b, y) => {
            let (min, max) =
                (ScoreBound { value: a, exclusive: x }, ScoreBound { value: b, exclusive: y });
            let ranks = zset.score_range(min, max);
            let found: Vec<_> = zset.range(ranks, false).map(|(m, _)| m.to_vec()).collect();
            assert_eq!(found, in_model(model, min, max));
        }
        Op::RemoveScores(a, b) => {
            let (min, max) = (ScoreBound::incl(a), ScoreBound::excl(b));
            let gone = in_model(model, min, max);
            gone.iter().for_each(|member| {
                model.remove(member);
            });
            let ranks = zset.score_range(min, max);
            assert_eq!(zset.remove_range(ranks, |_, _| ()), gone.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

    #[test]
    fn behaves_as_the_model(ops in prop::collection::vec(any_op(), 1..120), compact in any::<bool>()) {
        let limits = if compact { ZsetLimits { entries: 10_000, value: 10_000 } } else { SMALL };
        let (mut zset, mut model) = (Zset::new(), Model::default());
        for op in ops {
            apply(&mut zset, &mut model, op, limits);
            assert_eq!(zset.len(), model.scores.len());
        }
        check(&zset, &model);
        check(&zset.clone(), &model);
        let list = model.list();
        let members = list.iter().map(|(member, score)| (&member[..], *score));
        check(&Zset::from_sorted(members, limits), &model);
    }

    #[test]
    fn ranges_by_member_are_those_of_a_btree(
        names in prop::collection::btree_set("[a-d]{0,4}", 0..400),
        a in "[a-d]{0,4}", b in "[a-d]{0,4}", x in any::<bool>(), y in any::<bool>(), big in any::<bool>(),
    ) {
        let limits = if big { SMALL } else { ZsetLimits { entries: 1000, value: 64 } };
        let mut zset = Zset::new();
        for name in names.iter().rev() {
            zset.insert(name.as_bytes(), 1.5, limits);
        }
        let min = if x { LexBound::Excl(a.as_bytes()) } else { LexBound::Incl(a.as_bytes()) };
        let max = if y { LexBound::Excl(b.as_bytes()) } else { LexBound::Incl(b.as_bytes()) };
        let found: Vec<_> = zset.range(zset.lex_range(min, max), false).map(|(m, _)| m).collect();
        let lower = if x { Bound::Excluded(&a) } else { Bound::Included(&a) };
        let upper = if y { Bound::Excluded(&b) } else { Bound::Included(&b) };
        let valid = a < b || a == b && !x && !y;
        let expected: Vec<_> = match valid {
            true => names.range::<String, _>((lower, upper)).map(|name| name.as_bytes()).collect(),
            false => Vec::new(),
        };
        prop_assert_eq!(found, expected);
        prop_assert_eq!(zset.lex_range(LexBound::NegInf, LexBound::PosInf), 0..names.len());
        prop_assert_eq!(zset.lex_range(LexBound::PosInf, LexBound::NegInf).len(), 0);
    }
}

#[test]
fn conversion_follows_the_limits() {
    let limits = ZsetLimits::default();
    let mut zset = Zset::new();
    for i in 0..128 {
        zset.insert(format!("{i}").as_bytes(), 1.0, limits);
    }
    assert_eq!(zset.encoding(), "listpack");
    zset.insert(b"5", 2.0, limits);
    assert_eq!(zset.encoding(), "listpack");
    zset.insert(b"one more", 1.0, limits);
    assert_eq!(zset.encoding(), "skiplist");
    let mut zset = Zset::new();
    zset.insert(&[b'x'; 64], 1.0, limits);
    assert_eq!(zset.encoding(), "listpack");
    zset.insert(&[b'x'; 65], 1.0, limits);
    assert_eq!(zset.encoding(), "skiplist");
    assert_eq!(zset.len(), 2);
}

#[test]
fn only_the_big_encoding_keeps_the_sign_of_a_zero() {
    for (limits, keeps) in [(SMALL, false), (ZsetLimits { entries: 0, value: 0 }, true)] {
        let mut zset = Zset::new();
        zset.insert(b"a", -0.0, limits);
        assert_eq!(zset.insert(b"a", 0.0, limits), Inserted::Unchanged);
        assert_eq!(zset.score(b"a").unwrap().is_sign_negative(), keeps);
        zset.insert(b"b", 0.0, limits);
        let zeroes = zset.score_range(ScoreBound::incl(0.0), ScoreBound::incl(-0.0));
        assert_eq!(zeroes, 0..2);
    }
}

#[test]
fn random_reaches_every_member() {
    let mut zset = Zset::new();
    for i in 0..1000u32 {
        zset.insert(&i.to_be_bytes(), f64::from(i), SMALL);
    }
    let step = u64::MAX / 999;
    let drawn: BTreeSet<_> = (0..1000).map(|i| zset.random(i * step).unwrap().0.to_vec()).collect();
    assert!(drawn.len() >= 999);
    assert_eq!(Zset::new().random(7), None);
}

#[test]
fn members_expire_in_order_of_their_times() {
    let mut zset = Zset::new();
    for i in 0..20u8 {
        zset.insert(&[i], f64::from(i), SMALL);
    }
    assert!(!zset.set_deadline(b"none", Some(5)));
    (0..10u8).for_each(|i| assert!(zset.set_deadline(&[i], Some(100 - i64::from(i)))));
    assert!(zset.set_deadline(&[9], None));
    zset.remove(&[8]);
    assert_eq!(zset.next_expiry(), Some(93));
    let mut gone = Vec::new();
    assert_eq!(zset.expire_due(96, 10, |member, _| gone.push(member[0])), 3);
    assert_eq!(gone, [7, 6, 5]);
    assert_eq!(zset.deadline(&[4]), Some(96));
    assert_eq!(zset.expire_due(1000, 2, |_, _| ()), 2);
    assert_eq!(zset.len(), 14);
    zset.remove_range(0..usize::MAX, |_, _| ());
    assert_eq!(zset.next_expiry(), None);
}

#[test]
fn a_set_may_go_to_another_thread() {
    fn send<T: Send + Sync>() {}
    send::<Zset>();
}
