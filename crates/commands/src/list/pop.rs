use command::{Args, Ctx, Error, Flags, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Key;
use resp::Writer;
use value::list::List;

use super::end::End;
use super::{LIST, TAKES, limits};
use crate::{reach, reply};

const POP: Spec = Spec {
    arity: -2,
    flags: Flags::WRITE.union(Flags::FAST).union(Flags::LINEAR),
    keys: &[TAKES],
    complexity: "O(N) for N elements taken",
    syntax: "key [count:integer]",
    reach: Some(|args, list| reach::count(args, list, 2)),
    history: &[("6.2.0", "The `count` argument.")],
    ..LIST
};

/// `LPOP key [count]`
pub const LPOP: Spec = Spec {
    name: "lpop",
    summary: "Takes the first elements of a list.",
    run: |ctx, args| pop(ctx, args, "lpop", End::Left),
    ..POP
};

/// `RPOP key [count]`
pub const RPOP: Spec = Spec {
    name: "rpop",
    summary: "Takes the last elements of a list.",
    run: |ctx, args| pop(ctx, args, "rpop", End::Right),
    ..POP
};

fn pop(ctx: &mut Ctx<'_>, args: Args<'_>, name: &'static str, end: End) -> Outcome {
    let key = args.key(1);
    match args.len() {
        0..=2 => {
            if !pop_one(ctx, key, end, |_| ())? {
                ctx.reply.null();
            }
        }
        3 => {
            let count = args.count(2)?;
            if count == 0 && ctx.db.write::<List>(key)?.is_some() {
                ctx.reply.array(0);
            } else if pop_some(ctx, key, end, count, |_| ())?.is_none() {
                ctx.reply.null_array();
            }
        }
        _ => return Err(Error::arity(name)),
    }
    Ok(())
}

/// Takes the entry at `end` and writes it behind what `head` writes; false, with nothing written,
/// when there is no list.
pub(super) fn pop_one(
    ctx: &mut Ctx<'_>,
    key: Key<'_>,
    end: End,
    head: impl FnOnce(&mut Writer<'_>),
) -> Result<bool, Error> {
    let limits = limits(ctx.config);
    let Some(list) = ctx.db.write::<List>(key)? else { return Ok(false) };
    head(&mut ctx.reply);
    let emptied = list.len() == 1;
    match end {
        End::Left => list.pop_front(limits, |item| reply::item(&mut ctx.reply, item)),
        End::Right => list.pop_back(limits, |item| reply::item(&mut ctx.reply, item)),
    };
    popped(ctx, key, end, 1, emptied);
    Ok(true)
}

/// Takes up to `count` entries at `end`, and writes them as an array behind what `head` writes; says how
/// many. `None`, with nothing written, when there is no list.
pub(super) fn pop_some(
    ctx: &mut Ctx<'_>,
    key: Key<'_>,
    end: End,
    count: usize,
    head: impl FnOnce(&mut Writer<'_>),
) -> Result<Option<usize>, Error> {
    let limits = limits(ctx.config);
    let Some(list) = ctx.db.write::<List>(key)? else { return Ok(None) };
    head(&mut ctx.reply);
    let len = list.len();
    let count = count.min(len);
    ctx.reply.array(count);
    match end {
        End::Left => {
            list.iter().take(count).for_each(|item| reply::item(&mut ctx.reply, item));
            list.drop_front(count, limits);
        }
        End::Right => {
            let entries = list.iter_back_from(len).take(count);
            entries.for_each(|item| reply::item(&mut ctx.reply, item));
            list.drop_back(count, limits);
        }
    }
    popped(ctx, key, end, count, count == len);
    Ok(Some(count))
}

fn popped(ctx: &mut Ctx<'_>, key: Key<'_>, end: End, count: usize, emptied: bool) {
    ctx.db.changed_by(count, key, KeyspaceEvents::LIST, end.popped());
    if emptied {
        ctx.db.remove(key);
        ctx.db.notify(key, KeyspaceEvents::GENERIC, "del");
    }
}
