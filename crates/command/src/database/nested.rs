//! Commands that run within another.

use super::{Database, Setting};

impl Database<'_> {
    /// The keys of a database for a command that runs within this one, under the same locks and with one
    /// aftermath; its changes are counted by [`Database::add_changes`].
    pub fn nested(&mut self, number: usize) -> Database<'_> {
        let setting = Setting {
            held: self.held.lend(),
            number,
            now_ms: self.now_ms,
            expires: self.horizon_ms == self.now_ms,
            frozen: self.frozen,
            access: self.access,
            counters: self.counters,
            notify: self.notify,
            log: self.log,
            tracking: self.tracking,
        };
        Database::new(setting, self.aftermath)
    }
}
