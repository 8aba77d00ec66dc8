use command::{Args, Ctx, Group, Outcome, Spec};

use ::pubsub::{Counts, Kind};

use super::{FLAGS, SHARD_CHANNELS, confirm, report};

/// `UNSUBSCRIBE [channel ...]`
pub const UNSUBSCRIBE: Spec = Spec {
    name: "unsubscribe",
    since: "2.0.0",
    summary: "Ends the subscription of channels, or of all.",
    complexity: "O(N) where N is the number of clients that are subscribed to a channel.",
    syntax: "[channel ...]",
    run: unsubscribe,
    ..BASE
};

/// `PUNSUBSCRIBE [pattern ...]`
pub const PUNSUBSCRIBE: Spec = Spec {
    name: "punsubscribe",
    since: "2.0.0",
    summary: "Ends the subscription of patterns, or of all.",
    complexity: "O(N+M) where N is the number of patterns that the client is subscribed to and M the \
                 number of clients that are subscribed to one of them.",
    syntax: "[pattern:pattern ...]",
    run: punsubscribe,
    ..BASE
};

/// `SUNSUBSCRIBE [shardchannel ...]`
pub const SUNSUBSCRIBE: Spec = Spec {
    name: "sunsubscribe",
    keys: SHARD_CHANNELS,
    since: "7.0.0",
    summary: "Ends the subscription of shard channels, or of all.",
    complexity: "O(N) where N is the number of clients that are subscribed to a shard channel.",
    syntax: "[shardchannel ...]",
    run: sunsubscribe,
    ..BASE
};

const BASE: Spec = Spec { arity: -1, flags: FLAGS, group: Group::PubSub, ..Spec::BASE };

fn unsubscribe(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    end(ctx, Kind::Channel, args);
    Ok(())
}

fn punsubscribe(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    end(ctx, Kind::Pattern, args);
    Ok(())
}

fn sunsubscribe(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    end(ctx, Kind::ShardChannel, args);
    Ok(())
}

fn end(ctx: &mut Ctx<'_>, kind: Kind, args: Args<'_>) {
    if args.len() > 1 {
        args.iter_from(1).for_each(|topic| end_one(ctx, kind, topic));
        return;
    }
    let topics = ctx.services.pubsub.topics_of(kind, ctx.session.client.id);
    if topics.is_empty() {
        let figures = &ctx.session.client.figures;
        let counts = Counts {
            channels: figures.channels.get() as usize,
            patterns: figures.patterns.get() as usize,
            shard_channels: figures.shard_channels.get() as usize,
        };
        confirm(ctx, kind, false, None, counts);
    }
    topics.iter().for_each(|topic| end_one(ctx, kind, topic));
}

fn end_one(ctx: &mut Ctx<'_>, kind: Kind, topic: &[u8]) {
    let counts = ctx.services.pubsub.unsubscribe(kind, topic, ctx.session.client.id);
    ctx.session.unsubscribed = true;
    report(ctx.session, counts);
    confirm(ctx, kind, false, Some(topic), counts);
}

/// Ends all subscriptions without a word.
pub fn leave_all(ctx: &mut Ctx<'_>) {
    if ctx.session.client.figures.is_subscriber() {
        ctx.services.pubsub.leave(ctx.session.client.id);
        ctx.session.unsubscribed = true;
        report(ctx.session, Counts::default());
    }
}
