//! What subscribers are sent.

use std::sync::Arc;

use resp::{Protocol, Writer};

use crate::Kind;

/// Bytes that a message takes beside its words, at most.
const AROUND: usize = 96;

/// A message for the subscribers of a channel, in RESP2.
pub fn encode(kind: Kind, channel: &[u8], message: &[u8]) -> Arc<[u8]> {
    let name: &[u8] = if kind == Kind::ShardChannel { b"smessage" } else { b"message" };
    of_words(&[name, channel, message])
}

/// A message for the subscribers of a pattern, in RESP2.
pub fn encode_matched(pattern: &[u8], channel: &[u8], message: &[u8]) -> Arc<[u8]> {
    of_words(&[b"pmessage", pattern, channel, message])
}

fn of_words(words: &[&[u8]]) -> Arc<[u8]> {
    let length = words.iter().map(|word| word.len()).sum::<usize>() + AROUND;
    let mut bytes = Vec::with_capacity(length);
    let mut writer = Writer::new(&mut bytes, Protocol::Resp2);
    writer.push(words.len());
    words.iter().for_each(|word| writer.bulk(word));
    bytes.into()
}

/// Tells a client of a subscription that begins or ends: `topic` is none when there was nothing to end,
/// `count` what remains.
pub fn confirmation(
    writer: &mut Writer<'_>,
    kind: Kind,
    begins: bool,
    topic: Option<&[u8]>,
    count: usize,
) {
    let name: &[u8] = match (kind, begins) {
        (Kind::Channel, true) => b"subscribe",
        (Kind::Channel, false) => b"unsubscribe",
        (Kind::Pattern, true) => b"psubscribe",
        (Kind::Pattern, false) => b"punsubscribe",
        (Kind::ShardChannel, true) => b"ssubscribe",
        (Kind::ShardChannel, false) => b"sunsubscribe",
    };
    writer.push(3);
    writer.bulk(name);
    match topic {
        Some(topic) => writer.bulk(topic),
        None => writer.null(),
    }
    writer.integer(i64::try_from(count).unwrap_or(i64::MAX));
}
