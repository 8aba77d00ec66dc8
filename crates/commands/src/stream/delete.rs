use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use value::stream::{Deleted, Id, References, Stream};

use super::{ids, trim};

const BASE: Spec = Spec {
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::DELETE))],
    complexity: "O(1) per ID",
    ..Spec::BASE
};

/// `XDEL key id [id ...]`
pub const XDEL: Spec = Spec {
    name: "xdel",
    arity: -3,
    since: "5.0.0",
    summary: "Deletes entries and returns how many there were.",
    syntax: "key id...",
    run: xdel,
    ..BASE
};

/// `XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]`
pub const XDELEX: Spec = Spec {
    name: "xdelex",
    arity: -5,
    since: "8.2.0",
    summary: "Deletes entries with a policy for the groups that still refer to them.",
    syntax: "key [condition=(KEEPREF | DELREF | ACKED)] IDS ids=(numids:integer id...)",
    run: xdelex,
    ..BASE
};

/// `XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]`
pub const XACKDEL: Spec = Spec {
    name: "xackdel",
    arity: -6,
    since: "8.2.0",
    summary: "Acknowledges entries in a group and deletes them.",
    syntax: "key group [condition=(KEEPREF | DELREF | ACKED)] IDS ids=(numids:integer id...)",
    run: xackdel,
    ..BASE
};

pub(super) const NO_NUMBER: Error = Error::fixed("ERR Number of IDs must be a positive integer");
pub(super) const WRONG_NUMBER: Error =
    Error::fixed("ERR The `numids` parameter must match the number of arguments");

fn xdel(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let mut deleted = 0;
    if let Some(stream) = ctx.db.write::<Stream>(key)? {
        let ids = ids::list(args, 2, args.len())?;
        deleted = ids.into_iter().filter(|id| stream.delete(*id)).count();
    }
    note(ctx, key, deleted);
    ctx.reply.integer(deleted as i64);
    Ok(())
}

fn xdelex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    delete_each(ctx, args, 2, |stream, id, references| stream.delete_with(id, references))
}

fn xackdel(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let group = args.at(2);
    delete_each(ctx, args, 3, |stream, id, references| stream.ack_delete(group, id, references))
}

/// Reads policy and IDs from word `at` on, and answers what became of each.
fn delete_each(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    at: usize,
    mut delete: impl FnMut(&mut Stream, Id, References) -> Deleted,
) -> Outcome {
    let policy = trim::references(args.at(at));
    let at = if policy.is_some() { at + 1 } else { at };
    if !args.is(at, "IDS") || at + 2 >= args.len() {
        return Err(Error::SYNTAX);
    }
    let count = args.integer(at + 1).ok().and_then(|count| usize::try_from(count).ok());
    let count = count.filter(|count| *count > 0).ok_or(NO_NUMBER)?;
    if count != args.len() - at - 2 {
        return Err(WRONG_NUMBER);
    }
    let ids = ids::list(args, at + 2, args.len())?;
    let key = args.key(1);
    let mut stream = ctx.db.write::<Stream>(key)?;
    let mut deleted = 0;
    ctx.reply.array(ids.len());
    for id in ids {
        let outcome = match &mut stream {
            Some(stream) => delete(stream, id, policy.unwrap_or_default()),
            None => Deleted::Absent,
        };
        deleted += usize::from(outcome == Deleted::Done);
        ctx.reply.integer(match outcome {
            Deleted::Absent => -1,
            Deleted::Done => 1,
            Deleted::Referenced => 2,
        });
    }
    note(ctx, key, deleted);
    Ok(())
}

fn note(ctx: &mut Ctx<'_>, key: keyspace::Key<'_>, deleted: usize) {
    if deleted > 0 {
        ctx.db.add_changes(deleted as u64 - 1);
        ctx.db.changed(key, KeyspaceEvents::STREAM, "xdel");
    }
}
