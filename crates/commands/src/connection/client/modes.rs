use std::sync::atomic::Ordering;

use command::{Args, Ctx, Error, Outcome, ReplyMode, Spec};

/// `CLIENT REPLY ON | OFF | SKIP`
pub const REPLY: Spec = Spec {
    name: "reply",
    arity: 3,
    since: "3.2.0",
    summary: "Turns replies off, or on again.",
    syntax: "on_off_skip=(ON | OFF | SKIP)",
    run: reply,
    ..super::BASE
};

/// `CLIENT NO-EVICT ON | OFF`
pub const NO_EVICT: Spec = Spec {
    name: "no-evict",
    arity: 3,
    flags: super::ADMIN,
    since: "7.0.0",
    summary: "Exempts this connection when clients are closed for lack of memory.",
    syntax: "enabled=(ON | OFF)",
    run: no_evict,
    ..super::BASE
};

/// `CLIENT NO-TOUCH ON | OFF`
pub const NO_TOUCH: Spec = Spec {
    name: "no-touch",
    arity: 3,
    since: "7.2.0",
    summary: "Leaves access times and frequencies as they are when this connection reads keys.",
    syntax: "enabled=(ON | OFF)",
    run: no_touch,
    ..super::BASE
};

/// `CLIENT CAPA capability [capability ...]`
pub const CAPA: Spec = Spec {
    name: "capa",
    arity: -3,
    since: "8.0.0",
    summary: "Says what the client can do.",
    complexity: "O(1)",
    syntax: "capability ...",
    run: capa,
    ..super::BASE
};

fn reply(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.is(2, "ON") {
        ctx.session.reply_mode = ReplyMode::On;
        ctx.reply.ok();
    } else if args.is(2, "OFF") {
        ctx.session.reply_mode = ReplyMode::Off;
    } else if args.is(2, "SKIP") {
        if ctx.session.reply_mode != ReplyMode::Off {
            ctx.session.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(Error::SYNTAX);
    }
    Ok(())
}

fn no_evict(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let on = on_or_off(args)?;
    ctx.session.client.figures.no_evict.store(on, Ordering::Relaxed);
    ctx.reply.ok();
    Ok(())
}

fn no_touch(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    ctx.session.no_touch = on_or_off(args)?;
    ctx.session.client.figures.no_touch.store(ctx.session.no_touch, Ordering::Relaxed);
    ctx.reply.ok();
    Ok(())
}

/// Capabilities that nobody knows here are no error: newer clients have more of them.
fn capa(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if (2..args.len()).any(|word| args.is(word, "REDIRECT")) {
        ctx.session.client.figures.follows_redirects.store(true, Ordering::Relaxed);
    }
    ctx.reply.ok();
    Ok(())
}

fn on_or_off(args: Args<'_>) -> Result<bool, Error> {
    match (args.is(2, "ON"), args.is(2, "OFF")) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(Error::SYNTAX),
    }
}
