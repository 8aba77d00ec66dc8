//! Entry IDs.

use std::fmt;

/// An entry's ID: milliseconds and a sequence number within them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Milliseconds, by default of the server's clock.
    pub ms: u64,
    /// Distinguishes entries of one millisecond.
    pub seq: u64,
}

impl Id {
    /// 0-0, which no entry has.
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    /// The last of all.
    pub const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };

    /// An ID of its parts.
    pub const fn new(ms: u64, seq: u64) -> Self {
        Self { ms, seq }
    }

    /// The ID after this one; `None` after the last.
    pub fn next(self) -> Option<Self> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Self { seq, ..self }),
            None => Some(Self { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The ID before this one; `None` before 0-0.
    pub fn prev(self) -> Option<Self> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(Self { seq, ..self }),
            None => Some(Self { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }
}

/// Room for an ID's text: two numbers of 64 bits and a dash.
#[derive(Clone, Copy, Debug)]
pub struct IdText {
    bytes: [u8; 41],
    len: usize,
}

impl IdText {
    /// The text of an ID.
    pub fn new(id: Id) -> Self {
        let mut text = Self { bytes: [0; 41], len: 0 };
        text.push(itoa::Buffer::new().format(id.ms));
        text.push("-");
        text.push(itoa::Buffer::new().format(id.seq));
        text
    }

    fn push(&mut self, part: &str) {
        let end = self.len + part.len();
        self.bytes[self.len..end].copy_from_slice(part.as_bytes());
        self.len = end;
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// How the ID of a new entry is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewId {
    /// `*`: from the clock, or after the last ID if that is ahead.
    Auto {
        /// The present time in milliseconds since the epoch.
        now_ms: u64,
    },
    /// `ms-*`: the first free one of a millisecond.
    AutoSeq {
        /// The millisecond.
        ms: u64,
    },
    /// As given.
    Exact(Id),
}

impl NewId {
    /// The ID of an entry after `last`; `None` if that would not be greater.
    pub fn after(self, last: Id) -> Option<Id> {
        let id = match self {
            Self::Auto { now_ms } if now_ms > last.ms => Id::new(now_ms, 0),
            Self::Auto { .. } => last.next()?,
            Self::AutoSeq { ms } if ms == last.ms => Id::new(ms, last.seq.checked_add(1)?),
            Self::AutoSeq { ms } => Id::new(ms, 0),
            Self::Exact(id) => id,
        };
        Some(id).filter(|&id| id > last)
    }
}
