use value::Corrupt;

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
}

impl From<Corrupt> for Error {
    fn from(_: Corrupt) -> Self {
        Self::Corrupt("a packed value's integrity check failed")
    }
}

impl From<codec::lzf::LzfError> for Error {
    fn from(_: codec::lzf::LzfError) -> Self {
        Self::Corrupt("a compressed string does not expand")
    }
}
