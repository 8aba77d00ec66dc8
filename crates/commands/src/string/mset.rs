use command::{
    Args, Begin, Ctx, Deadline, Error, Find, Flags, Group, KeyFlags, KeySpec, Outcome, Spec,
};

use super::compare::Condition;
use super::set::{Options, store};
use crate::logged;

/// `MSET key value [key value ...]`
pub const MSET: Spec = Spec {
    name: "mset",
    arity: -3,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::String,
    keys: &[KeySpec::range(1, -1, 2, KeyFlags::OW.union(KeyFlags::UPDATE))],
    since: "1.0.1",
    summary: "Stores several strings at once.",
    complexity: "O(N) for N keys.",
    syntax: "key_value=(key value)...",
    tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
    run: mset,
    ..Spec::BASE
};

/// `MSETNX key value [key value ...]`
pub const MSETNX: Spec = Spec {
    name: "msetnx",
    arity: -3,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::String,
    keys: &[KeySpec::range(1, -1, 2, KeyFlags::OW.union(KeyFlags::INSERT))],
    since: "1.0.1",
    summary: "Stores several strings at once, if none of the keys exists.",
    complexity: "O(N) for N keys.",
    syntax: "key_value=(key value)...",
    tips: &["request_policy:multi_shard", "response_policy:agg_min"],
    run: msetnx,
    ..Spec::BASE
};

/// `MSETEX numkeys key value [key value ...] [options]`
pub const MSETEX: Spec = Spec {
    name: "msetex",
    arity: -4,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::String,
    keys: &[KeySpec {
        flags: KeyFlags::OW.union(KeyFlags::UPDATE),
        begin: Begin::Index(1),
        find: Find::KeyNum { count: 0, first: 1, step: 2 },
    }],
    since: "8.4.0",
    summary: "Stores several strings at once, with one expiry for all of them.",
    complexity: "O(N) for N keys.",
    syntax: "numkeys:integer data=(key value)... [condition=(NX | XX)] \
        [expiration=(EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time \
        | PXAT unix-time-milliseconds:unix-time | KEEPTTL)]",
    tips: &["request_policy:multi_shard", "response_policy:agg_min"],
    run: msetex,
    ..Spec::BASE
};

fn mset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len().is_multiple_of(2) {
        return Err(Error::arity("mset"));
    }
    store_pairs(ctx, args, 1..args.len(), Deadline::None);
    ctx.reply.ok();
    Ok(())
}

fn msetnx(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len().is_multiple_of(2) {
        return Err(Error::arity("msetnx"));
    }
    let pairs = 1..args.len();
    let free = pairs.clone().step_by(2).all(|index| !ctx.db.contains(args.key(index)));
    if free {
        store_pairs(ctx, args, pairs, Deadline::None);
    }
    ctx.reply.integer(free.into());
    Ok(())
}

fn msetex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let count = codec::number::parse_i64(args.at(1))
        .and_then(|count| i32::try_from(count).ok())
        .and_then(|count| usize::try_from(count).ok())
        .filter(|count| *count > 0)
        .ok_or(Error::fixed("ERR invalid numkeys value"))?;
    if count > (args.len() - 2) / 2 {
        return Err(Error::fixed("ERR wrong number of key-value pairs"));
    }
    let pairs = 2..2 + 2 * count;
    let options = Options::parse(args, pairs.end)?;
    if options.get
        || !matches!(options.condition, None | Some(Condition::Absent | Condition::Present))
    {
        return Err(Error::SYNTAX);
    }
    let deadline = options.deadline(args, ctx.now_ms(), "msetex")?;
    let goes_on = pairs.clone().step_by(2).all(|index| match options.condition {
        Some(Condition::Absent) => !ctx.db.contains(args.key(index)),
        Some(_) => ctx.db.contains(args.key(index)),
        None => true,
    });
    if goes_on {
        store_pairs(ctx, args, pairs, deadline);
        if let (Some(expiry), Deadline::At(at_ms)) = (options.expiry, deadline) {
            logged::with_moment(ctx, args, expiry.word(), at_ms);
        }
    }
    ctx.reply.integer(goes_on.into());
    Ok(())
}

fn store_pairs(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    pairs: std::ops::Range<usize>,
    deadline: Deadline,
) {
    for index in pairs.step_by(2) {
        store(ctx, args.key(index), args.at(index + 1), deadline);
    }
}
