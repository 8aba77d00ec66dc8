use command::{Args, Ctx, Flags, Group, Outcome, Spec};

use ::pubsub::Kind;

use crate::help;

/// `PUBSUB`
pub const PUBSUB: Spec = Spec {
    name: "pubsub",
    arity: -2,
    group: Group::PubSub,
    since: "2.8.0",
    summary: "A container for commands that tell who is subscribed to what.",
    complexity: "Depends on subcommand.",
    subcommands: &[
        &Spec {
            name: "channels",
            arity: -2,
            summary: "Lists channels that have subscribers.",
            complexity: CHANNELS_COMPLEXITY,
            syntax: "[pattern:pattern]",
            run: channels,
            ..BASE
        },
        &Spec {
            name: "help",
            arity: 2,
            flags: Flags::LOADING.union(Flags::STALE),
            since: "6.2.0",
            summary: "Lists the subcommands.",
            complexity: "O(1)",
            run: help,
            ..BASE
        },
        &Spec {
            name: "numpat",
            arity: 2,
            summary: "Counts the patterns that have subscribers.",
            complexity: "O(1)",
            run: numpat,
            ..BASE
        },
        &Spec {
            name: "numsub",
            arity: -2,
            summary: "Counts the subscribers of channels.",
            complexity: "O(N) where N is the number of channels asked for.",
            syntax: "[channel ...]",
            run: numsub,
            ..BASE
        },
        &Spec {
            name: "shardchannels",
            arity: -2,
            since: "7.0.0",
            summary: "Lists shard channels that have subscribers.",
            complexity: CHANNELS_COMPLEXITY,
            syntax: "[pattern:pattern]",
            run: shardchannels,
            ..BASE
        },
        &Spec {
            name: "shardnumsub",
            arity: -2,
            since: "7.0.0",
            summary: "Counts the subscribers of shard channels.",
            complexity: "O(N) where N is the number of shard channels asked for.",
            syntax: "[shardchannel ...]",
            run: shardnumsub,
            ..BASE
        },
    ],
    ..Spec::BASE
};

const BASE: Spec = Spec {
    container: Some("pubsub"),
    flags: Flags::PUBSUB.union(Flags::LOADING).union(Flags::STALE),
    group: Group::PubSub,
    since: "2.8.0",
    ..Spec::BASE
};

const CHANNELS_COMPLEXITY: &str =
    "O(N) where N is the number of channels with subscribers, if names and pattern are short.";

fn channels(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    list(ctx, Kind::Channel, args)
}

fn shardchannels(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    list(ctx, Kind::ShardChannel, args)
}

fn list(ctx: &mut Ctx<'_>, kind: Kind, args: Args<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(help::wrong_number(args));
    }
    let topics = ctx.services.pubsub.topics(kind, args.get(2));
    ctx.reply.array(topics.len());
    topics.iter().for_each(|topic| ctx.reply.bulk(topic));
    Ok(())
}

fn numsub(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    count(ctx, Kind::Channel, args)
}

fn shardnumsub(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    count(ctx, Kind::ShardChannel, args)
}

fn count(ctx: &mut Ctx<'_>, kind: Kind, args: Args<'_>) -> Outcome {
    ctx.reply.array((args.len() - 2) * 2);
    for topic in args.iter_from(2) {
        ctx.reply.bulk(topic);
        ctx.reply.integer(ctx.services.pubsub.subscribers(kind, topic) as i64);
    }
    Ok(())
}

fn numpat(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    ctx.reply.integer(ctx.services.pubsub.len(Kind::Pattern) as i64);
    Ok(())
}

fn help(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    let lines = [
        "CHANNELS [<pattern>]",
        "    The channels with subscribers, or those of them that match a pattern.",
        "NUMPAT",
        "    The number of patterns with subscribers.",
        "NUMSUB [<channel> ...]",
        "    The number of subscribers of each of these channels, patterns left aside.",
        "SHARDCHANNELS [<pattern>]",
        "    The shard channels with subscribers, or those of them that match a pattern.",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    The number of subscribers of each of these shard channels.",
    ];
    help::write(ctx, "PUBSUB", &lines)
}
