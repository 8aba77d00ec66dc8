//! Who has read which key.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use parking_lot::Mutex;

use crate::Tracker;

/// Parts of the table, each behind its own lock: so many that workers seldom meet.
const PARTS: usize = 256;

/// Keys with their readers.
pub struct Table {
    parts: Box<[Mutex<HashTable<Item>>]>,
    keys: AtomicUsize,
    items: AtomicUsize,
    /// The part that loses the next entry when there are too many.
    next: AtomicUsize,
}

pub struct Item {
    hash: u64,
    key: Box<[u8]>,
    readers: Readers,
}

/// Everybody who has read a key; most keys have one reader.
pub enum Readers {
    One(Arc<Tracker>),
    /// By id.
    Many(BTreeMap<u64, Arc<Tracker>>),
}

impl Readers {
    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(many) => many.len(),
        }
    }

    /// Adds a reader; false when it is there already.
    fn add(&mut self, reader: &Arc<Tracker>) -> bool {
        match self {
            Self::One(one) if one.client() == reader.client() => false,
            Self::One(one) => {
                let both = [Arc::clone(one), Arc::clone(reader)];
                *self = Self::Many(both.into_iter().map(|one| (one.client(), one)).collect());
                true
            }
            Self::Many(many) => match many.entry(reader.client()) {
                btree_map::Entry::Occupied(_) => false,
                btree_map::Entry::Vacant(place) => {
                    place.insert(Arc::clone(reader));
                    true
                }
            },
        }
    }
}

impl IntoIterator for Readers {
    type Item = Arc<Tracker>;
    type IntoIter = std::iter::Chain<
        std::option::IntoIter<Arc<Tracker>>,
        btree_map::IntoValues<u64, Arc<Tracker>>,
    >;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self {
            Self::One(one) => (Some(one), BTreeMap::new()),
            Self::Many(many) => (None, many),
        };
        one.into_iter().chain(many.into_values())
    }
}

impl Default for Table {
    fn default() -> Self {
        Self {
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            keys: AtomicUsize::new(0),
            items: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
        }
    }
}

impl Table {
    fn part(&self, hash: u64) -> Option<&Mutex<HashTable<Item>>> {
        self.parts.get(hash as usize % PARTS)
    }

    /// Adds a reader of a key.
    pub fn add(&self, hash: u64, key: &[u8], reader: &Arc<Tracker>) {
        let Some(part) = self.part(hash) else { return };
        let mut part = part.lock();
        match part.entry(hash, |item| *item.key == *key, |item| item.hash) {
            Entry::Occupied(mut item) => {
                if !item.get_mut().readers.add(reader) {
                    return;
                }
            }
            Entry::Vacant(place) => {
                let readers = Readers::One(Arc::clone(reader));
                place.insert(Item { hash, key: key.into(), readers });
                self.keys.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.items.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a key out, with its readers.
    pub fn remove(&self, hash: u64, key: &[u8]) -> Option<Readers> {
        let mut part = self.part(hash)?.lock();
        let (item, _) = part.find_entry(hash, |item| *item.key == *key).ok()?.remove();
        self.uncount(&item);
        Some(item.readers)
    }

    /// Takes some key out; `None` when there is none.
    pub fn pop(&self) -> Option<(Box<[u8]>, Readers)> {
        for _ in 0..PARTS {
            let part = self.parts.get(self.next.fetch_add(1, Ordering::Relaxed) % PARTS)?;
            let item = part.lock().extract_if(|_| true).next();
            if let Some(item) = item {
                self.uncount(&item);
                return Some((item.key, item.readers));
            }
        }
        None
    }

    /// Takes everything out.
    pub fn take(&self) -> Vec<HashTable<Item>> {
        let take = |part: &Mutex<HashTable<Item>>| {
            let taken = std::mem::take(&mut *part.lock());
            taken.iter().for_each(|item| self.uncount(item));
            taken
        };
        self.parts.iter().map(take).collect()
    }

    fn uncount(&self, item: &Item) {
        self.keys.fetch_sub(1, Ordering::Relaxed);
        self.items.fetch_sub(item.readers.len(), Ordering::Relaxed);
    }

    /// The number of keys.
    pub fn keys(&self) -> usize {
        self.keys.load(Ordering::Relaxed)
    }

    /// The number of readers of all keys.
    pub fn items(&self) -> usize {
        self.items.load(Ordering::Relaxed)
    }
}
