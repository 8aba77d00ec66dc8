use bitflags::bitflags;
use smallvec::SmallVec;

use crate::Outcome;
use crate::args::Args;
use crate::context::Ctx;
use crate::error::Error;
use crate::keys::{KeyFlags, KeyList, KeySpec};
use crate::reach::Reach;

/// Finds the keys of a command in its words.
pub type FindKeys = fn(Args<'_>, &mut KeyList) -> Result<(), Error>;

/// Everything there is to say of a command, beside its code.
pub struct Spec {
    /// Lower-case name; of a subcommand, the word after its container's name.
    pub name: &'static str,
    /// The container's name, for subcommands.
    pub container: Option<&'static str>,
    /// Number of words, the name (and the container's) included; negative: at least so many.
    pub arity: i32,
    /// What the command does, and where it may run.
    pub flags: Flags,
    /// ACL categories beyond those that flags and group imply.
    pub categories: Categories,
    /// The family, as documentation groups commands.
    pub group: Group,
    /// Where the keys are.
    pub keys: &'static [KeySpec],
    /// Finds the keys where `keys` cannot say it all (marked incomplete there).
    pub find_keys: Option<FindKeys>,
    /// The words that name channels.
    pub channels: Channels,
    /// Which databases the command touches.
    pub databases: Databases,
    /// Whether a call touches keys that its words do not name, and so needs the whole keyspace for itself;
    /// a command of which every call does has [`Flags::EXCLUSIVE`].
    pub needs_all: Option<fn(Args<'_>) -> bool>,
    /// How much of a value a call touches, of a command that is [`Flags::LINEAR`] and need not touch all.
    pub reach: Option<Reach>,
    /// The version of Redis (or Valkey, or Rubrica, where only they have it) that brought the command.
    pub since: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Time complexity.
    pub complexity: &'static str,
    /// The arguments after the name.
    pub syntax: &'static str,
    /// What changed in which version.
    pub history: &'static [(&'static str, &'static str)],
    /// Hints for clients and proxies, as `COMMAND INFO` gives them.
    pub tips: &'static [&'static str],
    /// Since when the command is deprecated, and what to use instead.
    pub deprecated: Option<(&'static str, &'static str)>,
    /// The commands behind the first argument, of a container.
    pub subcommands: &'static [&'static Spec],
    /// The code. A container's runs when no subcommand fits.
    pub run: fn(&mut Ctx<'_>, Args<'_>) -> Outcome,
}

impl Spec {
    /// What declarations start from: `Spec { name: ..., ..Spec::BASE }`.
    pub const BASE: Self = Self {
        name: "",
        container: None,
        arity: -1,
        flags: Flags::empty(),
        categories: Categories::empty(),
        group: Group::Generic,
        keys: &[],
        find_keys: None,
        channels: Channels::Nothing,
        databases: Databases::Selected,
        needs_all: None,
        reach: None,
        since: "",
        summary: "",
        complexity: "",
        syntax: "",
        history: &[],
        tips: &[],
        deprecated: None,
        subcommands: &[],
        run: unknown_subcommand,
    };

