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

/// A value as whoever reads it sees it.
#[derive(Clone, Copy)]
pub enum ObjectRef<'a> {
    /// A string.
    String(&'a Vec<u8>),
    /// A list.
    List(&'a List),
    /// A set.
    Set(&'a Set),
    /// A hash.
    Hash(&'a Hash),
    /// A sorted set.
    SortedSet(&'a Zset),
    /// A stream.
    Stream(&'a Stream),
}

/// A value as whoever changes it sees it.
pub enum ObjectMut<'a> {
    /// A string.
    String(&'a mut Vec<u8>),
    /// A list.
    List(&'a mut List),
    /// A set.
    Set(&'a mut Set),
    /// A hash.
    Hash(&'a mut Hash),
    /// A sorted set.
    SortedSet(&'a mut Zset),
    /// A stream.
    Stream(&'a mut Stream),
}

impl Object {
    /// The type of the value.
    pub fn kind(&self) -> Kind {
        self.view().kind()
    }

    /// The value for reading.
    pub fn view(&self) -> ObjectRef<'_> {
        match self {
            Self::String(bytes) => ObjectRef::String(bytes),
            Self::List(list) => ObjectRef::List(list),
            Self::Set(set) => ObjectRef::Set(set),
            Self::Hash(hash) => ObjectRef::Hash(hash),
            Self::SortedSet(zset) => ObjectRef::SortedSet(zset),
            Self::Stream(stream) => ObjectRef::Stream(stream),
        }
    }

    /// The value for changing.
    pub fn view_mut(&mut self) -> ObjectMut<'_> {
        match self {
            Self::String(bytes) => ObjectMut::String(bytes),
            Self::List(list) => ObjectMut::List(list),
            Self::Set(set) => ObjectMut::Set(set),
            Self::Hash(hash) => ObjectMut::Hash(hash),
            Self::SortedSet(zset) => ObjectMut::SortedSet(zset),
            Self::Stream(stream) => ObjectMut::Stream(stream),
        }
    }
}

impl ObjectRef<'_> {
    /// The type of the value.
    pub fn kind(self) -> Kind {
        match self {
            Self::String(_) => Kind::String,
            Self::List(_) => Kind::List,
            Self::Set(_) => Kind::Set,
            Self::Hash(_) => Kind::Hash,
            Self::SortedSet(_) => Kind::SortedSet,
            Self::Stream(_) => Kind::Stream,
        }
    }

    /// A copy of the value.
    pub fn to_object(self) -> Object {
        match self {
            Self::String(bytes) => Object::String(bytes.clone()),
            Self::List(list) => Object::List(list.clone()),
            Self::Set(set) => Object::Set(set.clone()),
            Self::Hash(hash) => Object::Hash(hash.clone()),
            Self::SortedSet(zset) => Object::SortedSet(zset.clone()),
            Self::Stream(stream) => Object::Stream(Box::new(stream.clone())),
        }
    }

    /// Bytes on the heap that belong to the value, beside the value itself.
    pub fn heap_bytes(self) -> usize {
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
    pub fn elements(self) -> usize {
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
    pub fn next_expiry(self) -> Option<i64> {
        match self {
            Self::Set(set) => set.next_expiry(),
            Self::Hash(hash) => hash.next_expiry(),
            Self::SortedSet(zset) => zset.next_expiry(),
            Self::String(_) | Self::List(_) | Self::Stream(_) => None,
        }
    }

    /// Whether it is a collection of nothing, which no key may hold.
    pub fn is_empty_collection(self) -> bool {
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
    pub fn free_cost(self) -> usize {
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

impl ObjectMut<'_> {
    /// Removes up to `limit` fields or members whose deadline lies before `now`, and gives the name of each
    /// to `gone`; returns how many.
    pub fn expire_due(self, now: i64, limit: usize, mut gone: impl FnMut(&[u8])) -> usize {
        match self {
            Self::Set(set) => set.expire_due(now, limit, |member| member.with_bytes(&mut gone)),
            Self::Hash(hash) => {
                hash.expire_due(now, limit, |field| field.name.with_bytes(&mut gone))
            }
            Self::SortedSet(zset) => zset.expire_due(now, limit, |member, _| gone(member)),
            Self::String(_) | Self::List(_) | Self::Stream(_) => 0,
        }
    }
}

impl fmt::Debug for ObjectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} heap bytes", self.kind().name(), self.heap_bytes())
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

/// A type that a key can hold as an [`Object`].
pub trait Typed: Sized {
    /// Which type it is.
    const KIND: Kind;

    /// The value, if the object is of this type.
    fn of(object: ObjectRef<'_>) -> Option<&Self>;

    /// The same for writing.
    fn of_mut(object: ObjectMut<'_>) -> Option<&mut Self>;

    /// The value as an object.
    fn into_object(self) -> Object;

    /// Whether the key has to go: no key holds an empty collection.
    fn is_empty(&self) -> bool;
}

macro_rules! typed {
    ($($type:ident is $kind:ident),*) => {$(
        impl Typed for $type {
            const KIND: Kind = Kind::$kind;

            fn of(object: ObjectRef<'_>) -> Option<&Self> {
                if let ObjectRef::$kind(value) = object { Some(value) } else { None }
            }

            fn of_mut(object: ObjectMut<'_>) -> Option<&mut Self> {
                if let ObjectMut::$kind(value) = object { Some(value) } else { None }
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

    fn of(object: ObjectRef<'_>) -> Option<&Self> {
        if let ObjectRef::Stream(value) = object { Some(value) } else { None }
    }

    fn of_mut(object: ObjectMut<'_>) -> Option<&mut Self> {
        if let ObjectMut::Stream(value) = object { Some(value) } else { None }
    }

    fn into_object(self) -> Object {
        Object::Stream(Box::new(self))
    }

    /// A stream without entries stays: its last ID and its groups are worth keeping.
    fn is_empty(&self) -> bool {
        false
    }
}
