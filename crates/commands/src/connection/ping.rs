use command::{Args, Ctx, Error, Flags, Group, Outcome, Spec};
use resp::Protocol;

/// `PING [message]`
pub const PING: Spec = Spec {
    name: "ping",
    arity: -1,
    flags: Flags::FAST,
    group: Group::Connection,
    since: "1.0.0",
    summary: "Answers, to show that the connection works.",
    complexity: "O(1)",
    syntax: "[message]",
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: ping,
    ..Spec::BASE
};

fn ping(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    // Whoever reads messages in RESP2 gets an answer that looks like one.
    let among_messages =
        ctx.reply.protocol() == Protocol::Resp2 && ctx.session.client.figures.is_subscriber();
    match args.get(1) {
        _ if args.len() > 2 => return Err(Error::arity("ping")),
        message if among_messages => {
            ctx.reply.array(2);
            ctx.reply.bulk(b"pong");
            ctx.reply.bulk(message.unwrap_or_default());
        }
        Some(message) => ctx.reply.bulk(message),
        None => ctx.reply.simple("PONG"),
    }
    Ok(())
}
