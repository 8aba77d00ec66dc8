//! What clients have attached to keys of a shard: watches (WATCH) and waiters (blocking commands).
//!
//! Both are kept beside the tables because keys that do not exist can be watched and waited for. A
//! shard to which nothing is attached pays one comparison per change.

use std::collections::{HashMap, VecDeque};

use value::Kind;

/// A key with the number of its database.
type Place = (usize, Box<[u8]>);

/// The attachments of one shard.
#[derive(Default)]
pub struct Marks {
    /// Out of the way: most shards have none. Kept once it is there, so that versions never repeat.
    attached: Option<Box<Attached>>,
}

#[derive(Default)]
struct Attached {
    watches: HashMap<Place, Watch>,
    waiters: HashMap<Place, VecDeque<Waiter>>,
    /// Changes of watched keys so far: what versions are made of.
    changes: u64,
}

struct Watch {
    watchers: u32,
    version: u64,
}

/// Somebody who waits for a key.
struct Waiter {
    /// Rises with the time at which the wait began.
    ticket: u64,
    /// What the key has to hold; `None` for who is told of any change.
    kind: Option<Kind>,
}

impl Marks {
    /// Whether nothing is attached to any key.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.attached
            .as_ref()
            .is_none_or(|attached| attached.watches.is_empty() && attached.waiters.is_empty())
    }

    fn make(&mut self) -> &mut Attached {
        self.attached.get_or_insert_default()
    }

    /// Starts to watch a key, and says which version it has now.
    pub fn watch(&mut self, database: usize, key: &[u8]) -> u64 {
        let attached = self.make();
        let version = attached.changes;
        let watch = attached
            .watches
            .entry((database, key.into()))
            .or_insert(Watch { watchers: 0, version });
        watch.watchers += 1;
        watch.version
    }

    /// Ends one client's watch.
    pub fn unwatch(&mut self, database: usize, key: &[u8]) {
        let place = (database, key.into());
        let Some(attached) = &mut self.attached else { return };
        if let Some(watch) = attached.watches.get_mut(&place) {
            watch.watchers -= 1;
            if watch.watchers == 0 {
                attached.watches.remove(&place);
            }
        }
    }

    /// The version of a watched key; it changes whenever the key does.
    pub fn version(&self, database: usize, key: &[u8]) -> Option<u64> {
        let attached = self.attached.as_ref()?;
        attached.watches.get(&(database, key.into())).map(|watch| watch.version)
    }

    /// Notes a change of a key; says whether anybody waits for it.
    pub fn changed(&mut self, database: usize, key: &[u8]) -> bool {
        let Some(attached) = &mut self.attached else { return false };
        let place = (database, key.into());
        if let Some(watch) = attached.watches.get_mut(&place) {
            attached.changes += 1;
            watch.version = attached.changes;
        }
        attached.waiters.contains_key(&place)
    }

    /// Watched keys of a database.
    pub fn watched(&self, database: usize) -> Vec<Box<[u8]>> {
        let attached = self.attached.iter();
        let places = attached.flat_map(|attached| attached.watches.keys());
        places.filter(|place| place.0 == database).map(|place| place.1.clone()).collect()
    }

    /// Keys of a database that somebody waits for.
    pub fn awaited(&self, database: usize) -> Vec<Box<[u8]>> {
        let attached = self.attached.iter();
        let places = attached.flat_map(|attached| attached.waiters.keys());
        places.filter(|place| place.0 == database).map(|place| place.1.clone()).collect()
    }

    /// Puts a waiter at the end of a key's queue, for when the key holds a value of `kind`, or whenever it
    /// changes. Tickets rise: each is drawn under the lock of this shard.
    pub fn wait(&mut self, database: usize, key: &[u8], ticket: u64, kind: Option<Kind>) {
        let queue = self.make().waiters.entry((database, key.into())).or_default();
        if queue.back().is_none_or(|last| last.ticket < ticket) {
            queue.push_back(Waiter { ticket, kind });
        }
    }

    /// Takes a waiter out of a key's queue.
    pub fn stop_waiting(&mut self, database: usize, key: &[u8], ticket: u64) {
        let place = (database, key.into());
        let Some(attached) = &mut self.attached else { return };
        if let Some(queue) = attached.waiters.get_mut(&place) {
            if let Ok(at) = queue.binary_search_by_key(&ticket, |waiter| waiter.ticket) {
                queue.remove(at);
            }
            if queue.is_empty() {
                attached.waiters.remove(&place);
            }
        }
    }

    /// Who has waited longest for a key that holds a value of `kind` now, of those that came after the one
    /// with the ticket `after`.
    pub fn next_waiter(
        &self,
        database: usize,
        key: &[u8],
        kind: Option<Kind>,
        after: u64,
    ) -> Option<u64> {
        let queue = self.attached.as_ref()?.waiters.get(&(database, key.into()))?;
        let first = queue.partition_point(|waiter| waiter.ticket <= after);
        let mut rest = queue.range(first..);
        rest.find(|waiter| waiter.kind.is_none() || waiter.kind == kind).map(|next| next.ticket)
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
        let list = Some(Kind::List);
        for ticket in [3, 5, 5, 7] {
            marks.wait(1, b"k", ticket, list);
        }
        assert!(marks.changed(1, b"k") && !marks.changed(0, b"k"));
        assert_eq!(marks.next_waiter(1, b"k", list, 0), Some(3));
        assert_eq!(marks.next_waiter(1, b"k", list, 3), Some(5));
        marks.stop_waiting(1, b"k", 5);
        marks.stop_waiting(1, b"k", 6);
        assert_eq!(marks.next_waiter(1, b"k", list, 3), Some(7));
        assert_eq!(marks.next_waiter(1, b"k", list, 7), None);
        [3, 7].into_iter().for_each(|ticket| marks.stop_waiting(1, b"k", ticket));
        assert!(marks.is_empty());
    }

    #[test]
    fn waiters_are_passed_over_while_the_key_holds_something_else() {
        let mut marks = Marks::default();
        marks.wait(0, b"k", 1, Some(Kind::List));
        marks.wait(0, b"k", 2, Some(Kind::SortedSet));
        marks.wait(0, b"k", 3, None);
        assert_eq!(marks.next_waiter(0, b"k", Some(Kind::SortedSet), 0), Some(2));
        assert_eq!(marks.next_waiter(0, b"k", Some(Kind::Hash), 0), Some(3));
        assert_eq!(marks.next_waiter(0, b"k", None, 0), Some(3));
    }
}
