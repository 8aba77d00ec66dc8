use command::{Args, Ctx, Deadline, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use keyspace::Payload;

use super::expiry::Expiry;
use super::get::reply_string;
use super::set::{store, stored};
use crate::logged;

/// `SETNX key value`
pub const SETNX: Spec = Spec {
    name: "setnx",
    arity: 3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::OW.union(KeyFlags::INSERT))],
    since: "1.0.0",
    summary: "Stores a string under a key that does not exist yet.",
    complexity: "O(1)",
    syntax: "key value",
    run: setnx,
    ..Spec::BASE
};

/// `SETEX key seconds value`
pub const SETEX: Spec = Spec {
    name: "setex",
    arity: 4,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::OW.union(KeyFlags::UPDATE))],
    since: "2.0.0",
    summary: "Stores a string that expires after some seconds.",
    complexity: "O(1)",
    syntax: "key seconds:integer value",
    run: |ctx, args| set_for(ctx, args, Expiry::seconds(2), "setex"),
    ..Spec::BASE
};

/// `PSETEX key milliseconds value`
pub const PSETEX: Spec = Spec {
    name: "psetex",
    arity: 4,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::OW.union(KeyFlags::UPDATE))],
    since: "2.6.0",
    summary: "Stores a string that expires after some milliseconds.",
    complexity: "O(1)",
    syntax: "key milliseconds:integer value",
    run: |ctx, args| set_for(ctx, args, Expiry::milliseconds(2), "psetex"),
    ..Spec::BASE
};

/// `GETSET key value`
pub const GETSET: Spec = Spec {
    name: "getset",
    arity: 3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))],
    since: "1.0.0",
    summary: "Stores a string under a key and returns the one before.",
    complexity: "O(1)",
    syntax: "key value",
    deprecated: Some(("6.2.0", "`SET` with the `!GET` argument")),
    run: getset,
    ..Spec::BASE
};

fn setnx(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let payload = Payload::string(args.at(2));
    let is_stored = ctx.db.put_if(key, payload, Deadline::None, |before| before.is_none());
    if is_stored {
        stored(ctx, key, Deadline::None);
    }
    ctx.reply.integer(is_stored.into());
    Ok(())
}

fn set_for(ctx: &mut Ctx<'_>, args: Args<'_>, expiry: Expiry, command: &str) -> Outcome {
    let deadline = Deadline::At(expiry.deadline_ms(args, ctx.now_ms(), command)?);
    store(ctx, args.key(1), args.at(3), deadline);
    logged::set(ctx, args.at(1), args.at(3), deadline);
    ctx.reply.ok();
    Ok(())
}

fn getset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    reply_string(&mut ctx.reply, ctx.may_leave, ctx.db.get(key).map(|entry| entry.value()))?;
    store(ctx, key, args.at(2), Deadline::None);
    logged::set(ctx, args.at(1), args.at(2), Deadline::None);
    Ok(())
}
