use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use value::stream::{SetIdError, Stream};

use super::ids;

/// `XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]`
pub const XSETID: Spec = Spec {
    name: "xsetid",
    arity: -3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    since: "5.0.0",
    summary: "Sets the last ID of a stream and its counters.",
    complexity: "O(1)",
    syntax: "key last-id [ENTRIESADDED entries_added:integer] [MAXDELETEDID max_deleted_entry_id]",
    history: &[("7.0.0", "`ENTRIESADDED` and `MAXDELETEDID`.")],
    run: xsetid,
    ..Spec::BASE
};

const NEGATIVE: Error = Error::fixed("ERR entries_added must be positive");
const BELOW_GIVEN: Error = Error::fixed(
    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
);
const BELOW_DELETED: Error =
    Error::fixed("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
const BELOW_TOP: Error =
    Error::fixed("ERR The ID specified in XSETID is smaller than the target stream top item");
const TOO_FEW: Error = Error::fixed(
    "ERR The entries_added specified in XSETID is smaller than the target stream length",
);

fn xsetid(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let id = ids::strict(args, 2)?;
    let (mut added, mut deleted) = (None, None);
    for word in (3..args.len()).step_by(2) {
        let has_value = word + 1 < args.len();
        if has_value && args.is(word, "ENTRIESADDED") {
            added = Some(u64::try_from(args.integer(word + 1)?).map_err(|_| NEGATIVE)?);
        } else if has_value && args.is(word, "MAXDELETEDID") {
            let max = ids::strict(args, word + 1)?;
            if id < max {
                return Err(BELOW_GIVEN);
            }
            deleted = Some(max);
        } else {
            return Err(Error::SYNTAX);
        }
    }
    let key = args.key(1);
    let stream = ctx.db.write::<Stream>(key)?.ok_or(Error::NO_SUCH_KEY)?;
    stream.set_id(id, added, deleted).map_err(|error| match error {
        SetIdError::SmallerThanEntry => BELOW_TOP,
        SetIdError::SmallerThanDeleted => BELOW_DELETED,
        SetIdError::TooFewAdded => TOO_FEW,
    })?;
    ctx.db.changed(key, KeyspaceEvents::STREAM, "xsetid");
    ctx.reply.ok();
    Ok(())
}
