use command::{Args, Close, Ctx, Error, Flags, Group, Outcome, Shutdown, Spec};

/// `SHUTDOWN`
pub const SHUTDOWN: Spec = Spec {
    name: "shutdown",
    arity: -1,
    flags: Flags::ADMIN
        .union(Flags::NOSCRIPT)
        .union(Flags::LOADING)
        .union(Flags::STALE)
        .union(Flags::NO_MULTI)
        .union(Flags::ALLOW_BUSY),
    group: Group::Server,
    since: "1.0.0",
    summary: "Saves the data set as configured or asked, and ends the server.",
    complexity: "O(N) in the number of keys when it saves, O(1) otherwise",
    syntax: "[(NOSAVE | SAVE)] [NOW] [FORCE] [ABORT]",
    history: &[("7.0.0", "`NOW`, `FORCE` and `ABORT`.")],
    // Without saving it can end even while a script occupies everything.
    needs_all: Some(|args| !args.is(1, "NOSAVE")),
    run: shutdown,
    ..Spec::BASE
};

fn shutdown(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut how = Shutdown::default();
    let (mut save, mut nosave, mut abort) = (false, false, false);
    for word in args.iter_from(1) {
        match word.to_ascii_lowercase().as_slice() {
            b"nosave" => nosave = true,
            b"save" => save = true,
            b"now" => how.now = true,
            b"force" => how.force = true,
            b"abort" => abort = true,
            _ => return Err(Error::SYNTAX),
        }
    }
    if (save && nosave) || (abort && args.len() > 2) {
        return Err(Error::SYNTAX);
    }
    if abort {
        if !ctx.services.host.abort_shutdown() {
            return Err(Error::fixed("ERR No shutdown in progress."));
        }
        tracing::warn!("Shutdown manually aborted.");
        ctx.reply.ok();
        return Ok(());
    }
    how.save = if save || nosave { Some(save) } else { None };
    if ctx.db.held().is_all() {
        ctx.services.host.prepare_shutdown(ctx.services, ctx.db.held(), how)?;
    }
    ctx.services.host.shutdown(how)?;
    // There is no reply: the end of the connection tells the client.
    ctx.session.close = Close::WithProcess;
    Ok(())
}
