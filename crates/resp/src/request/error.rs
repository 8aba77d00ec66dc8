use std::fmt;

/// Why a request stream cannot be read any further. Displayed, each is the text that Redis sends
/// behind `-ERR ` before it closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The `*N` line holds no integer, or one above [`Limits::multibulk_len`](super::Limits).
    InvalidMultibulkLength,
    /// The `$N` line holds no length, one above [`Limits::bulk_len`](super::Limits), or one that
    /// takes the command past 4 GiB.
    InvalidBulkLength,
    /// An argument starts with this byte instead of `$`.
    ExpectedBulk(u8),
    /// More than 10 arguments before authentication.
    UnauthenticatedMultibulkLength,
    /// An argument above 16 KiB before authentication.
    UnauthenticatedBulkLength,
    /// The `*N` line is longer than [`Limits::inline_len`](super::Limits).
    TooBigMultibulkCount,
    /// The `$N` line is longer than [`Limits::inline_len`](super::Limits).
    TooBigBulkCount,
    /// An inline command is longer than [`Limits::inline_len`](super::Limits).
    TooBigInline,
    /// An inline command's quotes do not balance.
    UnbalancedQuotes,
}

impl ProtocolError {
    /// The error line that Redis sends, as bytes for [`Writer::error_bytes`](crate::Writer): a
    /// stray byte is quoted in it as it came.
    pub fn to_line(&self) -> Vec<u8> {
        match self {
            Self::ExpectedBulk(byte) => {
                [b"ERR Protocol error: expected '$', got '".as_slice(), &[*byte, b'\'']].concat()
            }
            other => format!("ERR {other}").into_bytes(),
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::InvalidMultibulkLength => "invalid multibulk length",
            Self::InvalidBulkLength => "invalid bulk length",
            Self::ExpectedBulk(byte) => {
                return write!(out, "Protocol error: expected '$', got '{}'", char::from(*byte));
            }
            Self::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
            Self::UnauthenticatedBulkLength => "unauthenticated bulk length",
            Self::TooBigMultibulkCount => "too big mbulk count string",
            Self::TooBigBulkCount => "too big bulk count string",
            Self::TooBigInline => "too big inline request",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
        };
        write!(out, "Protocol error: {text}")
    }
}

impl std::error::Error for ProtocolError {}
