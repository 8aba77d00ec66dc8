use command::{Args, Ctx, Error, Outcome, Spec};

/// `CLIENT UNBLOCK client-id [TIMEOUT | ERROR]`
pub const UNBLOCK: Spec = Spec {
    name: "unblock",
    arity: -3,
    flags: super::ADMIN,
    since: "5.0.0",
    summary: "Ends the wait of a client in a blocking command.",
    complexity: "O(log N) where N is the number of client connections",
    syntax: "client-id:integer [timeout_error=(TIMEOUT | ERROR)]",
    run: unblock,
    ..super::BASE
};

const BAD_REASON: Error = Error::fixed("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");

/// No command waits yet, so there is nobody whose wait could end.
fn unblock(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        3 => {}
        4 if args.is(3, "TIMEOUT") || args.is(3, "ERROR") => {}
        4 => return Err(BAD_REASON),
        _ => return Err(crate::help::wrong_number(args)),
    }
    args.integer(2)?;
    ctx.reply.integer(0);
    Ok(())
}
