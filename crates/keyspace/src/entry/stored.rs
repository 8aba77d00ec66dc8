use std::borrow::Cow;

use value::ObjectRef;

/// A value as it is stored.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A string inside the entry.
    Bytes(&'a [u8]),
    /// A string that is an integer.
    Int(i64),
    /// Any other value.
    Object(ObjectRef<'a>),
}

/// Room for the digits of a string that is kept as an integer.
pub type Digits = itoa::Buffer;

impl<'a> Value<'a> {
    /// The text of a string, which may be written to `digits` first; `None` for any other type.
    pub fn text<'b>(self, digits: &'b mut Digits) -> Option<&'b [u8]>
    where
        'a: 'b,
    {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Int(number) => Some(digits.format(number).as_bytes()),
            Self::Object(ObjectRef::String(bytes)) => Some(bytes),
            Self::Object(_) => None,
        }
    }
}

impl Value<'_> {
    /// The text of a string; `None` for any other type.
    pub fn string_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
            Self::Int(number) => Some(Cow::Owned(number.to_string().into_bytes())),
            Self::Object(ObjectRef::String(bytes)) => Some(Cow::Borrowed(bytes)),
            Self::Object(_) => None,
        }
    }
}
