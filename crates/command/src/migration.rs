//! What a MIGRATE under way knows: its steps under the locks of its keys and the talk with the other server, for
//! which nothing is locked, take turns on it.

use crate::error::Error;

/// One MIGRATE.
#[derive(Default)]
pub struct Migration {
    /// The keys that it is to move, from the first step on.
    pub keys: Vec<Moving>,
    /// Steps done so far.
    pub steps: u32,
    /// Whether any key was there.
    pub found: bool,
    /// What went wrong with the other server; the last step answers it.
    pub failure: Option<Error>,
}

/// A key on its way.
pub struct Moving {
    /// The word that names it.
    pub word: usize,
    /// What the other server has under this name it has from here, so it may be replaced.
    pub ours: bool,
    /// How far it is.
    pub state: Moved,
}

/// How far a key is.
pub enum Moved {
    /// It is to be looked up.
    Wanted,
    /// The other server is to be told of it.
    Offered(Offer),
    /// There is nothing left to do.
    Settled,
}

/// What the other server is told of a key.
pub struct Offer {
    /// The version that the key had (`keyspace::Marks`), as WATCH takes it.
    pub version: u64,
    /// The value; none when the key has gone after it was sent.
    pub value: Option<Carried>,
    /// The other server has taken it.
    pub taken: bool,
}

/// A value as it travels.
pub struct Carried {
    /// A DUMP payload.
    pub payload: Vec<u8>,
    /// When the key ends, milliseconds since the epoch.
    pub deadline_ms: Option<i64>,
}

impl Migration {
    /// What the other server is to be told, with the keys' words, and whether it may replace what it has.
    pub fn offers(&mut self) -> impl Iterator<Item = (usize, bool, &mut Offer)> {
        self.keys.iter_mut().filter_map(|moving| match &mut moving.state {
            Moved::Offered(offer) => Some((moving.word, moving.ours, offer)),
            Moved::Wanted | Moved::Settled => None,
        })
    }
}
