use command::{Args, Close, Ctx, Flags, Group, Outcome, Spec};

/// `QUIT`
pub const QUIT: Spec = Spec {
    name: "quit",
    arity: -1,
    flags: Flags::ALLOW_BUSY
        .union(Flags::NOSCRIPT)
        .union(Flags::LOADING)
        .union(Flags::STALE)
        .union(Flags::FAST)
        .union(Flags::NO_AUTH),
    group: Group::Connection,
    since: "1.0.0",
    summary: "Closes the connection once all replies have been sent.",
    complexity: "O(1)",
    run: quit,
    ..Spec::BASE
};

fn quit(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.services.clients.set_monitor(&ctx.session.client, false);
    ctx.reply.ok();
    ctx.session.close = Close::AfterReply;
    Ok(())
}
