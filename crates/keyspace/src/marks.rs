//! What clients have attached to keys of a shard: watches (WATCH) and waiters (blocking commands).
//!
//! Both are kept beside the tables because keys that do not exist can be watched and waited for. A
//! shard to which nothing is attached pays one comparison per change.

use std::collections::{HashMap, VecDeque};

/// A key with the number of its database.
type Place = (usize, Box<[u8]>);

/// The attachments of one shard.
#[derive(Default)]
pub struct Marks {
    watches: HashMap<Place, Watch>,
    waiters: HashMap<Place, VecDeque<u64>>,
    /// Changes of watched keys so far: what versions are made of.
    changes: u64,
}

struct Watch {
    watchers: u32,
    version: u64,
}

impl Marks {
    /// Whether nothing is attached to any key.
    pub fn is_empty(&self) -> bool {
        self.watches.is_empty() && self.waiters.is_empty()
    }

    /// Starts to watch a key, and says which version it has now.
    pub fn watch(&mut self, database: usize, key: &[u8]) -> u64 {
        let version = self.changes;
        let watch =
            self.watches.entry((database, key.into())).or_insert(Watch { watchers: 0, version });
        watch.watchers += 1;
        watch.version
    }

    /// Ends one client's watch.
    pub fn unwatch(&mut self, database: usize, key: &[u8]) {
        let place = (database, key.into());
        if let Some(watch) = self.watches.get_mut(&place) {
            watch.watchers -= 1;
            if watch.watchers == 0 {
                self.watches.remove(&place);
            }
        }
    }

    /// The version of a watched key; it changes whenever the key does.
    pub fn version(&self, database: usize, key: &[u8]) -> Option<u64> {
        self.watches.get(&(database, key.into())).map(|watch| watch.version)
    }

    /// Notes a change of a key; says whether anybody waits for it.
    pub fn changed(&mut self, database: usize, key: &[u8]) -> bool {
        let place = (database, key.into());
        if let Some(watch) = self.watches.get_mut(&place) {
            self.changes += 1;
            watch.version = self.changes;
        }
        self.waiters.contains_key(&place)
    }

    /// Watched keys of a database.
    pub fn watched(&self, database: usize) -> Vec<Box<[u8]>> {
        self.watches
            .keys()
            .filter(|place| place.0 == database)
            .map(|place| place.1.clone())
            .collect()
    }

    /// Keys of a database that somebody waits for.
    pub fn awaited(&self, database: usize) -> Vec<Box<[u8]>> {
        self.waiters
            .keys()
            .filter(|place| place.0 == database)
            .map(|place| place.1.clone())
            .collect()
    }

    /// Puts a waiter at the end of a key's queue. Tickets rise: each is drawn under the lock of this shard.
    pub fn wait(&mut self, database: usize, key: &[u8], ticket: u64) {
        let queue = self.waiters.entry((database, key.into())).or_default();
        if queue.back().is_none_or(|last| *last < ticket) {
            queue.push_back(ticket);
        }
    }

    /// Takes a waiter out of a key's queue.
    pub fn stop_waiting(&mut self, database: usize, key: &[u8], ticket: u64) {
        let place = (database, key.into());
        if let Some(queue) = self.waiters.get_mut(&place) {
            if let Ok(at) = queue.binary_search(&ticket) {
                queue.remove(at);
            }
            if queue.is_empty() {
                self.waiters.remove(&place);
            }
        }
    }

    /// Who has waited longest for a key of those that came after the one with the ticket `after`.
    pub fn next_waiter(&self, database: usize, key: &[u8], after: u64) -> Option<u64> {
        let queue = self.waiters.get(&(database, key.into()))?;
        queue.get(queue.partition_point(|ticket| *ticket <= after)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watched_key_gets_a_new_version_with_each_change() {
        let mut marks = Marks::default();
        let before = marks.watch(0, b"k");
        assert!(!marks.changed(0, b"other"));
        assert_eq!(marks.version(0, b"k"), Some(before));
        assert!(!marks.changed(0, b"k"));
        assert_ne!(marks.version(0, b"k"), Some(before));
        let second = marks.watch(0, b"k");
        assert_eq!(marks.version(0, b"k"), Some(second));
        marks.unwatch(0, b"k");
        marks.unwatch(0, b"k");
        assert!(marks.is_empty());
    }

    #[test]
    fn waiters_stand_in_the_order_in_which_they_came() {
        let mut marks = Marks::default();
        for ticket in [3, 5, 5, 7] {
            marks.wait(1, b"k", ticket);
        }
        assert!(marks.changed(1, b"k") && !marks.changed(0, b"k"));
        assert_eq!(marks.next_waiter(1, b"k", 0), Some(3));
        assert_eq!(marks.next_waiter(1, b"k", 3), Some(5));
        marks.stop_waiting(1, b"k", 5);
        marks.stop_waiting(1, b"k", 6);
        assert_eq!(marks.next_waiter(1, b"k", 3), Some(7));
        assert_eq!(marks.next_waiter(1, b"k", 7), None);
        [3, 7].into_iter().for_each(|ticket| marks.stop_waiting(1, b"k", ticket));
        assert!(marks.is_empty());
    }
}
