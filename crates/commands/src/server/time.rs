use command::{Args, Ctx, Flags, Group, Outcome, Spec};

/// `TIME`
pub const TIME: Spec = Spec {
    name: "time",
    arity: 1,
    flags: Flags::LOADING.union(Flags::STALE).union(Flags::FAST),
    group: Group::Server,
    since: "2.6.0",
    summary: "Returns the server's time: seconds since the epoch, and microseconds.",
    complexity: "O(1)",
    tips: &["nondeterministic_output"],
    run: time,
    ..Spec::BASE
};

fn time(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let now_us = ctx.now_us;
    ctx.reply.array(2);
    ctx.reply.bulk_int(now_us / 1_000_000);
    ctx.reply.bulk_int(now_us % 1_000_000);
    Ok(())
}
