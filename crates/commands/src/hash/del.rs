use command::{Args, Ctx, Error, Flags, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use value::Item;
use value::hash::Hash;

use super::{HASH, access};
use crate::lifetime::{Parts, first};
use crate::reply;

/// `HDEL key field...`
pub const HDEL: Spec = Spec {
    name: "hdel",
    arity: -3,
    flags: Flags::WRITE.union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::DELETE))],
    summary: "Removes fields of a hash.",
    complexity: "O(N) for N fields",
    syntax: "key field...",
    history: &[("2.4.0", "Several fields.")],
    run: hdel,
    ..HASH
};

fn hdel(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let removed = access::write(&mut ctx.db, key, |hash| {
        hash.map_or(0, |hash| {
            args.iter_from(2).filter(|name| hash.remove(Item::parse(name))).count()
        })
    })?;
    if removed > 0 {
        ctx.db.changed_by(removed, key, KeyspaceEvents::HASH, "hdel");
        access::remove_if_empty(&mut ctx.db, key);
    }
    ctx.reply.integer(removed as i64);
    Ok(())
}

/// `HGETDEL key FIELDS numfields field...`
pub const HGETDEL: Spec = Spec {
    name: "hgetdel",
    arity: -5,
    flags: Flags::WRITE.union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE))],
    since: "8.0.0",
    summary: "Returns the values of fields of a hash and removes them.",
    complexity: "O(N) for N fields",
    syntax: "key fields=(FIELDS numfields:integer field...)",
    run: hgetdel,
    ..HASH
};

fn hgetdel(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let removed = access::write(&mut ctx.db, key, |mut hash| {
        let first = first(args, 2, Hash::WORDS, Hash::WORDS.not_positive)?;
        ctx.reply.array(args.len() - first);
        let mut removed = Vec::new();
        for name in args.iter_from(first) {
            let taken = hash.as_mut().and_then(|hash| {
                hash.take(Item::parse(name), |field| reply::item(&mut ctx.reply, field.value))
            });
            match taken {
                Some(()) => removed.push(name),
                None => ctx.reply.null(),
            }
        }
        Ok::<_, Error>(removed)
    })??;
    if !removed.is_empty() {
        ctx.db.changed_by(removed.len(), key, KeyspaceEvents::HASH, "hdel");
        ctx.effects.instead_list(&[b"HDEL", key.bytes()], removed.into_iter());
        access::remove_if_empty(&mut ctx.db, key);
    }
    Ok(())
}
