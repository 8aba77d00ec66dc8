use command::{Args, Categories, Ctx, Databases, Error, Flags, Group, Outcome, Spec, Targets};

/// `FLUSHALL [ASYNC | SYNC]`
pub const FLUSHALL: Spec = Spec {
    name: "flushall",
    summary: "Removes all keys of all databases.",
    complexity: "O(N) with N the number of keys; other clients wait only while tables are set aside.",
    databases: Databases::All,
    run: flushall,
    ..FLUSH
};

/// `FLUSHDB [ASYNC | SYNC]`
pub const FLUSHDB: Spec = Spec {
    name: "flushdb",
    summary: "Removes all keys of the database.",
    complexity: "O(N) with N the number of keys; other clients wait only while tables are set aside.",
    run: flushdb,
    ..FLUSH
};

const FLUSH: Spec = Spec {
    arity: -1,
    flags: Flags::WRITE.union(Flags::EXCLUSIVE).union(Flags::LINEAR),
    // What is not freed in the background is freed by a helper.
    reach: Some(|args, _| if args.is(args.len() - 1, "async") { 0 } else { usize::MAX }),
    categories: Categories::KEYSPACE.union(Categories::DANGEROUS),
    group: Group::Server,
    since: "1.0.0",
    syntax: "[flush-type=(ASYNC | SYNC)]",
    history: &[("4.0.0", "Added `ASYNC`."), ("6.2.0", "Added `SYNC`.")],
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    ..Spec::BASE
};

/// Whether values are freed in the background.
fn background(ctx: &Ctx<'_>, args: Args<'_>) -> Result<bool, Error> {
    match args.len() {
        1 => Ok(ctx.config.lazyfree_lazy_user_flush),
        2 if args.is(1, "sync") => Ok(false),
        2 if args.is(1, "async") => Ok(true),
        _ => Err(Error::SYNTAX),
    }
}

fn flushall(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let background = background(ctx, args)?;
    // Replicas may have keys that are not here any more.
    ctx.effects.always(Targets::all());
    for number in 0..ctx.services.keyspace.databases() {
        let keys = ctx.db.within(number, |db| db.clear(background));
        ctx.db.add_changes(keys);
    }
    if super::save::give_up(ctx) {
        tracing::warn!("The snapshot under way was given up for FLUSHALL");
    }
    if !ctx.config.save.is_empty() {
        // Whoever starts the server anew finds it empty too. The log says why that may fail.
        let saved = ctx.services.host.save(ctx.services, ctx.db.held());
        if saved.is_ok() {
            // What this command changes is in the file, and is counted when it has run.
            ctx.services.persistence.saves().changes += ctx.db.changes();
        }
    }
    ctx.reply.ok();
    Ok(())
}

fn flushdb(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let background = background(ctx, args)?;
    // Replicas may have keys that are not here any more.
    ctx.effects.always(Targets::all());
    let keys = ctx.db.clear(background);
    ctx.db.add_changes(keys);
    ctx.reply.ok();
    Ok(())
}
