use command::{Args, Ctx, Error, Flags, Outcome, Spec};

/// `CLIENT UNBLOCK client-id [TIMEOUT | ERROR]`
pub const UNBLOCK: Spec = Spec {
    name: "unblock",
    arity: -3,
    // The locks of the keys that the other client waits for are taken one by one.
    flags: super::ADMIN.union(Flags::WALK),
    since: "5.0.0",
    summary: "Ends the wait of a client in a blocking command.",
    complexity: "O(log N) where N is the number of client connections",
    syntax: "client-id:integer [timeout_error=(TIMEOUT | ERROR)]",
    run: unblock,
    ..super::BASE
};

const BAD_REASON: Error = Error::fixed("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");

fn unblock(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let with_error = match args.len() {
        3 => false,
        4 if args.is(3, "TIMEOUT") => false,
        4 if args.is(3, "ERROR") => true,
        4 => return Err(BAD_REASON),
        _ => return Err(crate::help::wrong_number(args)),
    };
    let id = args.integer(2)?;
    let unblock = |id| ctx.services.parked.unblock(id, with_error, ctx.db.held());
    let ended = u64::try_from(id).ok().and_then(unblock);
    if let Some(command) = ended.filter(|_| with_error) {
        let counters = ctx.db.counters();
        counters.errors.add(1);
        counters.command(command.id()).failed.add(1);
        ctx.services.statistics.count_error(Error::UNBLOCKED.prefix());
    }
    ctx.reply.integer(i64::from(ended.is_some()));
    Ok(())
}
