use codec::long_double::LongDouble;
use command::{Args, Ctx, Error, Flags, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use value::Item;
use value::hash::{Hash, Ttl};

use super::{HASH, access, limits};

const INCREMENT: Spec = Spec {
    arity: 4,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))],
    complexity: "O(1)",
    ..HASH
};

const NOT_AN_INTEGER: Error = Error::fixed("ERR hash value is not an integer");
const NOT_A_FLOAT: Error = Error::fixed("ERR hash value is not a float");
const INFINITE: Error = Error::fixed("ERR value is NaN or Infinity");
const BECOMES_INFINITE: Error = Error::fixed("ERR increment would produce NaN or Infinity");

/// `HINCRBY key field increment`
pub const HINCRBY: Spec = Spec {
    name: "hincrby",
    summary: "Adds to the integer in a field of a hash.",
    syntax: "key field increment:integer",
    run: hincrby,
    ..INCREMENT
};

fn hincrby(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let key = args.key(1);
    let name = Item::parse(args.at(2));
    let increment = args.integer(3)?;
    let sum = change(ctx, args, |hash| {
        let old = match hash.get(name) {
            Some(value) => value.as_int().ok_or(NOT_AN_INTEGER)?,
            None => 0,
        };
        let sum = old.checked_add(increment).ok_or(Error::OVERFLOW)?;
        hash.set(name, Item::Int(sum), Ttl::Keep, limits);
        Ok(sum)
    })?;
    ctx.db.changed(key, KeyspaceEvents::HASH, "hincrby");
    ctx.reply.integer(sum);
    Ok(())
}

/// `HINCRBYFLOAT key field increment`
pub const HINCRBYFLOAT: Spec = Spec {
    name: "hincrbyfloat",
    since: "2.6.0",
    summary: "Adds to the number in a field of a hash.",
    syntax: "key field increment:double",
    run: hincrbyfloat,
    ..INCREMENT
};

fn hincrbyfloat(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let key = args.key(1);
    let name = Item::parse(args.at(2));
    let increment = LongDouble::parse(args.at(3)).ok_or(Error::NOT_A_FLOAT)?;
    if increment.is_nan() || increment.is_infinite() {
        return Err(INFINITE);
    }
    let sum = change(ctx, args, |hash| {
        let old = match hash.get(name) {
            Some(Item::Int(int)) => LongDouble::from_i64(int),
            Some(Item::Bytes(text)) => LongDouble::parse(text).ok_or(NOT_A_FLOAT)?,
            None => LongDouble::from_i64(0),
        };
        let sum = old + increment;
        if sum.is_nan() || sum.is_infinite() {
            return Err(BECOMES_INFINITE);
        }
        let text = sum.to_text();
        hash.set(name, Item::parse(text.as_bytes()), Ttl::Keep, limits);
        Ok(text)
    })?;
    ctx.db.changed(key, KeyspaceEvents::HASH, "hincrbyfloat");
    ctx.effects.instead(&[b"HSET", args.at(1), args.at(2), sum.as_bytes()]);
    ctx.reply.bulk(sum.as_bytes());
    Ok(())
}

/// Changes the hash at the command's key, made when there is none. An error leaves no empty hash.
fn change<R>(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    work: impl FnOnce(&mut Hash) -> Result<R, Error>,
) -> Result<R, Error> {
    let key = args.key(1);
    let result = access::write_or_make(&mut ctx.db, key, work)?;
    if result.is_err() {
        ctx.db.remove_if_empty::<Hash>(key);
    }
    result
}
