use command::blocked::{Nothing, Wait};
use command::{Args, Ctx, Flags, Group, KeySpec, Outcome, Spec};
use keyspace::Key;

use super::pop::{End, KEY_FLAGS, Layout, parse_multi, pop};
use crate::timeout;

const BASE: Spec = Spec {
    arity: -3,
    flags: Flags::WRITE.union(Flags::NOSCRIPT).union(Flags::FAST).union(Flags::BLOCKING),
    group: Group::SortedSet,
    keys: &[KeySpec::range(1, -2, 1, KEY_FLAGS)],
    since: "5.0.0",
    complexity: "O(log(N)) with N members in the set",
    syntax: "key... timeout:double",
    history: &[("6.0.0", "The timeout may have a fraction.")],
    ..Spec::BASE
};

/// `BZPOPMIN key [key ...] timeout`
pub const BZPOPMIN: Spec = Spec {
    name: "bzpopmin",
    summary: "Takes the member of the lowest score of the first sorted set there is, or waits for one.",
    run: |ctx, args| pop_or_wait(ctx, args, End::Min),
    ..BASE
};

/// `BZPOPMAX key [key ...] timeout`
pub const BZPOPMAX: Spec = Spec {
    name: "bzpopmax",
    summary: "Takes the member of the highest score of the first sorted set there is, or waits for one.",
    run: |ctx, args| pop_or_wait(ctx, args, End::Max),
    ..BASE
};

fn pop_or_wait(ctx: &mut Ctx<'_>, args: Args<'_>, end: End) -> Outcome {
    let last = args.len() - 1;
    let deadline_ms = timeout::deadline(ctx, args, last)?;
    for index in 1..last {
        if pop(ctx, args.key(index), end, 1, Layout::FlatWithKey)? {
            return Ok(());
        }
    }
    wait(ctx, (1..last).map(|index| args.key(index)), deadline_ms);
    Ok(())
}

/// `BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]`
pub const BZMPOP: Spec = Spec {
    name: "bzmpop",
    arity: -5,
    flags: Flags::WRITE.union(Flags::BLOCKING),
    group: Group::SortedSet,
    keys: &[KeySpec::counted(2, KEY_FLAGS)],
    since: "7.0.0",
    summary: "Takes members of the lowest or highest scores of the first sorted set there is, or waits for one.",
    complexity: "O(K) + O(M*log(N)) with K keys, N members in the set and M removed",
    syntax: "timeout:double numkeys:integer key... where=(MIN | MAX) [COUNT count:integer]",
    run: bzmpop,
    ..Spec::BASE
};

fn bzmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let deadline_ms = timeout::deadline(ctx, args, 1)?;
    let wanted = parse_multi(args, 2)?;
    for key in wanted.keys.clone() {
        if pop(ctx, args.key(key), wanted.end, wanted.count, Layout::NestedWithKey)? {
            return Ok(());
        }
    }
    wait(ctx, wanted.keys.map(|index| args.key(index)), deadline_ms);
    Ok(())
}

fn wait<'a>(ctx: &mut Ctx<'_>, keys: impl Iterator<Item = Key<'a>>, deadline_ms: Option<i64>) {
    let keys = keys.map(|key| key.bytes().into()).collect();
    ctx.wait(Wait { keys, deadline_ms, nothing: Nothing::NullArray, retry: None });
}
