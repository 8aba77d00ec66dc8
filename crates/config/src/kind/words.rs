//! Options whose value is one word of a few, as types.

use crate::value::{Field, Value};

/// Declares an enum whose variants are an option's words.
macro_rules! words {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every word, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word that the configuration uses for this value.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The value with this name, in lower case.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl Default for $name {
            /// The first variant; [`crate::Config::default`] holds the option's default.
            fn default() -> Self {
                [$(Self::$variant),*][0]
            }
        }

        impl Field for $name {
            fn to_value(&self) -> Value {
                Value::Word(self.name())
            }
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Word(word) => Self::from_name(word),
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// Whether and how the server changes its score for when memory is short.
    OomScoreAdj {
        /// It does not.
        No = "no",
        /// As `relative`.
        Yes = "yes",
        /// By so much.
        Relative = "relative",
        /// To so much.
        Absolute = "absolute",
    }
}

words! {
    /// The least severe messages that are logged.
    LogLevel {
        /// Everything.
        Debug = "debug",
        /// Rarely useful information, but not as much as `debug`.
        Verbose = "verbose",
        /// What one wants to know in production.
        Notice = "notice",
        /// Only important and critical messages.
        Warning = "warning",
        /// No messages at all.
        Nothing = "nothing",
    }
}

words! {
    /// The form of a log line.
    LogFormat {
        /// Process, role, time, level mark and message, as Redis writes them.
        Legacy = "legacy",
        /// `key=value` pairs.
        Logfmt = "logfmt",
    }
}

words! {
    /// The form of a log line's time.
    LogTimestamp {
        /// Day, month, year and time of day with milliseconds.
        Legacy = "legacy",
        /// ISO 8601 with the offset from UTC.
        Iso8601 = "iso8601",
        /// Milliseconds since the epoch.
        Milliseconds = "milliseconds",
    }
}

words! {
    /// Which supervisor the server tells that it is ready.
    Supervised {
        /// Upstart, by stopping itself.
        Upstart = "upstart",
        /// systemd, by its notification socket.
        Systemd = "systemd",
        /// Whichever the environment names.
        Auto = "auto",
        /// None.
        No = "no",
    }
}

words! {
    /// Whether clients show certificates.
    TlsAuthClients {
        /// They are not asked to.
        No = "no",
        /// They have to.
        Yes = "yes",
        /// They may.
        Optional = "optional",
    }
}

words! {
    /// What of a client's certificate names its user.
    TlsUser {
        /// Nothing.
        Off = "off",
        /// The common name of its subject.
        CommonName = "cn",
        /// The first URI among its alternative names.
        Uri = "uri",
    }
}

words! {
    /// From where something dangerous is allowed.
    AllowFrom {
        /// From nowhere.
        No = "no",
        /// From everywhere.
        Yes = "yes",
        /// From connections of this machine only.
        Local = "local",
    }
}

words! {
    /// When the append-only file is made durable.
    AppendFsync {
        /// Once a second.
        Everysec = "everysec",
        /// Before a write is acknowledged.
        Always = "always",
        /// Whenever the operating system likes.
        No = "no",
    }
}

words! {
    /// Which keys go when `maxmemory` is reached.
    MaxmemoryPolicy {
        /// Least recently used among the keys with a time to live.
        VolatileLru = "volatile-lru",
        /// Least frequently used among the keys with a time to live.
        VolatileLfu = "volatile-lfu",
        /// Least recently modified among the keys with a time to live.
        VolatileLrm = "volatile-lrm",
        /// Any key with a time to live.
        VolatileRandom = "volatile-random",
        /// The key that expires soonest.
        VolatileTtl = "volatile-ttl",
        /// Least recently used of all keys.
        AllkeysLru = "allkeys-lru",
        /// Least frequently used of all keys.
        AllkeysLfu = "allkeys-lfu",
        /// Least recently modified of all keys.
        AllkeysLrm = "allkeys-lrm",
        /// Any key.
        AllkeysRandom = "allkeys-random",
        /// None: commands that need memory fail.
        Noeviction = "noeviction",
    }
}

words! {
    /// Channels that a new user may use.
    AclPubsubDefault {
        /// All of them.
        Allchannels = "allchannels",
        /// None of them.
        Resetchannels = "resetchannels",
    }
}

words! {
    /// Whether serialised values are checked in depth before they are loaded.
    SanitizePayload {
        /// Never.
        No = "no",
        /// Always.
        Yes = "yes",
        /// When a client sends them, not from files or the primary.
        Clients = "clients",
    }
}
