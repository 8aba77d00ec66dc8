use std::fmt;

use crate::hash::Hash;
use crate::list::List;
use crate::set::Set;
use crate::stream::Stream;
use crate::zset::Zset;

/// The types that a key can hold, in the order in which Redis numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A byte string or an integer.
    String = 0,
    /// A list of byte strings.
    List = 1,
    /// A set of byte strings.
    Set = 2,
    /// A set of byte strings ordered by score.
    SortedSet = 3,
    /// A map from field to value.
    Hash = 4,
    /// An append-only log of entries.
    Stream = 5,
}

impl Kind {
    /// The name that `TYPE` answers and `SCAN ... TYPE` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "zset",
            Self::Hash => "hash",
            Self::Stream => "stream",
        }
    }
}

/// A value that lives in a block of its own, apart from its entry: everything that is not a short
/// string or an integer.
#[derive(Clone)]
pub enum Object {
    /// A string that is long, or that has been written to in the middle.
    String(Vec<u8>),
    /// A list.
    List(List),
    /// A set.
    Set(Set),
    /// A hash.
    Hash(Hash),
    /// A sorted set.
    SortedSet(Zset),
    /// A stream; boxed because it is far larger than the others.
    Stream(Box<Stream>),
}

impl Object {
    /// The type of the value.
    pub fn kind(&self) -> Kind {
        match self {
            Self::String(_) => Kind::String,
            Self::List(_) => Kind::List,
            Self::Set(_) => Kind::Set,
            Self::Hash(_) => Kind::Hash,
            Self::SortedSet(_) => Kind::SortedSet,
            Self::Stream(_) => Kind::Stream,
        }
    }

    /// Bytes on the heap that belong to the value, beside the object itself.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::String(bytes) => bytes.capacity(),
            Self::List(list) => list.heap_bytes(),
            Self::Set(set) => set.heap_bytes(),
            Self::Hash(hash) => hash.heap_bytes(),
            Self::SortedSet(zset) => zset.heap_bytes(),
            Self::Stream(stream) => size_of::<Stream>() + stream.heap_bytes(),
        }
    }

    /// The number of elements; of a string, that of its kilobytes.
    pub fn elements(&self) -> usize {
        match self {
            Self::String(bytes) => bytes.len() / 1024,
            Self::List(list) => list.len(),
            Self::Set(set) => set.len(),
            Self::Hash(hash) => hash.len(),
            Self::SortedSet(zset) => zset.len(),
            Self::Stream(stream) => stream.len() as usize,
        }
    }

    /// The earliest deadline of a field or member, in Unix milliseconds.
    pub fn next_expiry(&self) -> Option<i64> {
        match self {
            Self::Set(set) => set.next_expiry(),
            Self::Hash(hash) => hash.next_expiry(),
            Self::SortedSet(zset) => zset.next_expiry(),
            Self::String(_) | Self::List(_) | Self::Stream(_) => None,
        }
    }

    /// Removes up to `limit` fields or members whose deadline lies before `now`, and gives the name of each
    /// to `gone`; returns how many.
    pub fn expire_due(&mut self, now: i64, limit: usize, mut gone: impl FnMut(&[u8])) -> usize {
        match self {
            Self::Set(set) => set.expire_due(now, limit, |member| member.with_bytes(&mut gone)),
            Self::Hash(hash) => {
                hash.expire_due(now, limit, |field| field.name.with_bytes(&mut gone))
            }
            Self::SortedSet(zset) => zset.expire_due(now, limit, |member, _| gone(member)),
            Self::String(_) | Self::List(_) | Self::Stream(_) => 0,
        }
    }

    /// Whether it is a collection of nothing, which no key may hold.
    pub fn is_empty_collection(&self) -> bool {
        match self {
            Self::List(list) => list.is_empty(),
            Self::Set(set) => set.is_empty(),
            Self::Hash(hash) => hash.is_empty(),
            Self::SortedSet(zset) => zset.is_empty(),
            Self::String(_) | Self::Stream(_) => false,
        }
    }

    /// The number of heap blocks that dropping the value frees, roughly: what decides whether it is
    /// dropped at once or in the background.
    pub fn free_cost(&self) -> usize {
        match self {
            Self::String(bytes) => bytes.len() >> 20,
            Self::List(list) => list.free_cost(),
            Self::Set(set) => set.free_cost(),
            Self::Hash(hash) => hash.free_cost(),
            Self::SortedSet(zset) => zset.len(),
            Self::Stream(stream) => stream.free_cost(),
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} heap bytes", self.kind().name(), self.heap_bytes())
    }
}

/// A type that a key can hold as an [`Object`].
pub trait Typed: Sized {
    /// Which type it is.
    const KIND: Kind;

    /// The value, if the object is of this type.
    fn of(object: &Object) -> Option<&Self>;

    /// The same for writing.
    fn of_mut(object: &mut Object) -> Option<&mut Self>;

    /// The value as an object.
    fn into_object(self) -> Object;

    /// Whether the key has to go: no key holds an empty collection.
    fn is_empty(&self) -> bool;
}

macro_rules! typed {
    ($($type:ident is $kind:ident),*) => {$(
        impl Typed for $type {
            const KIND: Kind = Kind::$kind;

            fn of(object: &Object) -> Option<&Self> {
                if let Object::$kind(value) = object { Some(value) } else { None }
            }

            fn of_mut(object: &mut Object) -> Option<&mut Self> {
                if let Object::$kind(value) = object { Some(value) } else { None }
            }

            fn into_object(self) -> Object {
                Object::$kind(self)
            }

            fn is_empty(&self) -> bool {
                $type::is_empty(self)
            }
        }
    )*};
}

typed!(List is List, Set is Set, Hash is Hash, Zset is SortedSet);

impl Typed for Stream {
    const KIND: Kind = Kind::Stream;

    fn of(object: &Object) -> Option<&Self> {
        if let Object::Stream(value) = object { Some(value) } else { None }
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        if let Object::Stream(value) = object { Some(value) } else { None }
    }

    fn into_object(self) -> Object {
        Object::Stream(Box::new(self))
    }

    /// A stream without entries stays: its last ID and its groups are worth keeping.
    fn is_empty(&self) -> bool {
        false
    }
}
