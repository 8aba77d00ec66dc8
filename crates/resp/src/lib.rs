//! RESP2 and RESP3: requests in, replies out; no I/O.
//!
//! A server reads with [`Parser`] and answers with [`Writer`]; a client reads with
//! [`ReplyParser`]. The protocol is described at
//! <https://redis.io/docs/latest/develop/reference/protocol-spec/>.
#![forbid(unsafe_code)]

pub mod reply;
pub mod request;
pub mod writer;

pub use reply::{ReplyError, ReplyLimits, ReplyParser, Value, parse_reply};
pub use request::{Limits, Parsed, Parser, ProtocolError, Span};
pub use writer::{Deferred, Protocol, Writer};
