use command::{Args, Ctx, Error, Outcome, Spec};

/// `CLIENT PAUSE timeout [WRITE | ALL]`
pub const PAUSE: Spec = Spec {
    name: "pause",
    arity: -3,
    flags: super::ADMIN,
    since: "2.9.50",
    summary: "Holds commands back for a time.",
    syntax: "timeout:integer [mode=(WRITE | ALL)]",
    history: &[("6.2.0", "The mode WRITE, which holds back only what writes.")],
    run: pause,
    ..super::BASE
};

/// `CLIENT UNPAUSE`
pub const UNPAUSE: Spec = Spec {
    name: "unpause",
    arity: 2,
    flags: super::ADMIN,
    since: "6.2.0",
    summary: "Ends a pause.",
    complexity: "O(N) where N is the number of clients that wait",
    run: unpause,
    ..super::BASE
};

const BAD_MODE: Error = Error::fixed("ERR CLIENT PAUSE mode must be WRITE or ALL");
const NOT_A_TIMEOUT: Error = Error::fixed("ERR timeout is not an integer or out of range");
const NEGATIVE: Error = Error::fixed("ERR timeout is negative");
const TOO_LONG: Error = Error::fixed("ERR timeout is out of range");

fn pause(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let all = match args.len() {
        3 => true,
        4 if args.is(3, "WRITE") => false,
        4 if args.is(3, "ALL") => true,
        4 => return Err(BAD_MODE),
        _ => return Err(crate::help::wrong_number(args)),
    };
    let now_ms = ctx.now_ms();
    let timeout_ms = args.integer(2).map_err(|_| NOT_A_TIMEOUT)?;
    if timeout_ms < 0 {
        return Err(NEGATIVE);
    }
    let until_ms = now_ms.checked_add(timeout_ms).ok_or(TOO_LONG)?;
    ctx.services.pause.start(until_ms, all, now_ms);
    ctx.reply.ok();
    Ok(())
}

fn unpause(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.services.pause.stop();
    ctx.services.clients.resume();
    ctx.reply.ok();
    Ok(())
}
