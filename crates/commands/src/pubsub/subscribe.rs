use command::{Args, Channels, Ctx, Error, Group, Outcome, Spec};

use ::pubsub::{Kind, Subscriber};

use super::{FLAGS, SHARD_CHANNELS, confirm, report};

/// `SUBSCRIBE channel [channel ...]`
pub const SUBSCRIBE: Spec = Spec {
    name: "subscribe",
    channels: Channels::Names,
    since: "2.0.0",
    summary: "Begins to receive the messages of channels.",
    complexity: "O(N) where N is the number of channels.",
    syntax: "channel ...",
    run: subscribe,
    ..BASE
};

/// `PSUBSCRIBE pattern [pattern ...]`
pub const PSUBSCRIBE: Spec = Spec {
    name: "psubscribe",
    channels: Channels::Patterns,
    since: "2.0.0",
    summary: "Begins to receive the messages of all channels that match patterns.",
    complexity: "O(N) where N is the number of patterns that the client is subscribed to already.",
    syntax: "pattern=(pattern:pattern) ...",
    run: psubscribe,
    ..BASE
};

/// `SSUBSCRIBE shardchannel [shardchannel ...]`
pub const SSUBSCRIBE: Spec = Spec {
    name: "ssubscribe",
    keys: SHARD_CHANNELS,
    channels: Channels::Names,
    since: "7.0.0",
    summary: "Begins to receive the messages of shard channels.",
    complexity: "O(N) where N is the number of shard channels.",
    syntax: "shardchannel ...",
    run: ssubscribe,
    ..BASE
};

const BASE: Spec = Spec { arity: -2, flags: FLAGS, group: Group::PubSub, ..Spec::BASE };

fn subscribe(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    begin(ctx, Kind::Channel, args);
    Ok(())
}

fn psubscribe(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    begin(ctx, Kind::Pattern, args);
    Ok(())
}

fn ssubscribe(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if !ctx.may_wait {
        // Where every command has one reply. The other two are let through in transactions, for the sake
        // of clients that have always used them there.
        return Err(Error::fixed("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"));
    }
    begin(ctx, Kind::ShardChannel, args);
    Ok(())
}

fn begin(ctx: &mut Ctx<'_>, kind: Kind, args: Args<'_>) {
    let client = &ctx.session.client;
    let who = Subscriber { client: client.id, worker: client.worker, place: ctx.session.place };
    for topic in args.iter_from(1) {
        let counts = ctx.services.pubsub.subscribe(kind, topic, who);
        report(ctx.session, counts);
        confirm(ctx, kind, true, Some(topic), counts);
    }
}
