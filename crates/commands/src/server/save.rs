//! `SAVE`, `BGSAVE` and `LASTSAVE`.

use std::sync::atomic::Ordering;

use command::{Args, Categories, Ctx, Error, Flags, Group, Outcome, Spec};

/// `SAVE`
pub const SAVE: Spec = Spec {
    name: "save",
    arity: 1,
    flags: Flags::NO_ASYNC_LOADING
        .union(Flags::ADMIN)
        .union(Flags::NOSCRIPT)
        .union(Flags::NO_MULTI)
        .union(Flags::EXCLUSIVE),
    group: Group::Server,
    since: "1.0.0",
    summary: "Saves the data set while everybody waits.",
    complexity: "O(N) with N the number of keys.",
    run: save,
    ..Spec::BASE
};

/// `BGSAVE [SCHEDULE | CANCEL]`
pub const BGSAVE: Spec = Spec {
    name: "bgsave",
    arity: -1,
    flags: Flags::NO_ASYNC_LOADING
        .union(Flags::ADMIN)
        .union(Flags::NOSCRIPT)
        .union(Flags::EXCLUSIVE),
    group: Group::Server,
    since: "1.0.0",
    summary: "Saves the data set as it is now, in the background.",
    complexity: "O(1)",
    syntax: "[operation=(SCHEDULE | CANCEL)]",
    history: &[("3.2.2", "Added `SCHEDULE`."), ("8.1.0", "Added `CANCEL` (Valkey).")],
    run: bgsave,
    ..Spec::BASE
};

/// `LASTSAVE`
pub const LASTSAVE: Spec = Spec {
    name: "lastsave",
    arity: 1,
    flags: Flags::LOADING.union(Flags::STALE).union(Flags::FAST),
    categories: Categories::ADMIN.union(Categories::DANGEROUS),
    group: Group::Server,
    since: "1.0.0",
    summary: "Says when the data set was last saved, in seconds since the epoch.",
    complexity: "O(1)",
    tips: &["nondeterministic_output"],
    run: lastsave,
    ..Spec::BASE
};

const IN_PROGRESS: Error = Error::fixed("ERR Background save already in progress");

const OTHER_IN_PROGRESS: Error = Error::fixed(
    "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to \
     schedule a BGSAVE whenever possible.",
);

fn save(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    if ctx.services.persistence.saves().current.is_some() {
        return Err(IN_PROGRESS);
    }
    ctx.services.host.save(ctx.services, ctx.db.held())?;
    ctx.reply.ok();
    Ok(())
}

fn bgsave(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        1 => {}
        2 if args.is(1, "schedule") => {}
        2 if args.is(1, "cancel") => return cancel(ctx),
        _ => return Err(Error::SYNTAX),
    }
    if ctx.services.persistence.saves().current.is_some() {
        return Err(IN_PROGRESS);
    }
    let rewriting = ctx.services.aof.rewriting.load(Ordering::Relaxed);
    if rewriting && ctx.may_wait && args.len() == 1 {
        return Err(OTHER_IN_PROGRESS);
    }
    // A transaction is not interrupted by the end of a snapshot of its middle.
    if rewriting || !ctx.may_wait {
        ctx.services.persistence.saves().scheduled = true;
        ctx.reply.simple("Background saving scheduled");
        return Ok(());
    }
    ctx.services.host.save_in_background(ctx.services, ctx.db.held())?;
    ctx.reply.simple("Background saving started");
    Ok(())
}

fn cancel(ctx: &mut Ctx<'_>) -> Outcome {
    if give_up(ctx) {
        ctx.reply.simple("Background saving cancelled");
    } else if std::mem::take(&mut ctx.services.persistence.saves().scheduled) {
        ctx.reply.simple("Scheduled background saving cancelled");
    } else {
        return Err(Error::fixed(
            "ERR Background saving is currently not in progress or scheduled",
        ));
    }
    Ok(())
}

/// Gives up the snapshot under way in the background; false when there is none. Everything is held.
pub(super) fn give_up(ctx: &mut Ctx<'_>) -> bool {
    let current = ctx.services.persistence.saves().current.take();
    if let Some(current) = &current {
        current.handle.give_up();
        ctx.db.held().forget_witness();
    }
    current.is_some()
}

fn lastsave(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let last_s = ctx.services.persistence.saves().last_s;
    ctx.reply.integer(last_s);
    Ok(())
}
