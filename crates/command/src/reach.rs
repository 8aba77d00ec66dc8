use value::ObjectRef;

use crate::args::Args;

/// What is known of a value when somebody asks how much of it a call will touch.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// Nothing has been looked up; there may be a value of any size.
    Unknown,
    /// The key holds nothing, or a short string.
    Small,
    /// The key holds this.
    Value(ObjectRef<'a>),
}

impl<'a> Target<'a> {
    /// The value.
    pub fn value(self) -> Option<ObjectRef<'a>> {
        match self {
            Self::Value(object) => Some(object),
            Self::Unknown | Self::Small => None,
        }
    }

    /// The number of elements at most; of a string, that of its kilobytes.
    pub fn elements(self) -> usize {
        match self {
            Self::Unknown => usize::MAX,
            Self::Small => 0,
            Self::Value(object) => object.elements(),
        }
    }
}

/// Estimates how many elements of a value a call touches, at most. Asked first without a value: what is little
/// whatever the value is needs no lookup.
pub type Reach = fn(Args<'_>, Target<'_>) -> usize;
