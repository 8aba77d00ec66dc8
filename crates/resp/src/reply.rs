//! What servers answer, read on the client's side: every type of RESP2 and RESP3, nested, streamed
//! and with attributes.
//!
//! A [`ReplyParser`] first looks for the reply's end, reading each byte once however it arrives
//! ([`scan`]), and builds the [`Value`] when all of it is there ([`build`]). So no memory is ever
//! taken for elements that were only announced.

mod build;
mod error;
mod scan;
#[cfg(test)]
mod tests;
mod value;

pub use error::ReplyError;
pub use value::Value;

use scan::Scan;

/// What a client puts up with. A reply that goes beyond is an error, found at its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// Aggregates inside one another.
    pub depth: usize,
    /// Bytes in one string, or in one line.
    pub bulk_len: usize,
    /// Elements of one aggregate, a map's pair counting as two.
    pub elements: usize,
}

impl Default for ReplyLimits {
    /// Depth 128, strings of 4 GiB, 2^32 elements.
    fn default() -> Self {
        Self { depth: 128, bulk_len: 1 << 32, elements: 1 << 32 }
    }
}

/// The state of a partially received reply; at rest between replies.
#[derive(Debug, Default)]
pub struct ReplyParser {
    scan: Scan,
}

impl ReplyParser {
    /// A parser at rest.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the reply whose first byte is `buf`'s first, and returns it with its length in bytes.
    ///
    /// `None`: the reply's end has not arrived; the next call must pass the same bytes, with more
    /// behind them. After an error the stream cannot be read any further.
    pub fn parse(
        &mut self,
        buf: &[u8],
        limits: &ReplyLimits,
    ) -> Result<Option<(Value, usize)>, ReplyError> {
        match self.scan.run(buf, limits)? {
            None => Ok(None),
            Some(len) => {
                self.scan = Scan::default();
                let value = build::build(buf.get(..len).unwrap_or_default())?;
                Ok(Some((value, len)))
            }
        }
    }
}

/// Reads one reply from the start of `buf`: the value and its length in bytes, or `None` when
/// `buf` ends before the reply does. For replies that arrive in pieces a [`ReplyParser`] saves
/// reading their start again.
pub fn parse_reply(buf: &[u8], limits: &ReplyLimits) -> Result<Option<(Value, usize)>, ReplyError> {
    ReplyParser::new().parse(buf, limits)
}
