use command::{Args, Ctx, Flags, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Key;
use value::Item;
use value::list::{List, ListLimits};

use super::end::End;
use super::{LIST, limits};

const PUSH: Spec = Spec {
    arity: -3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::INSERT))],
    complexity: "O(N) for N elements",
    syntax: "key element...",
    ..LIST
};

/// `LPUSH key element...`
pub const LPUSH: Spec = Spec {
    name: "lpush",
    summary: "Puts elements before the first of a list, which is made when there is none.",
    history: &[("2.4.0", "Several elements.")],
    run: |ctx, args| push(ctx, args, End::Left),
    ..PUSH
};

/// `RPUSH key element...`
pub const RPUSH: Spec = Spec {
    name: "rpush",
    summary: "Puts elements behind the last of a list, which is made when there is none.",
    history: &[("2.4.0", "Several elements.")],
    run: |ctx, args| push(ctx, args, End::Right),
    ..PUSH
};

/// `LPUSHX key element...`
pub const LPUSHX: Spec = Spec {
    name: "lpushx",
    since: "2.2.0",
    summary: "Puts elements before the first of a list that exists.",
    history: &[("4.0.0", "Several elements.")],
    run: |ctx, args| push_if_present(ctx, args, End::Left),
    ..PUSH
};

/// `RPUSHX key element...`
pub const RPUSHX: Spec = Spec {
    name: "rpushx",
    since: "2.2.0",
    summary: "Puts elements behind the last of a list that exists.",
    history: &[("4.0.0", "Several elements.")],
    run: |ctx, args| push_if_present(ctx, args, End::Right),
    ..PUSH
};

fn push(ctx: &mut Ctx<'_>, args: Args<'_>, end: End) -> Outcome {
    let (key, limits) = (args.key(1), limits(ctx.config));
    let len = add(ctx.db.write_or_make(key, List::new)?, args, end, limits);
    done(ctx, args, key, end, len)
}

fn push_if_present(ctx: &mut Ctx<'_>, args: Args<'_>, end: End) -> Outcome {
    let (key, limits) = (args.key(1), limits(ctx.config));
    let Some(list) = ctx.db.write::<List>(key)? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let len = add(list, args, end, limits);
    done(ctx, args, key, end, len)
}

/// Adds the elements; returns how many entries there are then.
fn add(list: &mut List, args: Args<'_>, end: End, limits: ListLimits) -> usize {
    let bytes = args.iter_from(2).map(<[u8]>::len).sum();
    list.before_growth(args.len() - 2, bytes, limits);
    for element in args.iter_from(2) {
        end.push(list, Item::parse(element), limits);
    }
    list.len()
}

fn done(ctx: &mut Ctx<'_>, args: Args<'_>, key: Key<'_>, end: End, len: usize) -> Outcome {
    ctx.reply.integer(len as i64);
    ctx.db.changed_by(args.len() - 2, key, KeyspaceEvents::LIST, end.pushed());
    Ok(())
}