    /// The name as ACL and statistics write it: `get`, `client|list`.
    pub fn full_name(&self) -> String {
        match self.container {
            Some(container) => format!("{container}|{}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// Whether a command of `words` words has the right number of them.
    pub fn accepts(&self, words: usize) -> bool {
        let least = self.arity.unsigned_abs() as usize;
        if self.arity >= 0 { words == least } else { words >= least }
    }

    /// Whether this call runs behind the closed gate.
    #[inline]
    pub fn is_exclusive(&self, args: Args<'_>) -> bool {
        self.flags.contains(Flags::EXCLUSIVE)
            || self.needs_all.is_some_and(|needs_all| needs_all(args))
    }

    /// All ACL categories, those included that flags and group imply.
    pub fn all_categories(&self) -> Categories {
        let implied = [
            (Flags::WRITE, Categories::WRITE),
            (Flags::READONLY, Categories::READ),
            (Flags::ADMIN, Categories::ADMIN.union(Categories::DANGEROUS)),
            (Flags::PUBSUB, Categories::PUBSUB),
            (Flags::BLOCKING, Categories::BLOCKING),
        ];
        // A container does nothing itself; what works on keys of some types only belongs to these.
        let of_group = match self.subcommands {
            [] if self.group == Group::Generic && self.categories.intersects(OF_SOME) => {
                Categories::empty()
            }
            [] => self.group.category(),
            _ => Categories::empty(),
        };
        let mut all = self.categories | of_group;
        for (flag, category) in implied {
            if self.flags.contains(flag)
                && !(category.contains(Categories::READ) && self.group == Group::Scripting)
            {
                all |= category;
            }
        }
        all | if self.flags.contains(Flags::FAST) { Categories::FAST } else { Categories::SLOW }
    }

    /// Whether the places of the keys depend on the arguments in a way that `keys` does not say.
    pub fn has_movable_keys(&self) -> bool {
        (self.find_keys.is_some() && self.keys.is_empty())
            || self
                .keys
                .iter()
                .any(|spec| spec.flags.contains(KeyFlags::INCOMPLETE) || spec.is_movable())
    }

    /// The keys of a command, in the order of its declaration.
    ///
    /// # Errors
    /// When the arguments do not say where the keys are (a count that is no number, say).
    pub fn keys_of(&self, args: Args<'_>) -> Result<KeyList, Error> {
        let mut found = KeyList::new();
        if let Some(find) = self.find_keys {
            find(args, &mut found)?;
        } else {
            for spec in self.keys {
                spec.find(args, &mut found)?;
            }
        }
        Ok(found)
    }
}

/// Categories of commands that are generic without belonging to `@keyspace`.
const OF_SOME: Categories = Categories::LIST
    .union(Categories::SET)
    .union(Categories::SORTEDSET)
    .union(Categories::CONNECTION);

/// The code of a container: the first argument named no subcommand.
///
/// # Errors
/// Always.
pub fn unknown_subcommand(_ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let container = args.text(0).to_uppercase();
    let word = args.at(1);
    let word = String::from_utf8_lossy(word.get(..128).unwrap_or(word));
    Err(Error::new(format!("ERR unknown subcommand '{word}'. Try {container} HELP.")))
}

bitflags! {
    /// What a command does, and where it may run.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Flags: u32 {
        /// May change the data set.
        const WRITE = 1;
        /// Reads the data set only.
        const READONLY = 1 << 1;
        /// May need more memory: refused when out of it.
        const DENYOOM = 1 << 2;
        /// An administrative command.
        const ADMIN = 1 << 3;
        /// Belongs to publish/subscribe.
        const PUBSUB = 1 << 4;
        /// Not from scripts.
        const NOSCRIPT = 1 << 5;
        /// May wait.
        const BLOCKING = 1 << 6;
        /// Runs while the data set is loaded.
        const LOADING = 1 << 7;
        /// Runs on a replica with stale data.
        const STALE = 1 << 8;
        /// Not shown to MONITOR.
        const SKIP_MONITOR = 1 << 9;
        /// Not recorded in the slow log.
        const SKIP_SLOWLOG = 1 << 10;
        /// Allowed for importing slots.
        const ASKING = 1 << 11;
        /// Takes constant or logarithmic time.
        const FAST = 1 << 12;
        /// Runs without authentication.
        const NO_AUTH = 1 << 13;
        /// May be replicated though it does not write.
        const MAY_REPLICATE = 1 << 14;
        /// Works without keys as well.
        const NO_MANDATORY_KEYS = 1 << 15;
        /// Runs while a script keeps the server busy.
        const ALLOW_BUSY = 1 << 16;
        /// Not while an asynchronous load runs.
        const NO_ASYNC_LOADING = 1 << 17;
        /// Not inside a transaction.
        const NO_MULTI = 1 << 18;
        /// Takes time in proportion to the values at its keys, or to what it reaches of them
        /// ([`Spec::reach`]): where that is much it is run by a helper. It leaves its connection alone. Not shown to clients.
        const LINEAR = 1 << 29;
        /// Needs the whole keyspace for itself: runs behind the closed gate. Not shown to clients.
        const EXCLUSIVE = 1 << 30;
        /// Walks the keyspace shard by shard. Not shown to clients.
        const WALK = 1 << 31;
    }
}

impl Flags {
    /// The names of the flags that are set, as `COMMAND INFO` gives them, in its order; it keeps
    /// [`Flags::MAY_REPLICATE`] to itself.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [(Flags, &str); 18] = [
            (Flags::WRITE, "write"),
            (Flags::READONLY, "readonly"),
            (Flags::DENYOOM, "denyoom"),
            (Flags::ADMIN, "admin"),
            (Flags::PUBSUB, "pubsub"),
            (Flags::NOSCRIPT, "noscript"),
            (Flags::BLOCKING, "blocking"),
            (Flags::LOADING, "loading"),
            (Flags::STALE, "stale"),
            (Flags::SKIP_MONITOR, "skip_monitor"),
            (Flags::SKIP_SLOWLOG, "skip_slowlog"),
            (Flags::ASKING, "asking"),
            (Flags::FAST, "fast"),
            (Flags::NO_AUTH, "no_auth"),
            (Flags::NO_MANDATORY_KEYS, "no_mandatory_keys"),
            (Flags::NO_ASYNC_LOADING, "no_async_loading"),
            (Flags::NO_MULTI, "no_multi"),
            (Flags::ALLOW_BUSY, "allow_busy"),
        ];
        NAMES.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| name)
    }
}

