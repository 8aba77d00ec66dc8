use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec, Watched};
use keyspace::KeyHash;

const ANYWHERE: Flags = Flags::NOSCRIPT
    .union(Flags::LOADING)
    .union(Flags::STALE)
    .union(Flags::FAST)
    .union(Flags::ALLOW_BUSY);

/// `WATCH key [key ...]`
pub const WATCH: Spec = Spec {
    name: "watch",
    arity: -2,
    flags: ANYWHERE,
    group: Group::Transactions,
    keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO)],
    since: "2.2.0",
    summary: "Makes the next EXEC fail if one of the keys changes before it.",
    complexity: "O(1) for every key.",
    syntax: "key...",
    run: watch,
    ..Spec::BASE
};

/// `UNWATCH`
pub const UNWATCH: Spec = Spec {
    name: "unwatch",
    arity: 1,
    flags: ANYWHERE,
    group: Group::Transactions,
    since: "2.2.0",
    summary: "Forgets all watched keys.",
    complexity: "O(1)",
    run: unwatch,
    ..Spec::BASE
};

fn watch(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if ctx.session.transaction.is_some() {
        return Err(Error::fixed("ERR WATCH inside MULTI is not allowed"));
    }
    let database = ctx.db.number();
    for index in 1..args.len() {
        let key = args.key(index);
        let known = |one: &Watched| one.database == database && *one.key == *key.bytes();
        if !ctx.session.watched.iter().any(known) {
            let version = ctx.db.watch(key);
            ctx.session.watched.push(Watched { database, key: key.bytes().into(), version });
        }
    }
    ctx.session.client.figures.watched.set(ctx.session.watched.len() as u64);
    ctx.reply.ok();
    Ok(())
}

fn unwatch(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    unwatch_all(ctx);
    ctx.reply.ok();
    Ok(())
}

/// Ends all watches of the client.
pub fn unwatch_all(ctx: &mut Ctx<'_>) {
    for watch in std::mem::take(&mut ctx.session.watched) {
        let shard = KeyHash::of(&watch.key).shard();
        ctx.db.held().visit(shard, |shard| shard.marks.unwatch(watch.database, &watch.key));
    }
    ctx.session.client.figures.watched.set(0);
}
