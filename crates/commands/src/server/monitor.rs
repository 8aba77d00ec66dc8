use command::{Args, Ctx, Flags, Group, Outcome, Spec};

/// `MONITOR`
pub const MONITOR: Spec = Spec {
    name: "monitor",
    arity: 1,
    flags: Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE),
    group: Group::Server,
    since: "1.0.0",
    summary: "Shows every command that the server executes.",
    run: monitor,
    ..Spec::BASE
};

/// One that reads the stream already gets no reply: it could not tell it from the stream.
fn monitor(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let client = &ctx.session.client;
    if !client.figures.monitor.load(std::sync::atomic::Ordering::Relaxed) {
        ctx.services.clients.set_monitor(client, true);
        ctx.reply.ok();
    }
    Ok(())
}
