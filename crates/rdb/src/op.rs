//! The first bytes of records: opcodes, and the types of values.

/// State of a slot import under way (Valkey 9).
pub const SLOT_IMPORT: u8 = 243;
/// How many keys a slot of a cluster has.
pub const SLOT_INFO: u8 = 244;
/// The source of a function library.
pub const FUNCTION2: u8 = 245;
/// A function library as release candidates of Redis 7.0 wrote it.
pub const FUNCTION_PRE_GA: u8 = 246;
/// Data of a module that belongs to no key.
pub const MODULE_AUX: u8 = 247;
/// For how many seconds the next key was not used.
pub const IDLE: u8 = 248;
/// How often the next key was used, as LFU counts it.
pub const FREQ: u8 = 249;
/// A named text about the file.
pub const AUX: u8 = 250;
/// How many keys, and keys with a deadline, the database has.
pub const RESIZEDB: u8 = 251;
/// The deadline of the next key, milliseconds since the epoch.
pub const EXPIRETIME_MS: u8 = 252;
/// The same in seconds.
pub const EXPIRETIME: u8 = 253;
/// The number of the database of the keys that follow.
pub const SELECTDB: u8 = 254;
/// The end; a checksum follows from version 5 on.
pub const EOF: u8 = 255;

use crate::Dialect;

impl Type {
    /// Whether a stream's consumers have the time when they last got something.
    pub(crate) fn has_active_times(self) -> bool {
        matches!(self, Self::Stream3 | Self::Stream4 | Self::Stream5)
    }

    /// Whether a stream has what its producers sent.
    pub(crate) fn has_producers(self) -> bool {
        matches!(self, Self::Stream4 | Self::Stream5)
    }
}

macro_rules! types {
    ($($name:ident = $number:literal, $title:literal;)*) => {
        /// How a value is encoded.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the titles say it")]
        pub enum Type {
            $($name,)*
        }

        impl Type {
            /// The type behind a number, in the dialect that the file's header names.
            pub fn of(number: u8, dialect: Dialect) -> Option<Self> {
                match (number, dialect) {
                    (22, Dialect::Valkey) => Some(Self::Hash2),
                    (23.., Dialect::Valkey) => None,
                    $(($number, _) => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The number that stands in files.
            pub fn number(self) -> u8 {
                match self {
                    $(Self::$name => $number,)*
                }
            }

            /// A name for people.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }
        }
    };
}

types! {
    String = 0, "string";
    List = 1, "list (plain)";
    Set = 2, "set (hashtable)";
    Zset = 3, "sorted set (text scores)";
    Hash = 4, "hash (hashtable)";
    Zset2 = 5, "sorted set (skiplist)";
    ModulePreGa = 6, "module value (old)";
    Module2 = 7, "module value";
    HashZipmap = 9, "hash (zipmap)";
    ListZiplist = 10, "list (ziplist)";
    SetIntset = 11, "set (intset)";
    ZsetZiplist = 12, "sorted set (ziplist)";
    HashZiplist = 13, "hash (ziplist)";
    ListQuicklist = 14, "list (quicklist of ziplists)";
    Stream1 = 15, "stream (version 1)";
    HashListpack = 16, "hash (listpack)";
    ZsetListpack = 17, "sorted set (listpack)";
    ListQuicklist2 = 18, "list (quicklist)";
    Stream2 = 19, "stream (version 2)";
    SetListpack = 20, "set (listpack)";
    Stream3 = 21, "stream (version 3)";
    HashMetadataPreGa = 22, "hash with deadlines (old)";
    HashListpackExPreGa = 23, "hash with deadlines (old listpack)";
    HashMetadata = 24, "hash with deadlines";
    HashListpackEx = 25, "hash with deadlines (listpack)";
    Stream4 = 26, "stream (version 4)";
    Stream5 = 27, "stream (version 5)";
    // Number 22 in Valkey's files.
    Hash2 = 0xff, "hash with deadlines (Valkey)";
}
