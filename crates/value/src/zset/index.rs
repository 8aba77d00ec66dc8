//! The index of a big sorted set by member: which block holds it.

use std::ptr::NonNull;

use smallvec::SmallVec;
use table::{Slot, Table};

use super::block::Block;
use crate::item::Item;
use crate::seed;

/// Pointers to blocks, by the hash of the member. It owns nothing, and all blocks in it live.
#[derive(Debug, Default)]
pub(super) struct Index {
    table: Table,
    order: seed::Order,
}

fn block(pointer: NonNull<u8>) -> Block {
    // SAFETY: the table's pointers come from blocks, and a block leaves the index before it is freed.
    unsafe { Block::from_addr(pointer.as_ptr().expose_provenance() as u64) }
}

impl Index {
    /// The hash of a member as this index sorts it.
    pub(super) fn hash(&self, member: &[u8]) -> u32 {
        self.order.of(seed::hash(Item::Bytes(member)))
    }

    pub(super) fn get(&self, member: &[u8]) -> Option<Block> {
        self.find(self.hash(member), member).map(|(_, block)| block)
    }

    /// The block of a member with this [`Index::hash`], and where the index has it.
    pub(super) fn find(&self, hash: u32, member: &[u8]) -> Option<(Slot, Block)> {
        let found = self.table.locate(hash, |other| block(other).member() == member)?;
        Some((found.0, block(found.1)))
    }

    /// Asks for what [`Index::find`] reads first.
    pub(super) fn prefetch(&self, hash: u32) {
        self.table.prefetch_bucket(hash);
    }

    /// Adds a block whose member, of this [`Index::hash`], is not there yet.
    pub(super) fn insert(&mut self, hash: u32, block: Block) {
        self.table.reserve_freely();
        self.table.insert(hash, block.as_ptr());
    }

    /// Makes room for so many blocks in all, which [`Filling`] then adds.
    pub(super) fn reserve(&mut self, blocks: usize) {
        self.table.reserve(blocks);
    }

    /// Puts a block of the same member in the place of the one at a slot.
    pub(super) fn replace(&mut self, slot: Slot, new: Block) {
        self.table.replace(slot, new.as_ptr());
    }

    /// Takes out the block at a slot.
    pub(super) fn remove_at(&mut self, slot: Slot) {
        self.table.remove(slot);
    }

    pub(super) fn remove(&mut self, block: Block) {
        if let Some(slot) =
            self.table.find(self.hash(block.member()), |other| other == block.as_ptr())
        {
            self.table.remove(slot);
        }
    }

    /// One step of a scan; see [`super::Zset::scan`].
    pub(super) fn scan(&self, cursor: u64, mut f: impl FnMut(Block)) -> u64 {
        let Ok(cursor) = u32::try_from(cursor) else { return 0 };
        self.table.scan(cursor, |pointer| f(block(pointer))).map_or(0, u64::from)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.table.heap_bytes()
    }
}

/// Blocks to add at a time.
const AHEAD: usize = 16;

/// Adds many blocks, some at a time, so that their trips to memory are one. Their members are not there yet, or it looks.
pub(super) struct Filling<'a> {
    index: &'a mut Index,
    waiting: SmallVec<[(u32, Block); AHEAD]>,
    looks: bool,
    is_distinct: bool,
}

impl<'a> Filling<'a> {
    pub(super) fn new(index: &'a mut Index, looks: bool) -> Self {
        Self { index, waiting: SmallVec::new(), looks, is_distinct: true }
    }

    pub(super) fn add(&mut self, block: Block) {
        let hash = self.index.hash(block.member());
        self.index.table.prefetch_bucket(hash);
        self.waiting.push((hash, block));
        if self.waiting.len() == AHEAD {
            self.finish();
        }
    }

    /// Adds those that still wait; false if it looks and some member has come twice.
    pub(super) fn finish(&mut self) -> bool {
        for (hash, new) in self.waiting.drain(..) {
            let table = &mut self.index.table;
            let is_there = |other| block(other).member() == new.member();
            if self.looks && table.find(hash, is_there).is_some() {
                self.is_distinct = false;
            }
            table.insert(hash, new.as_ptr());
        }
        self.is_distinct
    }
}
