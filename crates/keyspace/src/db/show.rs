//! What a database shows to the witness of a snapshot.

use std::ptr::NonNull;

use super::{Db, prefetch};
use crate::entry::{EntryMut, EntryRef, Value};
use crate::key::Key;
use crate::shard::{LARGE, Large};

impl Db {
    #[cold]
    pub(super) fn show(&mut self, block: NonNull<u8>) {
        // SAFETY: the block is in the table, and `self` is borrowed exclusively.
        let mut entry = unsafe { EntryMut::from_raw(block) };
        if let Some(witness) = &self.era.witness
            && entry.era() != self.era.number
        {
            witness.see(self.number, &mut entry);
            entry.set_era(self.era.number);
        }
    }

    /// Whether changing the entry at `key` would first show it to the witness of a snapshot, and that takes long.
    pub fn shows_large(&self, key: Key<'_>) -> bool {
        self.era.witness.is_some()
            && self.get(key).is_some_and(|entry| self.is_unseen_and_large(entry))
    }

    fn is_unseen_and_large(&self, entry: EntryRef<'_>) -> bool {
        entry.era() != self.era.number
            && matches!(entry.value(), Value::Object(object) if object.seen_at_once() >= LARGE)
    }

    /// Whether one of these blocks is still to be shown, and has so many elements that this takes long.
    fn has_large(&self, blocks: &[NonNull<u8>]) -> bool {
        blocks.iter().any(|block| {
            // SAFETY: the block is in the table, and `self` is borrowed meanwhile.
            self.is_unseen_and_large(unsafe { EntryRef::from_raw(*block) })
        })
    }

    /// Shows the entries from a place of the table on to the witness, unless it has seen them, at most
    /// `most` or a few more; gives the place to go on from, `None` at the end. Unless `large`, it shows nothing
    /// when a large one is among them, and says so by an error.
    pub(crate) fn show_some(
        &mut self,
        mut place: u32,
        most: usize,
        large: bool,
    ) -> Result<Option<u32>, Large> {
        let mut blocks = smallvec::SmallVec::<[NonNull<u8>; 64]>::new();
        let mut next = Some(place);
        while blocks.len() < most
            && let Some(here) = next
        {
            // Asked for now, looked at when all have been asked for.
            next = self.table.scan(here, |block| {
                prefetch(block);
                blocks.push(block);
            });
            place = place.max(here);
        }
        if !large && self.has_large(&blocks) {
            return Err(Large);
        }
        blocks.into_iter().for_each(|block| self.show(block));
        Ok(next)
    }
}
