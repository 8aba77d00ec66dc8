use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::check::Reason;

/// Where a command came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// From a client.
    TopLevel,
    /// From a transaction.
    Multi,
    /// From a script.
    Script,
}

impl Context {
    /// The word that ACL LOG uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::TopLevel => "toplevel",
            Self::Multi => "multi",
            Self::Script => "lua",
        }
    }
}

/// Something that was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// What was missing.
    pub reason: Reason,
    /// Where the command came from.
    pub context: Context,
    /// What was denied: the command, the key, the channel.
    pub object: Vec<u8>,
    /// To whom.
    pub user: Vec<u8>,
}

/// Denials alike, close to each other.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Never used twice.
    pub id: u64,
    /// How often.
    pub count: u64,
    /// What.
    pub denial: Denial,
    /// The last client, as CLIENT LIST shows it.
    pub client: Vec<u8>,
    /// The first time, milliseconds since the epoch.
    pub created_ms: i64,
    /// The last time.
    pub updated_ms: i64,
}

/// Denials are alike only that close to each other, milliseconds.
const GROUPED_WITHIN_MS: i64 = 60_000;

/// Among so many of the last entries one that is alike is looked for.
const SEARCHED: usize = 10;

/// What was denied lately, and how often for which reason.
#[derive(Default)]
pub struct Log {
    entries: Mutex<Entries>,
    counts: [AtomicU64; 5],
}

#[derive(Default)]
struct Entries {
    /// The latest first.
    entries: VecDeque<Entry>,
    next_id: u64,
}

impl Log {
    /// Notes a denial; at most `length` entries are kept.
    pub fn add(&self, denial: Denial, client: Vec<u8>, now_ms: i64, length: usize) {
        self.counts[denial.reason as usize].fetch_add(1, Ordering::Relaxed);
        let mut log = self.entries.lock();
        let alike = |entry: &Entry| {
            entry.denial == denial && now_ms.abs_diff(entry.updated_ms) <= GROUPED_WITHIN_MS as u64
        };
        let place = log.entries.iter().take(SEARCHED).position(alike);
        let entry = match place.and_then(|place| log.entries.remove(place)) {
            Some(known) => Entry { count: known.count + 1, client, updated_ms: now_ms, ..known },
            None => {
                let id = log.next_id;
                log.next_id += 1;
                Entry { id, count: 1, denial, client, created_ms: now_ms, updated_ms: now_ms }
            }
        };
        log.entries.push_front(entry);
        log.entries.truncate(length);
    }

    /// The last `count` entries, the latest first.
    pub fn last(&self, count: usize) -> Vec<Entry> {
        self.entries.lock().entries.iter().take(count).cloned().collect()
    }

    /// Forgets the entries.
    pub fn clear(&self) {
        self.entries.lock().entries.clear();
    }

    /// How often something was denied for this reason.
    pub fn count(&self, reason: Reason) -> u64 {
        self.counts[reason as usize].load(Ordering::Relaxed)
    }

    /// Starts the counts from 0.
    pub fn reset_counts(&self) {
        self.counts.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(object: &str) -> Denial {
        Denial {
            reason: Reason::Key,
            context: Context::TopLevel,
            object: object.into(),
            user: b"u".to_vec(),
        }
    }

    #[test]
    fn denials_alike_are_one_entry_for_a_minute() {
        let log = Log::default();
        for (object, now_ms) in [("a", 0), ("b", 1), ("a", 60_000), ("b", 60_002)] {
            log.add(denial(object), Vec::new(), now_ms, 9);
        }
        let counts: Vec<(u64, u64)> = log.last(9).iter().map(|one| (one.id, one.count)).collect();
        assert_eq!(counts, [(2, 1), (0, 2), (1, 1)]);
        assert_eq!(log.count(Reason::Key), 4);
    }

    #[test]
    fn the_log_is_no_longer_than_asked_for() {
        let log = Log::default();
        for object in ["a", "b", "c"] {
            log.add(denial(object), Vec::new(), 0, 2);
        }
        let objects: Vec<Vec<u8>> = log.last(9).into_iter().map(|one| one.denial.object).collect();
        assert_eq!(objects, [b"c", b"b"]);
        log.add(denial("d"), Vec::new(), 0, 0);
        assert!(log.last(9).is_empty());
    }
}
