use command::{Args, Ctx, Deadline, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::{Payload, Value};
use value::ObjectRef;

/// What the four commands have in common.
const BASE: Spec = Spec {
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))],
    since: "1.0.0",
    complexity: "O(1)",
    ..Spec::BASE
};

/// `INCR key`
pub const INCR: Spec = Spec {
    name: "incr",
    arity: 2,
    summary: "Adds 1 to the integer that a key holds; a key that does not exist counts as 0.",
    syntax: "key",
    run: |ctx, args| increment(ctx, args, 1),
    ..BASE
};

/// `DECR key`
pub const DECR: Spec = Spec {
    name: "decr",
    arity: 2,
    summary: "Takes 1 from the integer that a key holds; a key that does not exist counts as 0.",
    syntax: "key",
    run: |ctx, args| increment(ctx, args, -1),
    ..BASE
};

/// `INCRBY key increment`
pub const INCRBY: Spec = Spec {
    name: "incrby",
    arity: 3,
    summary: "Adds to the integer that a key holds; a key that does not exist counts as 0.",
    syntax: "key increment:integer",
    run: |ctx, args| increment(ctx, args, args.integer(2)?),
    ..BASE
};

/// `DECRBY key decrement`
pub const DECRBY: Spec = Spec {
    name: "decrby",
    arity: 3,
    summary: "Takes from the integer that a key holds; a key that does not exist counts as 0.",
    syntax: "key decrement:integer",
    run: decrby,
    ..BASE
};

fn decrby(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let by = args.integer(2)?.checked_neg();
    increment(ctx, args, by.ok_or(Error::fixed("ERR decrement would overflow"))?)
}

fn increment(ctx: &mut Ctx<'_>, args: Args<'_>, by: i64) -> Outcome {
    let key = args.key(1);
    let mut entry = ctx.db.get_mut(key);
    let old = match &entry {
        None => 0,
        Some(entry) => integer_of(entry.value())?,
    };
    let new = old.checked_add(by).ok_or(Error::OVERFLOW)?;
    if !entry.as_mut().is_some_and(|entry| entry.set_integer(new)) {
        ctx.db.put(key, Payload::Int(new), Deadline::Keep);
    }
    ctx.db.changed(key, KeyspaceEvents::STRING, "incrby");
    ctx.reply.integer(new);
    Ok(())
}

/// The integer that a value spells.
///
/// # Errors
/// When it is no integer, or no string.
pub fn integer_of(value: Value<'_>) -> Result<i64, Error> {
    let text = match value {
        Value::Int(number) => return Ok(number),
        Value::Bytes(text) => text,
        Value::Object(ObjectRef::String(text)) => text,
        Value::Object(_) => return Err(Error::WRONG_TYPE),
    };
    codec::number::parse_i64(text).ok_or(Error::NOT_AN_INTEGER)
}
