use crate::logged;
use codec::long_double::LongDouble;
use command::{Args, Ctx, Deadline, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::{Payload, Value};
use value::ObjectRef;

/// `INCRBYFLOAT key increment`
pub const INCRBYFLOAT: Spec = Spec {
    name: "incrbyfloat",
    arity: 3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))],
    since: "2.6.0",
    summary: "Adds to the number that a key holds; a key that does not exist counts as 0.",
    complexity: "O(1)",
    syntax: "key increment:double",
    run: incrbyfloat,
    ..Spec::BASE
};

fn incrbyfloat(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let old = match ctx.db.get_mut(key) {
        None => LongDouble::from_i64(0),
        Some(entry) => number_of(entry.value())?,
    };
    let sum = old + LongDouble::parse(args.at(2)).ok_or(Error::NOT_A_FLOAT)?;
    if sum.is_nan() || sum.is_infinite() {
        return Err(Error::fixed("ERR increment would produce NaN or Infinity"));
    }
    let text = sum.to_text();
    // Kept as text even if it is an integer, as OBJECT ENCODING shows.
    ctx.db.put(key, Payload::Bytes(text.as_bytes()), Deadline::Keep);
    ctx.db.changed(key, KeyspaceEvents::STRING, "incrbyfloat");
    logged::set(ctx, args.at(1), text.as_bytes(), Deadline::Keep);
    ctx.reply.bulk(text.as_bytes());
    Ok(())
}

/// The number that a value spells.
///
/// # Errors
/// When it is no number, or no string.
pub fn number_of(value: Value<'_>) -> Result<LongDouble, Error> {
    let text = match value {
        Value::Int(number) => return Ok(LongDouble::from_i64(number)),
        Value::Bytes(text) => text,
        Value::Object(ObjectRef::String(text)) => text,
        Value::Object(_) => return Err(Error::WRONG_TYPE),
    };
    LongDouble::parse(text).ok_or(Error::NOT_A_FLOAT)
}
