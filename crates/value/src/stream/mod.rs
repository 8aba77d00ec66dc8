//! Streams: entries of fields and values, appended in the order of their IDs, and groups of consumers that read them.
//!
//! Entries lie in packed blocks ([`block`]) in an ordered map by the ID of a block's first entry. Deletion marks an
//! entry; a block goes when its last entry does. Time is a parameter throughout.

mod block;
mod claim;
mod group;
mod id;
mod idempotence;
mod iter;
mod read;
mod released;
mod remove;
mod shown;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Object;
use crate::cut::{Element, Scribe};
use block::Block;
use shown::Shown;

pub use block::Part;
pub use block::{Entry, Fields};
pub use claim::{AutoClaimed, Claim, Claimed, Recount};
pub use group::{COUNT_MAX, Consumer, Group, Nack};
pub use id::{Id, IdText, NewId};
pub use idempotence::{Idempotence, Retention};
pub use iter::Iter;
pub use remove::{Deleted, References, Trim, TrimTo};

/// What blocks have at most, on average, if they are taken singly: so much takes far less than a millisecond.
const PART_ENTRIES: u64 = 1000;
const PART_BYTES: usize = 1 << 16;

/// How big a block may get; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// `stream-node-max-bytes`
    pub block_bytes: usize,
    /// `stream-node-max-entries`
    pub block_entries: u64,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { block_bytes: 4096, block_entries: 100 }
    }
}

/// A stream.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    blocks: BTreeMap<Id, Block>,
    len: u64,
    block_bytes: usize,
    first_id: Id,
    last_id: Id,
    entries_added: u64,
    max_deleted_id: Id,
    groups: BTreeMap<Box<[u8]>, Group>,
    idempotence: Option<Box<Idempotence>>,
    /// What a snapshot under way has seen.
    shown: Shown,
}

/// Why an entry was not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// 0-0 is no entry's ID.
    #[error("the ID must be greater than 0-0")]
    Zero,
    /// The last ID is the greatest there is.
    #[error("the stream has exhausted the last possible ID")]
    Exhausted,
    /// The ID is not greater than the last one.
    #[error("the ID is equal or smaller than the last one")]
    NotGreater,
}

/// Why a stream's counters were not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetIdError {
    /// An entry has a greater ID.
    #[error("the ID is smaller than that of an entry")]
    SmallerThanEntry,
    /// The ID is smaller than the greatest deleted one.
    #[error("the ID is smaller than the greatest deleted one")]
    SmallerThanDeleted,
    /// There are more entries than would have been added.
    #[error("the number of entries added is smaller than the number of entries")]
    TooFewAdded,
}

impl Stream {
    /// An empty stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of entries.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no entry. (A stream without entries still is one.)
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ID of the first entry; 0-0 without entries.
    pub fn first_id(&self) -> Id {
        self.first_id
    }

    /// The greatest ID ever used, or set.
    pub fn last_id(&self) -> Id {
        self.last_id
    }

    /// How many entries were ever added.
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// The greatest ID that was deleted; trimming does not count.
    pub fn max_deleted_id(&self) -> Id {
        self.max_deleted_id
    }

    /// The blocks that its entries lie in, upwards.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = (Id, Part<'_>)> {
        self.blocks.iter().map(|(&first, block)| (first, Part(block)))
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Roughly how many heap blocks there are to be freed.
    pub fn free_cost(&self) -> usize {
        let in_groups: usize = self.groups.values().map(|group| 1 + group.pending_len()).sum();
        self.blocks.len() + in_groups + self.idempotence.as_ref().map_or(0, |all| 2 * all.held())
    }

