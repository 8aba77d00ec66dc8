use std::fmt;

/// Why a stream of replies cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// A reply starts with this byte, which names no type (or none that may stand here).
    UnknownType(u8),
    /// A length or an integer is no number, or below its type's least.
    InvalidNumber,
    /// A boolean is neither `t` nor `f`, a null holds something, a double is none, or verbatim
    /// text lacks its format.
    InvalidContent,
    /// A carriage return and a line feed are missing where they must stand.
    MissingLineEnd,
    /// A string or a line exceeds [`ReplyLimits::bulk_len`](super::ReplyLimits).
    TooLong,
    /// An aggregate exceeds [`ReplyLimits::elements`](super::ReplyLimits).
    TooManyElements,
    /// Aggregates are nested deeper than [`ReplyLimits::depth`](super::ReplyLimits).
    TooDeep,
    /// A streamed map ends after a key.
    OddMap,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::UnknownType(byte) => {
                return write!(out, "unexpected reply type '{}'", byte.escape_ascii());
            }
            Self::InvalidNumber => "invalid number in reply",
            Self::InvalidContent => "invalid content in reply",
            Self::MissingLineEnd => "missing line end in reply",
            Self::TooLong => "string in reply too long",
            Self::TooManyElements => "too many elements in reply",
            Self::TooDeep => "reply nested too deep",
            Self::OddMap => "map in reply has a key without a value",
        };
        out.write_str(text)
    }
}

impl std::error::Error for ReplyError {}
