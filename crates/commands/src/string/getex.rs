use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;

use super::expiry::Expiry;
use super::get::reply_string;
use crate::logged;

/// `GETEX key [expiration]`
pub const GETEX: Spec = Spec {
    name: "getex",
    arity: -2,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))],
    since: "6.2.0",
    summary: "Returns the string that a key holds, and sets or removes its expiry.",
    complexity: "O(1)",
    syntax: "key [expiration=(EX seconds:integer | PX milliseconds:integer \
        | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST)]",
    run: getex,
    ..Spec::BASE
};

/// What becomes of the expiry.
#[derive(Clone, Copy)]
enum Change {
    Nothing,
    Persist,
    Expire(Expiry),
}

fn parse(args: Args<'_>) -> Result<Change, Error> {
    let mut change = Change::Nothing;
    let mut index = 2;
    while index < args.len() {
        change = match (Expiry::option(args, index), change) {
            (Some(expiry), Change::Nothing) => Change::Expire(expiry),
            (Some(expiry), Change::Expire(before)) if before.is_same_option(expiry) => {
                Change::Expire(expiry)
            }
            (None, Change::Nothing | Change::Persist) if args.is(index, "PERSIST") => {
                Change::Persist
            }
            _ => return Err(Error::SYNTAX),
        };
        index += if matches!(change, Change::Expire(_)) { 2 } else { 1 };
    }
    Ok(change)
}

fn getex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let change = parse(args)?;
    let key = args.key(1);
    let entry = ctx.db.get(key);
    reply_string(&mut ctx.reply, ctx.may_leave, entry.map(|entry| entry.value()))?;
    let Some(entry) = entry else { return Ok(()) };
    let has_deadline = entry.deadline_ms().is_some();
    match change {
        Change::Nothing => {}
        Change::Persist if !has_deadline => {}
        Change::Persist => {
            ctx.db.set_deadline(key, None);
            ctx.db.changed(key, KeyspaceEvents::GENERIC, "persist");
            ctx.effects.instead(&[b"PERSIST", args.at(1)]);
        }
        Change::Expire(expiry) => {
            let deadline_ms = expiry.deadline_ms(args, ctx.now_ms(), "getex")?;
            if expiry.is_absolute() && deadline_ms <= ctx.db.horizon_ms() {
                ctx.db.remove(key);
                ctx.db.changed(key, KeyspaceEvents::GENERIC, "del");
                logged::expired(ctx, args.at(1));
            } else {
                ctx.db.set_deadline(key, Some(deadline_ms));
                ctx.db.changed(key, KeyspaceEvents::GENERIC, "expire");
                logged::pexpireat(ctx, args.at(1), deadline_ms);
            }
        }
    }
    Ok(())
}
