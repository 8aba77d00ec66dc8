use command::{Args, Ctx, Error, Flags, KeyFlags, KeySpec, Outcome, Spec};
use value::Item;
use value::set::Set;

use super::SET;
use crate::reply;

/// `SCARD key`
pub const SCARD: Spec = Spec {
    name: "scard",
    arity: 2,
    flags: Flags::READONLY.union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RO)],
    summary: "Returns the number of members of a set.",
    complexity: "O(1)",
    syntax: "key",
    run: scard,
    ..SET
};

fn scard(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let len = ctx.db.read::<Set>(args.key(1))?.map_or(0, Set::len);
    ctx.reply.integer(len as i64);
    Ok(())
}

/// `SISMEMBER key member [XX]`
pub const SISMEMBER: Spec = Spec {
    name: "sismember",
    arity: -3,
    flags: Flags::READONLY.union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RO)],
    summary: "Tells whether something is a member of a set.",
    complexity: "O(1)",
    syntax: "key member [condition=XX]",
    history: &[("9.2.0", "Valkey: `XX`.")],
    run: sismember,
    ..SET
};

fn sismember(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let tells_absence = match args.len() {
        3 => false,
        4 if args.is(3, "XX") => true,
        _ => return Err(Error::arity("sismember")),
    };
    let found = match ctx.db.read::<Set>(args.key(1))? {
        Some(set) => i64::from(set.contains(Item::parse(args.at(2)))),
        None if tells_absence => -1,
        None => 0,
    };
    ctx.reply.integer(found);
    Ok(())
}

/// `SMISMEMBER key member...`
pub const SMISMEMBER: Spec = Spec {
    name: "smismember",
    arity: -3,
    flags: Flags::READONLY.union(Flags::FAST),
    since: "6.2.0",
    summary: "Tells of several things whether they are members of a set.",
    complexity: "O(N) for N members",
    syntax: "key member...",
    run: smismember,
    ..SET
};

fn smismember(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let set = ctx.db.read::<Set>(args.key(1))?;
    ctx.reply.array(args.len() - 2);
    for member in args.iter_from(2) {
        let found = set.is_some_and(|set| set.contains(Item::parse(member)));
        ctx.reply.integer(i64::from(found));
    }
    Ok(())
}

/// `SMEMBERS key`
pub const SMEMBERS: Spec = Spec {
    name: "smembers",
    arity: 2,
    flags: Flags::READONLY.union(Flags::LINEAR),
    summary: "Returns all members of a set.",
    complexity: "O(N) for N members",
    syntax: "key",
    tips: &["nondeterministic_output_order"],
    run: smembers,
    ..SET
};

fn smembers(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let set = ctx.db.read::<Set>(args.key(1))?;
    ctx.reply.set(set.map_or(0, Set::len));
    if let Some(set) = set {
        set.iter().for_each(|member| reply::item(&mut ctx.reply, member));
    }
    Ok(())
}
