use command::{Args, Ctx, Error, Flags, Group, Outcome, Spec};

const ANYWHERE: Flags =
    Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE).union(Flags::ALLOW_BUSY);

/// `MULTI`
pub const MULTI: Spec = Spec {
    name: "multi",
    arity: 1,
    flags: ANYWHERE.union(Flags::FAST),
    group: Group::Transactions,
    since: "1.2.0",
    summary: "Starts a transaction: the commands that follow are queued until EXEC.",
    complexity: "O(1)",
    run: multi,
    ..Spec::BASE
};

/// `EXEC`
pub const EXEC: Spec = Spec {
    name: "exec",
    arity: 1,
    flags: Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE).union(Flags::SKIP_SLOWLOG),
    group: Group::Transactions,
    since: "1.2.0",
    summary: "Runs the queued commands of a transaction, all or none and with nobody in between.",
    complexity: "Depends on the commands in the transaction",
    run: exec,
    ..Spec::BASE
};

/// `DISCARD`
pub const DISCARD: Spec = Spec {
    name: "discard",
    arity: 1,
    flags: ANYWHERE.union(Flags::FAST),
    group: Group::Transactions,
    since: "2.0.0",
    summary: "Forgets the queued commands of a transaction and ends it.",
    complexity: "O(N), when N is the number of queued commands",
    run: discard,
    ..Spec::BASE
};

fn multi(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    if ctx.session.transaction.is_some() {
        return Err(Error::fixed("ERR MULTI calls can not be nested"));
    }
    ctx.session.transaction = Some(command::Transaction::default());
    ctx.session.client.figures.queued.set(1);
    ctx.reply.ok();
    Ok(())
}

/// Reached only outside of a transaction.
fn exec(_: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    Err(Error::fixed("ERR EXEC without MULTI"))
}

fn discard(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    if ctx.session.transaction.take().is_none() {
        return Err(Error::fixed("ERR DISCARD without MULTI"));
    }
    ctx.session.client.figures.queued.set(0);
    super::watch::unwatch_all(ctx);
    ctx.reply.ok();
    Ok(())
}
