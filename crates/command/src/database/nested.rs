//! Commands that run within another.

use keyspace::Db;

use super::{Database, Event, ReadyKey, Setting};

/// What a command has changed and collected.
pub struct Collected {
    changes: u64,
    events: Vec<Event>,
    garbage: Vec<Db>,
    ready: Vec<ReadyKey>,
}

impl Database<'_> {
    /// The keys of a database for a command that runs within this one, under the same locks; what it
    /// collects goes to [`Database::absorb`].
    pub fn nested(&mut self, number: usize) -> Database<'_> {
        Database::new(Setting {
            held: self.held.lend(),
            number,
            now_ms: self.now_ms,
            expires: self.horizon_ms == self.now_ms,
            frozen: self.frozen,
            access: self.access.clone(),
            counters: self.counters,
            notify: self.notify,
            log: self.log,
            tracking: self.tracking,
        })
    }

    /// Takes a nested database apart, for [`Database::absorb`].
    pub fn into_collected(self) -> Collected {
        let Self { changes, events, garbage, ready, .. } = self;
        Collected { changes, events, garbage, ready }
    }

    /// Takes over what a nested command collected.
    pub fn absorb(&mut self, collected: Collected) {
        self.changes += collected.changes;
        self.events.extend(collected.events);
        self.garbage.extend(collected.garbage);
        for ready in collected.ready {
            if !self.ready.contains(&ready) {
                self.ready.push(ready);
            }
        }
    }
}
