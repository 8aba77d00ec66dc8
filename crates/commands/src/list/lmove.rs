use command::{Args, Ctx, Error, Flags, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Key;
use value::Item;
use value::list::List;

use super::end::End;
use super::{LIST, TAKES, limits};

pub(super) const MOVE: Spec = Spec {
    flags: Flags::WRITE.union(Flags::DENYOOM),
    keys: &[TAKES, KeySpec::one(2, KeyFlags::RW.union(KeyFlags::INSERT))],
    complexity: "O(1)",
    ..LIST
};

/// `LMOVE source destination (LEFT | RIGHT) (LEFT | RIGHT)`
pub const LMOVE: Spec = Spec {
    name: "lmove",
    arity: 5,
    since: "6.2.0",
    summary: "Takes an element at an end of a list and puts it at an end of another.",
    syntax: "source destination wherefrom=(LEFT | RIGHT) whereto=(LEFT | RIGHT)",
    run: lmove,
    ..MOVE
};

fn lmove(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (from, to) = (End::parse(args, 3)?, End::parse(args, 4)?);
    if !transfer(ctx, args.key(1), args.key(2), from, to)? {
        ctx.reply.null();
    }
    Ok(())
}

/// `RPOPLPUSH source destination`
pub const RPOPLPUSH: Spec = Spec {
    name: "rpoplpush",
    arity: 3,
    since: "1.2.0",
    summary: "Takes the last element of a list and puts it before the first of another.",
    syntax: "source destination",
    deprecated: Some(("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments")),
    run: rpoplpush,
    ..MOVE
};

fn rpoplpush(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if !transfer(ctx, args.key(1), args.key(2), End::Right, End::Left)? {
        ctx.reply.null();
    }
    Ok(())
}

/// Moves an entry from one list to another, or from one end to another of the same list, and writes it;
/// false, with nothing written, when there is no source.
pub(super) fn transfer(
    ctx: &mut Ctx<'_>,
    source: Key<'_>,
    destination: Key<'_>,
    from: End,
    to: End,
) -> Result<bool, Error> {
    let limits = limits(ctx.config);
    if ctx.db.write::<List>(source)?.is_none() {
        return Ok(false);
    }
    ctx.db.write::<List>(destination)?;
    let Some(list) = ctx.db.write::<List>(source)? else { return Ok(false) };
    let moved = match from {
        End::Left => list.pop_front(limits, |item| item.to_vec()),
        End::Right => list.pop_back(limits, |item| item.to_vec()),
    };
    let Some(moved) = moved else { return Ok(false) };
    // The source is still there, though maybe empty: as the destination it keeps its deadline.
    let list = ctx.db.write_or_make(destination, List::new)?;
    list.before_growth(1, moved.len(), limits);
    to.push(list, Item::parse(&moved), limits);
    ctx.reply.bulk(&moved);
    ctx.db.notify(destination, KeyspaceEvents::LIST, to.pushed());
    ctx.db.changed(source, KeyspaceEvents::LIST, from.popped());
    if ctx.db.remove_if_empty::<List>(source) {
        ctx.db.notify(source, KeyspaceEvents::GENERIC, "del");
    }
    Ok(true)
}
