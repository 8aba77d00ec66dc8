use command::{Args, Ctx, Error, Flags, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Key;
use value::Item;
use value::set::Set;

use super::{SET, limits};

/// `SADD key member...`
pub const SADD: Spec = Spec {
    name: "sadd",
    arity: -3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::INSERT))],
    summary: "Adds members to a set, which is made when there is none.",
    complexity: "O(N) for N members",
    syntax: "key member...",
    history: &[("2.4.0", "Several members.")],
    run: sadd,
    ..SET
};

fn sadd(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let key = args.key(1);
    let count = args.len() - 2;
    let make = || Set::for_items(Item::parse(args.at(2)), count, limits);
    let set = ctx.db.write_or_make(key, make)?;
    set.before_growth(count, limits);
    let members = args.iter_from(2);
    let added = members.filter(|member| set.insert(Item::parse(member), limits)).count();
    if added > 0 {
        ctx.db.changed_by(added, key, KeyspaceEvents::SET, "sadd");
    }
    ctx.reply.integer(added as i64);
    Ok(())
}

/// `SREM key member...`
pub const SREM: Spec = Spec {
    name: "srem",
    arity: -3,
    flags: Flags::WRITE.union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::DELETE))],
    summary: "Removes members from a set.",
    complexity: "O(N) for N members",
    syntax: "key member...",
    history: &[("2.4.0", "Several members.")],
    run: srem,
    ..SET
};

fn srem(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let (mut removed, mut emptied) = (0, false);
    if let Some(set) = ctx.db.write::<Set>(key)? {
        removed = args.iter_from(2).filter(|member| set.remove(Item::parse(member))).count();
        emptied = set.is_empty();
    }
    if removed > 0 {
        ctx.db.changed_by(removed, key, KeyspaceEvents::SET, "srem");
        if emptied && ctx.db.remove(key) {
            ctx.db.notify(key, KeyspaceEvents::GENERIC, "del");
        }
    }
    ctx.reply.integer(removed as i64);
    Ok(())
}

/// `SMOVE source destination member`
pub const SMOVE: Spec = Spec {
    name: "smove",
    arity: 4,
    flags: Flags::WRITE.union(Flags::FAST),
    keys: &[
        KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE)),
        KeySpec::one(2, KeyFlags::RW.union(KeyFlags::INSERT)),
    ],
    summary: "Moves a member from one set to another.",
    complexity: "O(1)",
    syntax: "source destination member",
    run: smove,
    ..SET
};

fn smove(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (source, destination) = (args.key(1), args.key(2));
    let moved = transfer(ctx, source, destination, Item::parse(args.at(3)))?;
    ctx.reply.integer(i64::from(moved));
    Ok(())
}

fn transfer(
    ctx: &mut Ctx<'_>,
    source: Key<'_>,
    destination: Key<'_>,
    member: Item<'_>,
) -> Result<bool, Error> {
    let limits = limits(ctx.config);
    if !ctx.db.contains(source) {
        return Ok(false);
    }
    // Both types are checked before anything changes.
    ctx.db.write::<Set>(source)?;
    ctx.db.write::<Set>(destination)?;
    let Some(set) = ctx.db.write::<Set>(source)? else { return Ok(false) };
    if source.bytes() == destination.bytes() {
        return Ok(set.contains(member));
    }
    if !set.remove(member) {
        return Ok(false);
    }
    ctx.db.changed(source, KeyspaceEvents::SET, "srem");
    if ctx.db.remove_if_empty::<Set>(source) {
        ctx.db.notify(source, KeyspaceEvents::GENERIC, "del");
    }
    let set = ctx.db.write_or_make(destination, || Set::for_items(member, 1, limits))?;
    if set.insert(member, limits) {
        ctx.db.changed(destination, KeyspaceEvents::SET, "sadd");
    }
    Ok(true)
}
