/// One reply. Doubles and big numbers keep their text, so that equal values are equally written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `+`: a status line.
    Simple(Vec<u8>),
    /// `-` or `!`: an error, its code first.
    Error(Vec<u8>),
    /// `:`: an integer.
    Integer(i64),
    /// `$`: a string, sent whole or in chunks.
    Bulk(Vec<u8>),
    /// `$-1`: RESP2's absent string.
    NullBulk,
    /// `*-1`: RESP2's absent array.
    NullArray,
    /// `_`: RESP3's null.
    Null,
    /// `#`: a truth value.
    Boolean(bool),
    /// `,`: a double's text (`inf`, `-inf`, `nan`, or decimal).
    Double(String),
    /// `(`: the decimal digits of an integer of any size.
    BigNumber(String),
    /// `=`: text in a named format.
    Verbatim {
        /// Three letters: `txt`, `mkd`.
        format: [u8; 3],
        /// The text without the format.
        text: Vec<u8>,
    },
    /// `*`: values in order.
    Array(Vec<Value>),
    /// `~`: values in no particular order.
    Set(Vec<Value>),
    /// `%`: keys and values.
    Map(Vec<(Value, Value)>),
    /// `>`: an out-of-band message, no answer to a request.
    Push(Vec<Value>),
    /// `|`: a value with remarks about it.
    Attributed {
        /// The remarks: keys and values.
        attributes: Vec<(Value, Value)>,
        /// The value itself.
        value: Box<Value>,
    },
}

impl Value {
    /// Whether this is one of the three ways to say that there is nothing.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::NullBulk | Self::NullArray)
    }

    /// The text of an error.
    pub fn as_error(&self) -> Option<&[u8]> {
        match self {
            Self::Error(line) => Some(line),
            _ => None,
        }
    }

    /// The bytes of anything that is text: a string, a status, verbatim text, a double's or a big
    /// number's digits.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) | Self::Bulk(text) | Self::Verbatim { text, .. } => Some(text),
            Self::Double(text) | Self::BigNumber(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// An integer.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// A double, or an integer as one, or a string that spells one (RESP2).
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Double(text) => text.parse().ok(),
            Self::Bulk(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// The elements of an array, a set or a push.
    pub fn as_elements(&self) -> Option<&[Value]> {
        match self {
            Self::Array(values) | Self::Set(values) | Self::Push(values) => Some(values),
            _ => None,
        }
    }
}
