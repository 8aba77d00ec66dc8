//! Values of options, and how typed fields turn into them and back.

use crate::kind::special::{OutputLimit, Primary, SavePoint};

/// The value of an option, whatever its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `yes` or `no`.
    Bool(bool),
    /// A number; bytes for memory sizes; negative for a percentage (`-5` is 5 %).
    Int(i128),
    /// One of a kind's words, in its canonical spelling.
    Word(&'static str),
    /// Several of a kind's words, in the order in which the kind lists them.
    Words(Vec<&'static str>),
    /// Text without NUL bytes.
    Text(String),
    /// A secret: any bytes; empty means none.
    Bytes(Vec<u8>),
    /// Several texts, such as addresses.
    List(Vec<String>),
    /// When to save, in the order given.
    Save(Vec<SavePoint>),
    /// Output buffer limits of normal, replica and pub/sub clients, in this order.
    Limits([OutputLimit; 3]),
    /// `oom_score_adj` of a primary, a replica and a child process.
    Scores([i32; 3]),
    /// Percentiles, each between 0 and 100.
    Percentiles(Vec<f64>),
    /// Classes of keyspace events, as bits of [`crate::KeyspaceEvents`].
    Events(u32),
    /// The primary to replicate, if any.
    Primary(Option<Primary>),
}

/// A type that a field of [`crate::Config`] can have.
pub(crate) trait Field: Sized {
    /// The field's value.
    fn to_value(&self) -> Value;
    /// The field for a value; `None` if the value does not fit the type, which the tests exclude
    /// for every value that the option's kind accepts.
    fn from_value(value: &Value) -> Option<Self>;
}

/// Where an option's value lives.
#[derive(Clone, Copy)]
pub(crate) enum Slot {
    /// In a typed field.
    Field {
        /// Reads the field.
        get: fn(&crate::Config) -> Value,
        /// Sets the field; false if the value does not fit it.
        put: fn(&mut crate::Config, &Value) -> bool,
    },
    /// In the map of options without a field.
    Other,
}

/// The slot of the field of this name.
macro_rules! at {
    ($field:ident) => {
        $crate::value::Slot::Field {
            get: |config| $crate::value::Field::to_value(&config.$field),
            put: |config, value| match $crate::value::Field::from_value(value) {
                Some(new) => {
                    config.$field = new;
                    true
                }
                None => false,
            },
        }
    };
}
pub(crate) use at;

/// Implements [`Field`] for a type that one variant of [`Value`] holds as it is.
macro_rules! field {
    ($type:ty, $variant:ident) => {
        impl Field for $type {
            fn to_value(&self) -> Value {
                Value::$variant(self.clone())
            }
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::$variant(inner) => Some(inner.clone()),
                    _ => None,
                }
            }
        }
    };
}

/// Implements [`Field`] for integer types.
macro_rules! integer_field {
    ($($type:ty)*) => {$(
        impl Field for $type {
            fn to_value(&self) -> Value {
                Value::Int(i128::from(*self))
            }
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Int(number) => <$type>::try_from(*number).ok(),
                    _ => None,
                }
            }
        }
    )*};
}

field!(bool, Bool);
field!(String, Text);
field!(Vec<u8>, Bytes);
field!(Vec<String>, List);
field!(Vec<SavePoint>, Save);
field!([OutputLimit; 3], Limits);
field!([i32; 3], Scores);
field!(Vec<f64>, Percentiles);
field!(Vec<&'static str>, Words);
field!(Option<Primary>, Primary);
integer_field!(u16 u32 i32 u64 i64);