    /// Appends an entry with these fields and values and gives its ID.
    pub fn append<'a>(
        &mut self,
        id: NewId,
        fields: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone,
        limits: StreamLimits,
    ) -> Result<Id, AppendError> {
        let id = match id {
            NewId::Exact(Id::MIN) => return Err(AppendError::Zero),
            _ if self.last_id == Id::MAX => return Err(AppendError::Exhausted),
            id => id.after(self.last_id).ok_or(AppendError::NotGreater)?,
        };
        let mut block = match self.blocks.last_entry() {
            Some(last) if !is_full(last.get(), limits) => last,
            last => {
                if let Some(mut last) = last {
                    let block = last.get_mut();
                    self.block_bytes -= block.heap_bytes();
                    block.seal();
                    self.block_bytes += block.heap_bytes();
                }
                let block = Block::new(id, fields.clone());
                self.block_bytes += block.heap_bytes();
                self.shown.before_new(id);
                self.blocks.entry(id).insert_entry(block)
            }
        };
        let first = *block.key();
        let block = block.get_mut();
        self.shown.before_change(first, block);
        self.block_bytes -= block.heap_bytes();
        block.push(id, fields);
        self.block_bytes += block.heap_bytes();
        if self.len == 0 {
            self.first_id = id;
        }
        self.len += 1;
        self.entries_added += 1;
        self.last_id = id;
        Ok(id)
    }

    /// The entry with an ID.
    pub fn get(&self, id: Id) -> Option<Entry<'_>> {
        let (_, block) = self.blocks.range(..=id).next_back()?;
        Some(block.find(id)?.entry)
    }

    /// The entries between two IDs, both included; with `rev` from the last down.
    pub fn range(&self, start: Id, end: Id, rev: bool) -> Iter<'_> {
        Iter::new(&self.blocks, start, end, rev)
    }

    /// The entries after an ID, upwards.
    pub fn after(&self, id: Id) -> Iter<'_> {
        match id.next() {
            Some(start) => self.range(start, Id::MAX, false),
            None => self.range(Id::MAX, Id::MIN, false),
        }
    }

    /// Sets the last ID and, if given, the counters (XSETID).
    pub fn set_id(
        &mut self,
        last_id: Id,
        entries_added: Option<u64>,
        max_deleted_id: Option<Id>,
    ) -> Result<(), SetIdError> {
        let top = self.range(Id::MIN, Id::MAX, true).next().map(|entry| entry.id);
        if max_deleted_id.is_some_and(|deleted| last_id < deleted) {
            return Err(SetIdError::SmallerThanDeleted);
        }
        if top.is_some_and(|top| last_id < top) {
            return Err(SetIdError::SmallerThanEntry);
        }
        if last_id < self.max_deleted_id {
            return Err(SetIdError::SmallerThanDeleted);
        }
        if entries_added.is_some_and(|added| added < self.len) {
            return Err(SetIdError::TooFewAdded);
        }
        self.last_id = last_id;
        self.entries_added = entries_added.unwrap_or(self.entries_added);
        // 0-0 stands for "not given" in the command.
        if let Some(id) = max_deleted_id.filter(|&id| id != Id::MIN) {
            self.max_deleted_id = id;
        }
        Ok(())
    }

    /// What is remembered of producers that send again what may have been lost; `None` where none has.
    pub fn idempotence(&self) -> Option<&Idempotence> {
        self.idempotence.as_deref()
    }

    /// The same to change it, made with this retention if it is not there.
    pub fn idempotence_mut(&mut self, retention: Retention) -> &mut Idempotence {
        self.idempotence.get_or_insert_with(|| Box::new(Idempotence::new(retention)))
    }

    /// The entry of a message that its producer sends again, which counts as a duplicate.
    pub fn find_duplicate(&mut self, producer: &[u8], message: &[u8], now_ms: u64) -> Option<Id> {
        let known = self.idempotence.as_mut()?;
        let id = known.find(producer, message, now_ms)?;
        known.duplicates += 1;
        Some(id)
    }

    /// Makes a group; false if there is one of this name.
    pub fn create_group(&mut self, name: &[u8], last_id: Id, entries_read: Option<u64>) -> bool {
        let new = !self.groups.contains_key(name);
        if new {
            self.groups.insert(name.into(), Group::new(last_id, entries_read));
        }
        new
    }

    /// Removes a group with all that it has pending; whether it was there.
    pub fn destroy_group(&mut self, name: &[u8]) -> bool {
        self.groups.remove(name).is_some()
    }

    /// A group.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name)
    }

    /// A group, to change it.
    pub fn group_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        self.groups.get_mut(name)
    }

    /// The groups with their names, in the order of these.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.groups.iter().map(|(name, group)| (&**name, group))
    }

    /// Bytes of heap memory, the maps' nodes counted at the fill that they usually have.
    pub fn heap_bytes(&self) -> usize {
        // Blocks come in order, which leaves the nodes of their map half full and a little more.
        let maps = self.blocks.len() * size_of::<(Id, Block)>() * 7 / 4
            + self.groups.len() * size_of::<(Box<[u8]>, Group)>() * 10 / 7;
        let groups = self.groups.iter().map(|(name, group)| name.len() + group.heap_bytes());
        let producers = self.idempotence.as_ref().map_or(0, |producers| producers.heap_bytes());
        self.block_bytes + maps + groups.sum::<usize>() + producers
    }

    /// Number of deliveries that have not been acknowledged, in all groups.
    pub fn pending_len(&self) -> usize {
        self.groups.values().map(Group::pending_len).sum()
    }

    /// Whether the entries can be taken in parts: see [`crate::cut`]. The blocks are the parts, unless there are none or
    /// they are huge.
    pub(crate) fn has_parts(&self) -> bool {
        let blocks = self.blocks.len();
        blocks > 0
            && self.len <= blocks as u64 * PART_ENTRIES
            && self.block_bytes <= blocks * PART_BYTES
    }

    pub(crate) fn scribe(&self) -> Option<&Arc<dyn Scribe>> {
        self.shown.scribe()
    }

    pub(crate) fn begin_cut(&mut self, scribe: Arc<dyn Scribe>) {
        self.shown = Shown::begin(scribe, &self.blocks);
    }

    pub(crate) fn show_some(&mut self, most: usize, f: &mut dyn FnMut(Element<'_>)) -> bool {
        self.shown.show_some(&self.blocks, most, f)
    }

    /// Notes the first ID anew.
    fn after_removal(&mut self) {
        self.first_id = match self.len {
            0 => Id::MIN,
            _ => self.range(Id::MIN, Id::MAX, false).next().map_or(Id::MIN, |entry| entry.id),
        };
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(scribe) = self.shown.forget_scribe() {
            scribe.inherit(Object::Stream(Box::new(std::mem::take(self))));
        }
    }
}

fn is_full(block: &Block, limits: StreamLimits) -> bool {
    limits.block_bytes > 0 && block.len() >= limits.block_bytes
        || limits.block_entries > 0 && block.count() >= limits.block_entries
}
