use command::{Args, Ctx, Error, Flags, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use env::RngCore;
use std::collections::HashSet;
use value::Item;
use value::set::Set;

use super::{SET, limits, packed};
use crate::draw::{Room, Selection};
use crate::{reach, reply};

/// `SPOP key [count]`
pub const SPOP: Spec = Spec {
    name: "spop",
    arity: -2,
    flags: Flags::WRITE.union(Flags::FAST).union(Flags::LINEAR),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE))],
    summary: "Takes random members out of a set.",
    complexity: "O(N) for N members taken",
    syntax: "key [count:integer]",
    history: &[("3.2.0", "The `count` argument.")],
    tips: &["nondeterministic_output"],
    reach: Some(|args, set| reach::count(args, set, 2)),
    run: spop,
    ..SET
};

/// Taking so many times more members than stay is done by moving those that stay.
const KEEP_FACTOR: usize = 5;

fn spop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        0..=2 => spop_one(ctx, args),
        3 => spop_some(ctx, args),
        _ => Err(Error::SYNTAX),
    }
}

fn spop_one(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let Some(set) = ctx.db.write::<Set>(key)? else {
        ctx.reply.null();
        return Ok(());
    };
    let (reply, effects) = (&mut ctx.reply, &mut ctx.effects);
    set.pop_random(ctx.random.next_u64(), |member| {
        reply::item(reply, member);
        member.with_bytes(|member| effects.instead(&[b"SREM", key.bytes(), member]));
    });
    let emptied = set.is_empty();
    ctx.db.changed(key, KeyspaceEvents::SET, "spop");
    if emptied && ctx.db.remove(key) {
        ctx.db.notify(key, KeyspaceEvents::GENERIC, "del");
    }
    Ok(())
}

fn spop_some(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let count = args.count(2)?;
    let key = args.key(1);
    let set = ctx.db.write::<Set>(key)?;
    let Some(set) = set.filter(|_| count > 0) else {
        ctx.reply.set(0);
        return Ok(());
    };
    let len = set.len();
    let taken = count.min(len);
    let kept = len - taken;
    ctx.reply.set(taken);
    let mut gone = Gone { members: Vec::new(), wanted: ctx.effects.wanted() && kept > 0 };
    if kept > 0 && kept.saturating_mul(KEEP_FACTOR) > taken {
        for _ in 0..taken {
            set.pop_random(ctx.random.next_u64(), |member| {
                reply::item(&mut ctx.reply, member);
                gone.add(member);
            });
        }
    } else {
        // What stays of a table may be small enough to be packed again.
        let mut rest = if set.encoding() == "intset" { Set::new() } else { packed(limits) };
        for _ in 0..kept {
            set.pop_random(ctx.random.next_u64(), |member| rest.insert(member, limits));
        }
        for member in set.iter() {
            reply::item(&mut ctx.reply, member);
            gone.add(member);
        }
        *set = rest;
    }
    if kept > 0 {
        gone.log(ctx, key.bytes());
    } else {
        ctx.effects.instead(&[b"DEL", key.bytes()]);
    }
    ctx.db.changed_by(taken, key, KeyspaceEvents::SET, "spop");
    if ctx.db.remove_if_empty::<Set>(key) {
        ctx.db.notify(key, KeyspaceEvents::GENERIC, "del");
    }
    Ok(())
}

/// Members that were taken, for the log: which, was chance.
struct Gone {
    members: Vec<Vec<u8>>,
    wanted: bool,
}

impl Gone {
    /// Members that one logged command removes.
    const AT_ONCE: usize = 1024;

    fn add(&mut self, member: Item<'_>) {
        if self.wanted {
            self.members.push(member.to_vec());
        }
    }

    fn log(&self, ctx: &mut Ctx<'_>, key: &[u8]) {
        ctx.effects.not_itself();
        for members in self.members.chunks(Self::AT_ONCE) {
            ctx.effects.instead_list(&[b"SREM", key], members.iter().map(Vec::as_slice));
        }
    }
}

/// `SRANDMEMBER key [count]`
pub const SRANDMEMBER: Spec = Spec {
    name: "srandmember",
    arity: -2,
    flags: Flags::READONLY.union(Flags::LINEAR),
    summary: "Returns random members of a set.",
    complexity: "O(N) for N members returned",
    syntax: "key [count:integer]",
    history: &[("2.6.0", "The `count` argument.")],
    tips: &["nondeterministic_output"],
    reach: Some(|args, set| reach::count(args, set, 2)),
    run: srandmember,
    ..SET
};

/// Up to this fraction of a set, members are drawn one by one; beyond, the set is walked once.
const DRAW_FRACTION: usize = 3;

fn srandmember(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        0..=2 => {
            let set = ctx.db.read::<Set>(args.key(1))?;
            match set.and_then(|set| set.random(ctx.random.next_u64())) {
                Some(member) => reply::item(&mut ctx.reply, member),
                None => ctx.reply.null(),
            }
            return Ok(());
        }
        3 => {}
        _ => return Err(Error::SYNTAX),
    }
    let wanted = args.integer(2)?;
    if wanted == i64::MIN {
        return Err(Error::BELOW_LEAST);
    }
    let count = usize::try_from(wanted.unsigned_abs()).unwrap_or(usize::MAX);
    let Some(set) = ctx.db.read::<Set>(args.key(1))?.filter(|_| count > 0) else {
        ctx.reply.array(0);
        return Ok(());
    };
    if wanted < 0 {
        let room = Room::new(&ctx.reply, ctx.config, count as u64)?;
        ctx.reply.array(count);
        for _ in 0..count {
            if let Some(member) = set.random(ctx.random.next_u64()) {
                reply::item(&mut ctx.reply, member);
            }
            room.check(&ctx.reply)?;
        }
        return Ok(());
    }
    let count = count.min(set.len());
    ctx.reply.array(count);
    if set.encoding() == "hashtable" && count.saturating_mul(DRAW_FRACTION) <= set.len() {
        let mut drawn: HashSet<Item<'_>> = HashSet::with_capacity(count);
        while drawn.len() < count {
            if let Some(member) = set.random(ctx.random.next_u64())
                && drawn.insert(member)
            {
                reply::item(&mut ctx.reply, member);
            }
        }
    } else {
        let mut selection = Selection::new(count, set.len());
        for member in set.iter() {
            if selection.takes(ctx.random.next_u64()) {
                reply::item(&mut ctx.reply, member);
            }
        }
    }
    Ok(())
}
