use std::sync::atomic::{AtomicU8, Ordering};

use command::SaveHandle;
use keyspace::Lent;
use snapshot::{Encode, Handle, Snapshot};

/// Snapshots that may be given up in a row before the numbers of eras are settled anew.
const GIVEN_UP_MAX: u8 = keyspace::era::ERAS - 4;

static GIVEN_UP: AtomicU8 = AtomicU8::new(0);

/// A snapshot under way, as the services know it.
pub struct Wrapped(pub Handle);

impl SaveHandle for Wrapped {
    fn keys(&self) -> u64 {
        self.0.keys()
    }

    fn give_up(&self) {
        self.0.give_up();
    }

    fn stop(&self) {
        self.0.stop();
    }
}

/// Marks the cut of a snapshot. No other one is under way.
pub fn cut(held: &mut Lent<'_>, encode: Box<dyn Encode>) -> Snapshot {
    if GIVEN_UP.load(Ordering::Relaxed) >= GIVEN_UP_MAX {
        held.settle_eras();
        GIVEN_UP.store(0, Ordering::Relaxed);
    }
    // Counted until it is whole.
    GIVEN_UP.fetch_add(1, Ordering::Relaxed);
    Snapshot::begin(held, encode)
}

/// Notes that a snapshot has become whole.
pub fn note_whole() {
    GIVEN_UP.store(0, Ordering::Relaxed);
}