bitflags! {
    /// ACL categories.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Categories: u32 {
        /// `@keyspace`
        const KEYSPACE = 1;
        /// `@read`
        const READ = 1 << 1;
        /// `@write`
        const WRITE = 1 << 2;
        /// `@set`
        const SET = 1 << 3;
        /// `@sortedset`
        const SORTEDSET = 1 << 4;
        /// `@list`
        const LIST = 1 << 5;
        /// `@hash`
        const HASH = 1 << 6;
        /// `@string`
        const STRING = 1 << 7;
        /// `@bitmap`
        const BITMAP = 1 << 8;
        /// `@hyperloglog`
        const HYPERLOGLOG = 1 << 9;
        /// `@geo`
        const GEO = 1 << 10;
        /// `@stream`
        const STREAM = 1 << 11;
        /// `@pubsub`
        const PUBSUB = 1 << 12;
        /// `@admin`
        const ADMIN = 1 << 13;
        /// `@fast`
        const FAST = 1 << 14;
        /// `@slow`
        const SLOW = 1 << 15;
        /// `@blocking`
        const BLOCKING = 1 << 16;
        /// `@dangerous`
        const DANGEROUS = 1 << 17;
        /// `@connection`
        const CONNECTION = 1 << 18;
        /// `@transaction`
        const TRANSACTION = 1 << 19;
        /// `@scripting`
        const SCRIPTING = 1 << 20;
    }
}

impl Categories {
    /// The categories with their names, in Redis's order.
    pub fn named() -> impl Iterator<Item = (&'static str, Self)> {
        Self::all().iter_names().map(|(name, category)| (lower(name), category))
    }
}

/// Category names in lower case; a table because they are needed as `'static` text.
fn lower(name: &'static str) -> &'static str {
    const LOWER: [&str; 21] = [
        "keyspace",
        "read",
        "write",
        "set",
        "sortedset",
        "list",
        "hash",
        "string",
        "bitmap",
        "hyperloglog",
        "geo",
        "stream",
        "pubsub",
        "admin",
        "fast",
        "slow",
        "blocking",
        "dangerous",
        "connection",
        "transaction",
        "scripting",
    ];
    LOWER.into_iter().find(|lower| lower.eq_ignore_ascii_case(name)).unwrap_or(name)
}

/// Which words of a command name channels that it publishes to or subscribes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// None.
    Nothing,
    /// The first behind the name.
    First,
    /// All behind the name.
    Names,
    /// All behind the name, and they are patterns.
    Patterns,
}

/// Which databases a command touches.
#[derive(Clone, Copy)]
pub enum Databases {
    /// The one that is selected, if the command has keys or is about the keyspace.
    Selected,
    /// Those whose numbers these words are, and the one that is selected if the command has keys.
    Named(fn(Args<'_>) -> SmallVec<[usize; 2]>),
    /// All.
    All,
}

/// The families of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Keys of any type.
    Generic,
    /// Strings.
    String,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Hashes.
    Hash,
    /// Streams.
    Stream,
    /// Strings as bit arrays.
    Bitmap,
    /// Strings as cardinality estimators.
    HyperLogLog,
    /// Sorted sets as places on the globe.
    Geo,
    /// The connection and its client.
    Connection,
    /// The server.
    Server,
    /// Publish/subscribe.
    PubSub,
    /// Transactions.
    Transactions,
    /// Scripts and functions.
    Scripting,
    /// The cluster.
    Cluster,
}

impl Group {
    /// The name that `COMMAND DOCS` gives.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::Hash => "hash",
            Self::Stream => "stream",
            Self::Bitmap => "bitmap",
            Self::HyperLogLog => "hyperloglog",
            Self::Geo => "geo",
            Self::Connection => "connection",
            Self::Server => "server",
            Self::PubSub => "pubsub",
            Self::Transactions => "transactions",
            Self::Scripting => "scripting",
            Self::Cluster => "cluster",
        }
    }

    /// The ACL category that a family implies.
    pub fn category(self) -> Categories {
        match self {
            Self::Generic => Categories::KEYSPACE,
            Self::String => Categories::STRING,
            Self::List => Categories::LIST,
            Self::Set => Categories::SET,
            Self::SortedSet => Categories::SORTEDSET,
            Self::Hash => Categories::HASH,
            Self::Stream => Categories::STREAM,
            Self::Bitmap => Categories::BITMAP,
            Self::HyperLogLog => Categories::HYPERLOGLOG,
            Self::Geo => Categories::GEO,
            Self::Connection => Categories::CONNECTION,
            Self::Transactions => Categories::TRANSACTION,
            Self::Scripting => Categories::SCRIPTING,
            // Of publish/subscribe the flag says it.
            Self::PubSub | Self::Server | Self::Cluster => Categories::empty(),
        }
    }
}
