use command::{Args, Ctx, Error, Flags, KeyFlags, KeySpec, Outcome, Spec, Target};
use config::KeyspaceEvents;
use value::Item;
use value::list::{List, Side};

use super::{LIST, index, limits, span};

/// `LSET key index element`
pub const LSET: Spec = Spec {
    name: "lset",
    arity: 4,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    summary: "Replaces the element at an index of a list.",
    complexity: "O(1) at either end, else O(N) for the chunks in between",
    syntax: "key index:integer element",
    run: lset,
    ..LIST
};

fn lset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let key = args.key(1);
    let list = ctx.db.write::<List>(key)?.ok_or(Error::NO_SUCH_KEY)?;
    let index = args.integer(2)?;
    let element = args.at(3);
    list.before_growth(1, element.len(), limits);
    let at = self::index(index, list.len()).ok_or(Error::OUT_OF_RANGE)?;
    if !list.set(at, Item::parse(element), limits) {
        return Err(Error::OUT_OF_RANGE);
    }
    ctx.db.changed(key, KeyspaceEvents::LIST, "lset");
    ctx.reply.ok();
    Ok(())
}

/// `LINSERT key (BEFORE | AFTER) pivot element`
pub const LINSERT: Spec = Spec {
    name: "linsert",
    arity: 5,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::LINEAR),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::INSERT))],
    since: "2.2.0",
    summary: "Inserts an element beside the first one that equals another.",
    complexity: "O(N) for the elements before the pivot",
    syntax: "key where=(BEFORE | AFTER) pivot element",
    run: linsert,
    ..LIST
};

fn linsert(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let side = if args.is(2, "AFTER") {
        Side::After
    } else if args.is(2, "BEFORE") {
        Side::Before
    } else {
        return Err(Error::SYNTAX);
    };
    let limits = limits(ctx.config);
    let key = args.key(1);
    let Some(list) = ctx.db.write::<List>(key)? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let element = args.at(4);
    list.before_growth(1, element.len(), limits);
    if !list.insert_beside(Item::parse(args.at(3)), side, Item::parse(element), limits) {
        ctx.reply.integer(-1);
        return Ok(());
    }
    ctx.reply.integer(list.len() as i64);
    ctx.db.changed(key, KeyspaceEvents::LIST, "linsert");
    Ok(())
}

/// `LREM key count element`
pub const LREM: Spec = Spec {
    name: "lrem",
    arity: 4,
    flags: Flags::WRITE.union(Flags::LINEAR),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::DELETE))],
    summary: "Removes elements of a list that equal a given one.",
    complexity: "O(N+M) for N elements of which M go",
    syntax: "key count:integer element",
    run: lrem,
    ..LIST
};

fn lrem(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let count = args.integer(2)?;
    if count == i64::MIN {
        return Err(Error::BELOW_LEAST);
    }
    let key = args.key(1);
    let removed = match ctx.db.write::<List>(key)? {
        Some(list) => list.remove(Item::parse(args.at(3)), count, limits),
        None => 0,
    };
    if removed > 0 {
        ctx.db.changed_by(removed, key, KeyspaceEvents::LIST, "lrem");
        if ctx.db.remove_if_empty::<List>(key) {
            ctx.db.notify(key, KeyspaceEvents::GENERIC, "del");
        }
    }
    ctx.reply.integer(removed as i64);
    Ok(())
}

/// `LTRIM key start stop`
pub const LTRIM: Spec = Spec {
    name: "ltrim",
    arity: 4,
    flags: Flags::WRITE.union(Flags::LINEAR),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::DELETE))],
    summary: "Keeps only the elements between two indexes of a list.",
    complexity: "O(N) for N elements that go",
    syntax: "key start:integer stop:integer",
    reach: Some(trimmed),
    run: ltrim,
    ..LIST
};

/// How many elements are outside of what LTRIM keeps.
fn trimmed(args: Args<'_>, list: Target<'_>) -> usize {
    let (Target::Value(_), Ok(start), Ok(stop)) = (list, args.integer(2), args.integer(3)) else {
        return list.elements();
    };
    list.elements() - span(start, stop, list.elements()).len()
}

fn ltrim(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let (start, stop) = (args.integer(2)?, args.integer(3)?);
    let key = args.key(1);
    if let Some(list) = ctx.db.write::<List>(key)? {
        let len = list.len();
        let span = span(start, stop, len);
        let removed = len - span.len();
        list.trim(span.start, span.end, limits);
        ctx.db.changed_by(removed, key, KeyspaceEvents::LIST, "ltrim");
        if removed == len {
            ctx.db.remove(key);
            ctx.db.notify(key, KeyspaceEvents::GENERIC, "del");
        }
    }
    ctx.reply.ok();
    Ok(())
}
