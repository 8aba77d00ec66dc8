use std::sync::atomic::Ordering;

use command::{Args, Categories, Ctx, Error, Flags, Group, Outcome, Spec};

/// `BGREWRITEAOF`
pub const BGREWRITEAOF: Spec = Spec {
    name: "bgrewriteaof",
    arity: 1,
    flags: Flags::NO_ASYNC_LOADING.union(Flags::ADMIN).union(Flags::NOSCRIPT),
    categories: Categories::empty(),
    group: Group::Server,
    since: "1.0.0",
    summary: "Writes the append-only files anew, in the background.",
    complexity: "O(1)",
    run: bgrewriteaof,
    ..Spec::BASE
};

const UNDER_WAY: Error =
    Error::fixed("ERR Background append only file rewriting already in progress");

fn bgrewriteaof(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let (status, persistence) = (&ctx.services.aof, &ctx.services.persistence);
    let waits = !ctx.may_wait || persistence.saves().current.is_some();
    if waits && !status.rewriting.load(Ordering::Relaxed) {
        status.scheduled.store(true, Ordering::Relaxed);
        ctx.reply.simple("Background append only file rewriting scheduled");
        return Ok(());
    }
    if !ctx.services.aof.ask_rewrite() {
        return Err(UNDER_WAY);
    }
    ctx.reply.simple("Background append only file rewriting started");
    Ok(())
}
