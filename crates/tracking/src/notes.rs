//! What is to be told, until it is posted.

use std::sync::Arc;

use crate::invalidation::{Invalidation, Receiver, What, encode};
use crate::{Post, Tracker};

/// What commands have changed that somebody is to be told of. Each worker has one.
#[derive(Default)]
pub struct Notes {
    notes: Vec<Note>,
    changes: Changes,
}

struct Note {
    what: What,
    readers: Vec<Arc<Tracker>>,
}

/// Keys that changed, with the client that changed them, for those in broadcast mode.
#[derive(Default)]
pub struct Changes {
    bytes: Vec<u8>,
    /// Where each key ends in `bytes`, and who changed it.
    keys: Vec<(usize, u64)>,
}

impl Changes {
    /// The keys and who changed them, in the order of the changes.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let mut start = 0;
        self.keys.iter().map(move |&(end, by)| {
            let key = self.bytes.get(start..end).unwrap_or_default();
            start = end;
            (key, by)
        })
    }
}

impl Notes {
    /// Whether nothing has been collected.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.changes.keys.is_empty()
    }

    /// Whether something has been collected that can be posted at once.
    pub fn has_notes(&self) -> bool {
        !self.notes.is_empty()
    }

    pub(crate) fn tells_everything_last(&self) -> bool {
        self.notes.last().is_some_and(|note| note.what == What::Everything)
    }

    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.keys.is_empty()
    }

    pub(crate) fn add_change(&mut self, key: &[u8], by: u64) {
        self.changes.bytes.extend_from_slice(key);
        self.changes.keys.push((self.changes.bytes.len(), by));
    }

    pub(crate) fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// Takes emptied room back.
    pub(crate) fn give_back(&mut self, mut changes: Changes) {
        changes.bytes.clear();
        changes.keys.clear();
        self.changes = changes;
    }

    pub(crate) fn add_key(&mut self, key: &[u8], readers: Vec<Arc<Tracker>>) {
        if !readers.is_empty() {
            self.add_keys(encode(&[key]), readers);
        }
    }

    pub(crate) fn add_keys(&mut self, keys: Arc<[u8]>, readers: Vec<Arc<Tracker>>) {
        self.notes.push(Note { what: What::Keys(keys), readers });
    }

    pub(crate) fn add_all(&mut self, readers: Vec<Arc<Tracker>>) {
        self.notes.push(Note { what: What::Everything, readers });
    }

    /// Posts what was noted to the workers of those whom it is for.
    pub(crate) fn post(&mut self, workers: &[Option<Arc<dyn Post>>]) {
        for note in self.notes.drain(..) {
            note.post(workers);
        }
    }
}

impl Note {
    fn post(self, workers: &[Option<Arc<dyn Post>>]) {
        let mut receivers: Vec<Vec<Receiver>> = Vec::new();
        receivers.resize_with(workers.len(), Vec::new);
        for reader in &self.readers {
            let (worker, receiver) = match reader.redirect() {
                None => (reader.worker(), Receiver { client: reader.client(), redirected: false }),
                Some(other) if !other.is_gone() => {
                    (other.worker(), Receiver { client: other.client(), redirected: true })
                }
                Some(gone) => {
                    reader.set_broken();
                    if let Some(Some(worker)) = workers.get(reader.worker()) {
                        let to = vec![Receiver { client: reader.client(), redirected: false }];
                        worker.invalidate(Invalidation { what: What::Broken(gone.client()), to });
                    }
                    continue;
                }
            };
            if let Some(list) = receivers.get_mut(worker) {
                list.push(receiver);
            }
        }
        for (worker, to) in workers.iter().zip(receivers) {
            if let Some(worker) = worker
                && !to.is_empty()
            {
                worker.invalidate(Invalidation { what: self.what.clone(), to });
            }
        }
    }
}
