//! Publish/subscribe.

mod introspect;
mod publish;
mod subscribe;
mod unsubscribe;

pub use unsubscribe::leave_all;

use command::{Begin, Ctx, Find, Flags, KeyFlags, KeySpec, ReplyMode, Session, Spec};

use ::pubsub::{Counts, Kind, confirmation};
use resp::Writer;

pub const COMMANDS: &[&Spec] = &[
    &subscribe::PSUBSCRIBE,
    &publish::PUBLISH,
    &introspect::PUBSUB,
    &unsubscribe::PUNSUBSCRIBE,
    &publish::SPUBLISH,
    &subscribe::SSUBSCRIBE,
    &subscribe::SUBSCRIBE,
    &unsubscribe::SUNSUBSCRIBE,
    &unsubscribe::UNSUBSCRIBE,
];

/// Of the commands that begin and end subscriptions.
const FLAGS: Flags = Flags::PUBSUB.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE);

/// The words that name shard channels: they are routed like keys.
const SHARD_CHANNELS: &[KeySpec] = &[KeySpec {
    flags: KeyFlags::NOT_KEY,
    begin: Begin::Index(1),
    find: Find::Range { last: -1, step: 1, limit: 0 },
}];

/// Shows others what the client is subscribed to.
fn report(session: &Session, counts: Counts) {
    let figures = &session.client.figures;
    figures.channels.set(counts.channels as u64);
    figures.patterns.set(counts.patterns as u64);
    figures.shard_channels.set(counts.shard_channels as u64);
}

/// Confirms a change; like every push this is sent whatever CLIENT REPLY says.
fn confirm(ctx: &mut Ctx<'_>, kind: Kind, begins: bool, topic: Option<&[u8]>, counts: Counts) {
    let count = counts.told(kind);
    if ctx.session.reply_mode == ReplyMode::On {
        confirmation(&mut ctx.reply, kind, begins, topic, count);
    } else {
        let mut writer = Writer::new(&mut ctx.session.unsilenced, ctx.session.protocol);
        confirmation(&mut writer, kind, begins, topic, count);
    }
}
