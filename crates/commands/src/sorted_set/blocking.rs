use command::blocked::{Nothing, Wait};
use command::{Args, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};

use super::pop::{End, Layout, Wanted, pop};
use crate::timeout;

const TAKES: KeyFlags = KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE);

const POP: Spec = Spec {
    arity: -3,
    flags: Flags::WRITE.union(Flags::FAST).union(Flags::BLOCKING),
    group: Group::SortedSet,
    keys: &[KeySpec::range(1, -2, 1, TAKES)],
    since: "5.0.0",
    complexity: "O(log(N)) with N members in the set",
    syntax: "key... timeout:double",
    history: &[("6.0.0", "The timeout may have a fraction.")],
    ..Spec::BASE
};

/// `BZPOPMIN key [key ...] timeout`
pub const BZPOPMIN: Spec = Spec {
    name: "bzpopmin",
    summary: "Takes the member of the lowest score from the first set that has any, or waits.",
    run: |ctx, args| pop_one(ctx, args, End::Min),
    ..POP
};

/// `BZPOPMAX key [key ...] timeout`
pub const BZPOPMAX: Spec = Spec {
    name: "bzpopmax",
    summary: "Takes the member of the highest score from the first set that has any, or waits.",
    run: |ctx, args| pop_one(ctx, args, End::Max),
    ..POP
};

/// `BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]`
pub const BZMPOP: Spec = Spec {
    name: "bzmpop",
    arity: -5,
    flags: Flags::WRITE.union(Flags::BLOCKING),
    group: Group::SortedSet,
    keys: &[KeySpec::counted(2, TAKES)],
    since: "7.0.0",
    summary: "Takes members of the lowest or highest scores from the first set that has any, or \
              waits.",
    complexity: "O(K) + O(M*log(N)) with K keys, N members in the set and M removed",
    syntax: "timeout:double numkeys:integer key... where=(MIN | MAX) [COUNT count:integer]",
    run: pop_many,
    ..Spec::BASE
};

fn pop_one(ctx: &mut Ctx<'_>, args: Args<'_>, end: End) -> Outcome {
    let last = args.len() - 1;
    let deadline_ms = timeout::deadline(ctx, args, last)?;
    let wanted = Wanted { keys: 1..last, end, count: 1 };
    pop_or_wait(ctx, args, wanted, Layout::FlatWithKey, deadline_ms)
}

fn pop_many(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let wanted = Wanted::parse(args, 2)?;
    let deadline_ms = timeout::deadline(ctx, args, 1)?;
    pop_or_wait(ctx, args, wanted, Layout::NestedWithKey, deadline_ms)
}

fn pop_or_wait(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    wanted: Wanted,
    layout: Layout,
    deadline_ms: Option<i64>,
) -> Outcome {
    for key in wanted.keys.clone() {
        if pop(ctx, args.key(key), wanted.end, wanted.count, layout)? {
            return Ok(());
        }
    }
    let keys = wanted.keys.map(|word| args.at(word).into()).collect();
    ctx.wait(Wait { keys, deadline_ms, again_ms: None, nothing: Nothing::NullArray, retry: None });
    Ok(())
}
