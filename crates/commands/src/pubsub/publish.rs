use command::{Args, Channels, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};

const FLAGS: Flags = Flags::PUBSUB
    .union(Flags::LOADING)
    .union(Flags::STALE)
    .union(Flags::FAST)
    .union(Flags::MAY_REPLICATE);

/// `PUBLISH channel message`
pub const PUBLISH: Spec = Spec {
    name: "publish",
    arity: 3,
    flags: FLAGS,
    group: Group::PubSub,
    channels: Channels::First,
    since: "2.0.0",
    summary: "Sends a message to all who are subscribed to a channel.",
    complexity: "O(N+M) where N is the number of subscribers of the channel and M the number of patterns \
                 that anybody is subscribed to.",
    syntax: "channel message",
    run: publish,
    ..Spec::BASE
};

/// `SPUBLISH shardchannel message`
pub const SPUBLISH: Spec = Spec {
    name: "spublish",
    arity: 3,
    flags: FLAGS,
    group: Group::PubSub,
    channels: Channels::First,
    keys: &[KeySpec::one(1, KeyFlags::NOT_KEY)],
    since: "7.0.0",
    summary: "Sends a message to all who are subscribed to a shard channel.",
    complexity: "O(N) where N is the number of subscribers of the shard channel.",
    syntax: "shardchannel message",
    run: spublish,
    ..Spec::BASE
};

fn publish(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let receivers = ctx.services.pubsub.publish(args.at(1), args.at(2));
    ctx.reply.integer(receivers as i64);
    Ok(())
}

fn spublish(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let receivers = ctx.services.pubsub.publish_to_shard(args.at(1), args.at(2));
    ctx.reply.integer(receivers as i64);
    Ok(())
}
