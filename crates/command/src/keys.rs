use bitflags::bitflags;
use smallvec::SmallVec;

use crate::args::Args;
use crate::error::Error;

/// Where some keys of a command are, and what it does with them: the key specifications of
/// `COMMAND INFO`.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// What the command does with the keys.
    pub flags: KeyFlags,
    /// Where the search begins.
    pub begin: Begin,
    /// How the keys lie from there on.
    pub find: Find,
}

/// Where the search for keys begins.
#[derive(Clone, Copy, Debug)]
pub enum Begin {
    /// At this word.
    Index(i32),
    /// Behind this word, looked for from the word at `from` on (backwards when negative).
    Keyword(&'static str, i32),
    /// Nobody can say by rule.
    Unknown,
}

/// How keys lie from the beginning of the search on.
#[derive(Clone, Copy, Debug)]
pub enum Find {
    /// Every `step`-th word up to `last`, relative to the first, or from the end when negative; with a
    /// `limit` above 1 only that fraction of the words (negative `last` -1 only).
    Range {
        /// The last key, relative to the first; from the end when negative.
        last: i32,
        /// Distance between keys.
        step: i32,
        /// Only one `limit`-th of the words are keys; 0 and 1 mean all.
        limit: i32,
    },
    /// A word with the number of keys, then the keys. Positions are relative to the beginning.
    KeyNum {
        /// The word with the number.
        count: i32,
        /// The first key.
        first: i32,
        /// Distance between keys.
        step: i32,
    },
    /// Nobody can say by rule.
    Unknown,
}

bitflags! {
    /// What a command does with a key.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KeyFlags: u16 {
        /// Reads it only.
        const RO = 1;
        /// Reads and changes it.
        const RW = 1 << 1;
        /// Overwrites it.
        const OW = 1 << 2;
        /// Removes it.
        const RM = 1 << 3;
        /// Gives the user's data away, or depends on it.
        const ACCESS = 1 << 4;
        /// Changes the user's data.
        const UPDATE = 1 << 5;
        /// Adds to the user's data.
        const INSERT = 1 << 6;
        /// Takes from the user's data.
        const DELETE = 1 << 7;
        /// Not a key, but routed like one.
        const NOT_KEY = 1 << 8;
        /// The specification does not find all keys.
        const INCOMPLETE = 1 << 9;
        /// The flags depend on the arguments.
        const VARIABLE_FLAGS = 1 << 10;
    }
}

impl KeyFlags {
    /// Reads the value.
    pub const READ: Self = Self::RO.union(Self::ACCESS);

    /// The names as `COMMAND INFO` gives them, in its order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [(KeyFlags, &str); 11] = [
            (KeyFlags::RO, "RO"),
            (KeyFlags::RW, "RW"),
            (KeyFlags::OW, "OW"),
            (KeyFlags::RM, "RM"),
            (KeyFlags::ACCESS, "access"),
            (KeyFlags::UPDATE, "update"),
            (KeyFlags::INSERT, "insert"),
            (KeyFlags::DELETE, "delete"),
            (KeyFlags::NOT_KEY, "not_key"),
            (KeyFlags::INCOMPLETE, "incomplete"),
            (KeyFlags::VARIABLE_FLAGS, "variable_flags"),
        ];
        NAMES.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| name)
    }
}

/// The keys of a command: word number and what is done with it.
pub type KeyList = SmallVec<[(usize, KeyFlags); 4]>;

impl KeySpec {
    /// One key at word `index`.
    pub const fn one(index: i32, flags: KeyFlags) -> Self {
        Self::range(index, 0, 1, flags)
    }

    /// Keys from word `first` to `last` (relative to the first, or from the end when negative), every
    /// `step`-th word.
    pub const fn range(first: i32, last: i32, step: i32, flags: KeyFlags) -> Self {
        Self { flags, begin: Begin::Index(first), find: Find::Range { last, step, limit: 0 } }
    }

    /// Word `index` has the number of keys, which follow.
    pub const fn counted(index: i32, flags: KeyFlags) -> Self {
        Self {
            flags,
            begin: Begin::Index(index),
            find: Find::KeyNum { count: 0, first: 1, step: 1 },
        }
    }

    /// Keys that the specification cannot find; the command's own function does.
    pub const fn unknown(flags: KeyFlags) -> Self {
        Self {
            flags: flags.union(KeyFlags::INCOMPLETE),
            begin: Begin::Unknown,
            find: Find::Unknown,
        }
    }

    /// Whether the keys' places depend on the arguments.
    pub fn is_movable(&self) -> bool {
        !matches!((self.begin, self.find), (Begin::Index(_), Find::Range { limit: 0 | 1, .. }))
    }

    /// Adds the keys that the specification finds in `args`.
    ///
    /// # Errors
    /// When a count of keys is no number, or more than there are words.
    pub fn find(&self, args: Args<'_>, found: &mut KeyList) -> Result<(), Error> {
        let Some(first) = self.first(args) else { return Ok(()) };
        let words = args.len() as i64;
        let (first, last, step) = match self.find {
            Find::Range { last, step, limit } => {
                let last = match last {
                    0.. => first + i64::from(last),
                    _ if limit > 1 => first + (words - first) / i64::from(limit) + i64::from(last),
                    _ => words + i64::from(last),
                };
                (first, last, i64::from(step))
            }
            Find::KeyNum { count, first: offset, step } => {
                let count =
                    usize::try_from(first + i64::from(count)).ok().and_then(|at| args.get(at));
                let count = count.and_then(codec::number::parse_i64).ok_or(INVALID)?;
                let first = first + i64::from(offset);
                let step = i64::from(step);
                let last = count
                    .checked_sub(1)
                    .and_then(|n| n.checked_mul(step))
                    .and_then(|n| n.checked_add(first));
                (first, last.filter(|_| count >= 0).ok_or(INVALID)?, step)
            }
            Find::Unknown => return Ok(()),
        };
        if last >= words {
            return Err(INVALID);
        }
        let mut at = first;
        while at <= last {
            found.push((at as usize, self.flags));
            at += step.max(1);
        }
        Ok(())
    }

    fn first(&self, args: Args<'_>) -> Option<i64> {
        match self.begin {
            Begin::Index(index) => Some(i64::from(index)).filter(|at| *at < args.len() as i64),
            Begin::Keyword(word, from) => {
                let len = args.len();
                let found = if from >= 0 {
                    (from as usize..len).find(|at| args.is(*at, word))
                } else {
                    let start = len.checked_sub(from.unsigned_abs() as usize)?;
                    (1..=start).rev().find(|at| args.is(*at, word))
                };
                found.map(|at| at as i64 + 1).filter(|at| *at < len as i64)
            }
            Begin::Unknown => None,
        }
    }
}

const INVALID: Error = Error::fixed("ERR Invalid arguments specified for command");
