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
#[derive(Clone, Debug)]
pub enum Object {
    /// A string that is long, or that has been written to in the middle.
    String(Vec<u8>),
}

impl Object {
    /// The type of the value.
    pub fn kind(&self) -> Kind {
        match self {
            Self::String(_) => Kind::String,
        }
    }

    /// Bytes on the heap that belong to the value, beside the object itself.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::String(bytes) => bytes.capacity(),
        }
    }

    /// The number of heap blocks that dropping the value frees, roughly: what decides whether it is
    /// dropped at once or in the background.
    pub fn free_cost(&self) -> usize {
        match self {
            Self::String(bytes) => bytes.len() / (1 << 20),
        }
    }
}
