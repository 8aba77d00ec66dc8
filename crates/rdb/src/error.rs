use value::Corrupt;

use crate::op::Type;

/// Why bytes are no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// They end within it, or say that more would come than does.
    #[error("the data ends early")]
    Truncated,
    /// They contradict themselves.
    #[error("{0}")]
    Corrupt(&'static str),
    /// The value is a collection without members, which early versions could write.
    #[error("the value is empty")]
    Empty,
    /// No such type is known.
    #[error("unknown type {0}")]
    UnknownType(u8),
    /// The value belongs to a module of Redis.
    #[error("the value belongs to the module type '{0}', which is not supported")]
    Module(String),
}

impl Error {
    /// A library in the form of a version that never was released.
    pub(crate) const PRE_GA: Self =
        Self::Corrupt("functions of release candidates are not supported");
    /// A packed value of any type.
    const PACKED: Self = Self::Corrupt("a packed value's integrity check failed");
    /// A packed value of the time before listpacks.
    pub(crate) const ZIPLIST: Self = Self::Corrupt("Ziplist integrity check failed");

    /// The same in the words of Redis, which say what was packed.
    pub(crate) fn of(self, kind: Type) -> Self {
        let words = match (self, kind) {
            (Self::ZIPLIST, Type::ZsetZiplist) => "Zset ziplist integrity check failed.",
            (Self::ZIPLIST, Type::HashZiplist) => "Hash ziplist integrity check failed.",
            (Self::ZIPLIST, Type::ListZiplist) => "List ziplist integrity check failed.",
            (Self::PACKED, Type::ListQuicklist2) => "Listpack integrity check failed.",
            (Self::PACKED, Type::SetIntset) => "Intset integrity check failed.",
            (Self::PACKED, Type::SetListpack) => "Set listpack integrity check failed.",
            (Self::PACKED, Type::ZsetListpack) => "Zset listpack integrity check failed.",
            (Self::PACKED, Type::HashListpack) => "Hash listpack integrity check failed.",
            (
                Self::PACKED,
                Type::Stream1 | Type::Stream2 | Type::Stream3 | Type::Stream4 | Type::Stream5,
            ) => "Stream listpack integrity check failed.",
            (other, _) => return other,
        };
        Self::Corrupt(words)
    }
}

impl From<Corrupt> for Error {
    fn from(_: Corrupt) -> Self {
        Self::PACKED
    }
}

impl From<codec::lzf::LzfError> for Error {
    fn from(_: codec::lzf::LzfError) -> Self {
        Self::Corrupt("a compressed string does not expand")
    }
}
