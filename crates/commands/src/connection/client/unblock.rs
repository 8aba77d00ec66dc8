use command::{Args, Ctx, Error, Letter, Outcome, Spec};

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

fn unblock(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let with_error = match args.len() {
        3 => false,
        4 if args.is(3, "TIMEOUT") => false,
        4 if args.is(3, "ERROR") => true,
        4 => return Err(BAD_REASON),
        _ => return Err(crate::help::wrong_number(args)),
    };
    let id = u64::try_from(args.integer(2)?).ok();
    let parked = id.and_then(|id| ctx.services.parked.of_client(id));
    let ended = parked.filter(|parked| parked.announce_end());
    if let Some(parked) = &ended {
        let (client, ticket) = (parked.client.id, parked.ticket);
        parked.client.post(Letter::Unblock { client, ticket, with_error });
    }
    ctx.reply.integer(i64::from(ended.is_some()));
    Ok(())
}
