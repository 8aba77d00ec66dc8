use command::{
    Args, Ctx, Database, Deadline, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec,
};
use config::KeyspaceEvents;
use keyspace::{Digits, Key};

use super::get::LONG;

/// `APPEND key value`
pub const APPEND: Spec = Spec {
    name: "append",
    arity: 3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::INSERT))],
    since: "2.0.0",
    summary: "Appends to the string that a key holds; makes the key if there is none.",
    complexity: "O(1), amortised over many short appends: room grows by doubling.",
    syntax: "key value",
    run: append,
    ..Spec::BASE
};

/// `STRLEN key`
pub const STRLEN: Spec = Spec {
    name: "strlen",
    arity: 2,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::RO)],
    since: "2.2.0",
    summary: "Returns the length of the string that a key holds, in bytes.",
    complexity: "O(1)",
    syntax: "key",
    run: strlen,
    ..Spec::BASE
};

/// Refuses a string that would get longer than `proto-max-bulk-len`.
pub fn check_length(ctx: &Ctx<'_>, before: usize, more: usize) -> Outcome {
    before
        .checked_add(more)
        .filter(|total| *total as u64 <= ctx.config.proto_max_bulk_len)
        .map(|_| ())
        .ok_or(Error::STRING_TOO_LONG)
}

/// The string at a key, which is made if there is none, and is to be filled up to `len` bytes.
///
/// # Errors
/// When the key holds another type, or a helper is to go on: where the string has to move to, or to be filled
/// with zeros, that takes long.
pub fn string_for<'c>(
    db: &'c mut Database<'_>,
    may_leave: bool,
    key: Key<'_>,
    len: usize,
) -> Result<&'c mut Vec<u8>, Error> {
    if may_leave && len >= LONG {
        let (before, room) = match db.string_mut(key)? {
            Some(string) => (string.len(), string.capacity()),
            None => (0, 0),
        };
        if len > room || len.saturating_sub(before) >= LONG {
            return Err(Error::LEAVES);
        }
    }
    db.string_mut_or_make(key)
}

fn append(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (key, tail) = (args.key(1), args.at(2));
    let mut digits = Digits::new();
    let before = match ctx.db.get_mut(key) {
        Some(entry) => Some(entry.value().text(&mut digits).ok_or(Error::WRONG_TYPE)?.len()),
        None => None,
    };
    match before {
        Some(before) => {
            check_length(ctx, before, tail.len())?;
            string_for(&mut ctx.db, ctx.may_leave, key, before + tail.len())?
                .extend_from_slice(tail);
        }
        None => ctx.db.put_string(key, tail, Deadline::None),
    }
    ctx.db.changed(key, KeyspaceEvents::STRING, "append");
    ctx.reply.integer((before.unwrap_or_default() + tail.len()) as i64);
    Ok(())
}

fn strlen(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut digits = Digits::new();
    let entry = ctx.db.get_string(args.key(1))?;
    let len = entry.and_then(|entry| entry.value().text(&mut digits)).map_or(0, <[u8]>::len);
    ctx.reply.integer(len as i64);
    Ok(())
}
