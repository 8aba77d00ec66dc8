use command::{Args, Ctx, Flags, Group, Outcome, Spec};

/// `ECHO message`
pub const ECHO: Spec = Spec {
    name: "echo",
    arity: 2,
    flags: Flags::LOADING.union(Flags::STALE).union(Flags::FAST),
    group: Group::Connection,
    since: "1.0.0",
    summary: "Sends the message back.",
    complexity: "O(1)",
    syntax: "message",
    run: echo,
    ..Spec::BASE
};

fn echo(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    ctx.reply.bulk(args.at(1));
    Ok(())
}
