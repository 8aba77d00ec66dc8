use command::{Args, Ctx, Flags, KeyFlags, KeySpec, Outcome, Spec};
use value::list::List;

use super::{LIST, span};
use crate::{reach, reply};

/// `LLEN key`
pub const LLEN: Spec = Spec {
    name: "llen",
    arity: 2,
    flags: Flags::READONLY.union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RO)],
    summary: "Returns the number of elements of a list.",
    complexity: "O(1)",
    syntax: "key",
    run: llen,
    ..LIST
};

fn llen(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let len = ctx.db.read::<List>(args.key(1))?.map_or(0, List::len);
    ctx.reply.integer(len as i64);
    Ok(())
}

/// `LINDEX key index`
pub const LINDEX: Spec = Spec {
    name: "lindex",
    arity: 3,
    flags: Flags::READONLY,
    summary: "Returns the element at an index of a list.",
    complexity: "O(1) at either end, else O(N) for the chunks in between",
    syntax: "key index:integer",
    run: lindex,
    ..LIST
};

fn lindex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let Some(list) = ctx.db.read::<List>(args.key(1))? else {
        ctx.reply.null();
        return Ok(());
    };
    match super::index(args.integer(2)?, list.len()).and_then(|index| list.get(index)) {
        Some(item) => reply::item(&mut ctx.reply, item),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// `LRANGE key start stop`
pub const LRANGE: Spec = Spec {
    name: "lrange",
    arity: 4,
    flags: Flags::READONLY.union(Flags::LINEAR),
    summary: "Returns the elements between two indexes of a list.",
    complexity: "O(S+N) for N elements returned and S chunks from the nearer end to the first",
    syntax: "key start:integer stop:integer",
    reach: Some(|args, list| reach::ranks(args, list, 2)),
    run: lrange,
    ..LIST
};

fn lrange(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (start, stop) = (args.integer(2)?, args.integer(3)?);
    let Some(list) = ctx.db.read::<List>(args.key(1))? else {
        ctx.reply.array(0);
        return Ok(());
    };
    let span = span(start, stop, list.len());
    ctx.reply.array(span.len());
    if !span.is_empty() {
        let entries = list.iter_from(span.start).take(span.len());
        entries.for_each(|item| reply::item(&mut ctx.reply, item));
    }
    Ok(())
}
