//! What clients are told.

use std::sync::Arc;

use resp::{Protocol, Writer};

/// The channel on which a RESP2 client gets the invalidations that are redirected to it.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// An invalidation on its way to clients of one worker.
#[derive(Clone, Debug)]
pub struct Invalidation {
    /// What it tells.
    pub what: What,
    /// Who is told.
    pub to: Vec<Receiver>,
}

/// A client that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Its id.
    pub client: u64,
    /// Whether it is told in the place of others (REDIRECT).
    pub redirected: bool,
}

/// What an invalidation tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// These keys have changed: an array of bulk strings, which both protocols write alike.
    Keys(Arc<[u8]>),
    /// Any key may have.
    Everything,
    /// The client with this id, to which invalidations were redirected, has gone.
    Broken(u64),
}

impl What {
    /// Writes it for a client. In RESP2 a client can be told only as a subscriber, and only what was
    /// redirected to it; for any other nothing is written.
    pub fn write(&self, writer: &mut Writer<'_>, redirected: bool, is_subscriber: bool) {
        match (writer.protocol(), self) {
            (Protocol::Resp3, Self::Broken(client)) => {
                writer.push(2);
                writer.bulk(b"tracking-redir-broken");
                writer.integer(i64::try_from(*client).unwrap_or(i64::MAX));
            }
            (Protocol::Resp2, Self::Broken(_)) => {}
            (Protocol::Resp3, _) => {
                writer.push(2);
                writer.bulk(b"invalidate");
                self.write_keys(writer);
            }
            (Protocol::Resp2, _) if redirected && is_subscriber => {
                writer.push(3);
                writer.bulk(b"message");
                writer.bulk(CHANNEL);
                self.write_keys(writer);
            }
            (Protocol::Resp2, _) => {}
        }
    }

    fn write_keys(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Keys(keys) => writer.raw(keys),
            _ => writer.null(),
        }
    }
}

/// Encodes keys as an array.
pub fn encode(keys: &[&[u8]]) -> Arc<[u8]> {
    let mut bytes = Vec::with_capacity(keys.iter().map(|key| key.len() + 16).sum::<usize>() + 16);
    let mut writer = Writer::new(&mut bytes, Protocol::Resp2);
    writer.array(keys.len());
    keys.iter().for_each(|key| writer.bulk(key));
    bytes.into()
}
