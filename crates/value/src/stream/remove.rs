//! Deletion and trimming.

use super::id::Id;
use super::{Stream, block};

/// What becomes of the deliveries that refer to an entry that is to go (Redis 8.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// They stay, and the entry goes.
    #[default]
    Keep,
    /// They go with it.
    Delete,
    /// The entry goes only if every group has read and acknowledged it.
    Acked,
}

/// What a deletion came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// There is no such entry.
    Absent,
    /// It is gone.
    Done,
    /// It stays, since a group still needs it.
    Referenced,
}

/// What a trimming leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrimTo {
    /// At most this many entries.
    MaxLen(u64),
    /// Entries from this ID on.
    MinId(Id),
}

/// A trimming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    /// What is to be left.
    pub to: TrimTo,
    /// Whether whole blocks only are removed, which is cheap and leaves some more.
    pub approx: bool,
    /// Most entries to remove; 0 is no limit.
    pub limit: u64,
    /// What becomes of deliveries.
    pub references: References,
}

impl Stream {
    /// Deletes an entry (XDEL); whether it was there.
    pub fn delete(&mut self, id: Id) -> bool {
        let Some((&first, block)) = self.blocks.range_mut(..=id).next_back() else { return false };
        self.shown.before_change(first, block);
        self.block_bytes -= block.heap_bytes();
        let done = block.delete(id);
        self.block_bytes += block.heap_bytes();
        if !done {
            return false;
        }
        if block.live() == 0 {
            self.block_bytes -= block.heap_bytes();
            self.blocks.remove(&first);
        }
        self.len -= 1;
        self.max_deleted_id = self.max_deleted_id.max(id);
        if id == self.first_id || self.len == 0 {
            self.after_removal();
        }
        true
    }

    /// Deletes an entry with a policy for the deliveries that refer to it (XDELEX).
    pub fn delete_with(&mut self, id: Id, references: References) -> Deleted {
        if self.get(id).is_none() {
            return Deleted::Absent;
        }
        if references == References::Acked && self.is_referenced(id) {
            return Deleted::Referenced;
        }
        if references == References::Delete {
            self.drop_references(id);
        }
        self.delete(id);
        Deleted::Done
    }

    /// Acknowledges an entry in a group and then deletes it (XACKDEL). `Absent` if the group has no such
    /// delivery; an entry that is gone already counts as deleted.
    pub fn ack_delete(&mut self, group: &[u8], id: Id, references: References) -> Deleted {
        if !self.groups.get_mut(group).is_some_and(|group| group.ack(id)) {
            return Deleted::Absent;
        }
        match self.delete_with(id, references) {
            Deleted::Referenced => Deleted::Referenced,
            Deleted::Done | Deleted::Absent => {
                if references == References::Delete {
                    self.drop_references(id);
                }
                Deleted::Done
            }
        }
    }

    /// Whether a group has not read an entry yet, or not acknowledged it.
    pub fn is_referenced(&self, id: Id) -> bool {
        self.groups.values().any(|group| group.last_id < id || group.nack(id).is_some())
    }

    /// Removes entries from the start, and gives their number. The greatest deleted ID stays as it was.
    pub fn trim(&mut self, trim: Trim) -> u64 {
        let mut removed = 0;
        let max_deleted = self.max_deleted_id;
        let mut next = Some(Id::MIN);
        while let Some(from) = next
            && let Some((&first, block)) = self.blocks.range(from..).next()
        {
            let over = match trim.to {
                TrimTo::MaxLen(max) => self.len.saturating_sub(max),
                TrimTo::MinId(_) => u64::MAX,
            };
            let live = block.live();
            if over == 0 || trim.limit > 0 && removed + live > trim.limit {
                break;
            }
            let whole = match trim.to {
                TrimTo::MaxLen(_) => over >= live,
                TrimTo::MinId(id) => block.last() < id,
            };
            if !whole && trim.approx {
                break;
            }
            if whole && trim.references != References::Acked {
                removed += self.remove_block(first, trim.references);
            } else {
                removed += self.trim_block(first, trim, over);
            }
            // Only entries that must stay let a whole block survive; then the next one has its turn.
            next = if whole { first.next() } else { None };
        }
        self.max_deleted_id = max_deleted;
        if removed > 0 {
            self.after_removal();
        }
        removed
    }

    fn remove_block(&mut self, first: Id, references: References) -> u64 {
        let Some(block) = self.blocks.remove(&first) else { return 0 };
        self.shown.before_change(first, &block);
        if references == References::Delete {
            for id in live_ids(&block) {
                self.drop_references(id);
            }
        }
        self.block_bytes -= block.heap_bytes();
        self.len -= block.live();
        block.live()
    }

    /// Removes entries of one block, at most `over`.
    fn trim_block(&mut self, first: Id, trim: Trim, over: u64) -> u64 {
        let Some(block) = self.blocks.get_mut(&first) else { return 0 };
        if trim.references == References::Keep {
            let end = match trim.to {
                TrimTo::MaxLen(_) => None,
                TrimTo::MinId(id) => Some(id),
            };
            self.shown.before_change(first, block);
            self.block_bytes -= block.heap_bytes();
            let removed = block.trim(over, end);
            self.block_bytes += block.heap_bytes();
            self.len -= removed;
            if block.live() == 0 {
                self.block_bytes -= block.heap_bytes();
                self.blocks.remove(&first);
            }
            return removed;
        }
        let wanted = |id: &Id| match trim.to {
            TrimTo::MaxLen(_) => true,
            TrimTo::MinId(min) => *id < min,
        };
        let ids: Vec<Id> = live_ids(block).take_while(wanted).collect();
        let mut removed = 0;
        for id in ids {
            if removed == over {
                break;
            }
            removed += u64::from(self.delete_with(id, trim.references) == Deleted::Done);
        }
        removed
    }

    fn drop_references(&mut self, id: Id) {
        for group in self.groups.values_mut() {
            group.ack(id);
        }
    }
}

fn live_ids(block: &block::Block) -> impl Iterator<Item = Id> {
    block.places().filter(|place| !place.deleted).map(|place| place.entry.id)
}
