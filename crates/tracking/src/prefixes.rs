//! Who is told of all keys with a prefix.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::Tracker;
use crate::invalidation::encode;
use crate::notes::Notes;

/// Prefixes with the clients in broadcast mode that named them, by the prefixes' length: what a changed key
/// costs depends on the number of different lengths, not of prefixes.
#[derive(Default)]
pub struct Prefixes {
    by_length: BTreeMap<usize, HashMap<Arc<[u8]>, Audience>>,
}

/// By id.
type Audience = BTreeMap<u64, Arc<Tracker>>;

/// Keys that changed, with the client that changed each last.
type Changed<'a> = BTreeMap<&'a [u8], u64>;

impl Prefixes {
    /// Adds a client to those of a prefix; returns the prefix as it is kept.
    pub fn add(&mut self, prefix: &[u8], tracker: &Arc<Tracker>) -> Arc<[u8]> {
        let same_length = self.by_length.entry(prefix.len()).or_default();
        let known = same_length.get_key_value(prefix).map(|(known, _)| Arc::clone(known));
        let prefix = known.unwrap_or_else(|| prefix.into());
        let audience = same_length.entry(Arc::clone(&prefix)).or_default();
        audience.insert(tracker.client(), Arc::clone(tracker));
        prefix
    }

    /// Removes a client from those of a prefix.
    pub fn remove(&mut self, prefix: &[u8], client: u64) {
        let Some(same_length) = self.by_length.get_mut(&prefix.len()) else { return };
        if let Some(audience) = same_length.get_mut(prefix) {
            audience.remove(&client);
            if audience.is_empty() {
                same_length.remove(prefix);
            }
        }
        if same_length.is_empty() {
            self.by_length.remove(&prefix.len());
        }
    }

    /// The number of prefixes.
    pub fn len(&self) -> usize {
        self.by_length.values().map(HashMap::len).sum()
    }

    /// Finds out who is to be told of the changes that were collected: prefix by prefix in the order of
    /// their bytes, the keys of each in the same order.
    pub fn match_changes(&self, notes: &mut Notes) {
        let changes = notes.take_changes();
        let mut found: BTreeMap<&[u8], (&Audience, Changed<'_>)> = BTreeMap::new();
        for (key, by) in changes.iter() {
            for same_length in self.by_length.range(..=key.len()) {
                let Some(prefix) = key.get(..*same_length.0) else { continue };
                if let Some(audience) = same_length.1.get(prefix) {
                    let (_, keys) = found.entry(prefix).or_insert((audience, Changed::new()));
                    keys.insert(key, by);
                }
            }
        }
        for (audience, keys) in found.into_values() {
            tell(audience, &keys, notes);
        }
        notes.give_back(changes);
    }
}

/// Notes for everybody which keys changed, but for those that one changed itself and does not want to hear of.
fn tell(audience: &Audience, keys: &Changed<'_>, notes: &mut Notes) {
    let mut all = Vec::with_capacity(audience.len());
    for tracker in audience.values() {
        if !keys.values().any(|by| tracker.is_silent_about(*by)) {
            all.push(Arc::clone(tracker));
            continue;
        }
        let others = keys.iter().filter(|(_, by)| **by != tracker.client());
        let others: Vec<&[u8]> = others.map(|(key, _)| *key).collect();
        if !others.is_empty() {
            notes.add_keys(encode(&others), vec![Arc::clone(tracker)]);
        }
    }
    if !all.is_empty() {
        let keys: Vec<&[u8]> = keys.keys().copied().collect();
        notes.add_keys(encode(&keys), all);
    }
}
