use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use value::stream::Stream;

use super::{ids, reply};
use crate::reach;

/// `XLEN key`
pub const XLEN: Spec = Spec {
    name: "xlen",
    arity: 2,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::RO)],
    since: "5.0.0",
    summary: "Counts the entries of a stream.",
    complexity: "O(1)",
    syntax: "key",
    run: xlen,
    ..Spec::BASE
};

const BASE: Spec = Spec {
    arity: -4,
    flags: Flags::READONLY.union(Flags::LINEAR),
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "5.0.0",
    complexity: "O(N) with N entries returned",
    history: &[("6.2.0", "Ends may be excluded.")],
    reach: Some(|args, stream| reach::option(args, stream, "COUNT")),
    ..Spec::BASE
};

/// `XRANGE key start end [COUNT count]`
pub const XRANGE: Spec = Spec {
    name: "xrange",
    summary: "Returns the entries between two IDs.",
    syntax: "key start end [COUNT count:integer]",
    run: |ctx, args| range(ctx, args, false),
    ..BASE
};

/// `XREVRANGE key end start [COUNT count]`
pub const XREVRANGE: Spec = Spec {
    name: "xrevrange",
    summary: "Returns the entries between two IDs, the last first.",
    syntax: "key end start [COUNT count:integer]",
    run: |ctx, args| range(ctx, args, true),
    ..BASE
};

fn xlen(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let len = ctx.db.read::<Stream>(args.key(1))?.map_or(0, Stream::len);
    ctx.reply.integer(len as i64);
    Ok(())
}

fn range(ctx: &mut Ctx<'_>, args: Args<'_>, rev: bool) -> Outcome {
    let (start, end) = if rev { (3, 2) } else { (2, 3) };
    let (start, end) = (ids::start(args, start)?, ids::end(args, end)?);
    let mut count = usize::MAX;
    for word in (4..args.len()).step_by(2) {
        if !args.is(word, "COUNT") || word + 1 >= args.len() {
            return Err(Error::SYNTAX);
        }
        count = usize::try_from(args.integer(word + 1)?).unwrap_or(0);
    }
    match ctx.db.read::<Stream>(args.key(1))? {
        None => ctx.reply.array(0),
        Some(_) if count == 0 => ctx.reply.null_array(),
        Some(stream) => {
            reply::entries(&mut ctx.reply, stream.range(start, end, rev).take(count));
        }
    }
    Ok(())
}
