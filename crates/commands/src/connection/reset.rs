use command::{Args, Ctx, Flags, Group, Outcome, Spec};

/// `RESET`
pub const RESET: Spec = Spec {
    name: "reset",
    arity: 1,
    flags: Flags::NOSCRIPT
        .union(Flags::LOADING)
        .union(Flags::STALE)
        .union(Flags::FAST)
        .union(Flags::NO_AUTH)
        .union(Flags::ALLOW_BUSY),
    group: Group::Connection,
    since: "6.2.0",
    summary: "Puts the connection back into the state in which it began.",
    complexity: "O(1)",
    run: reset,
    ..Spec::BASE
};

fn reset(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.session.transaction = None;
    ctx.session.client.figures.queued.set(0);
    crate::transactions::unwatch_all(ctx);
    crate::pubsub::leave_all(ctx);
    if let Some(tracker) = ctx.session.client.tracker() {
        ctx.services.tracking.stop(tracker);
    }
    let acl = &ctx.services.acl;
    let (user, authenticated) = (acl.default_user().clone(), acl.default_needs_no_password());
    ctx.session.reset(&ctx.services.clients, user, authenticated);
    ctx.reply.set_protocol(ctx.session.protocol);
    ctx.reply.simple("RESET");
    Ok(())
}
