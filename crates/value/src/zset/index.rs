//! The index of a big sorted set by member: which block holds it.

use std::ptr::NonNull;

use smallvec::SmallVec;
use table::Table;

use super::block::Block;
use crate::item::Item;
use crate::seed;

/// Blocks that are added at once.
pub(super) const AHEAD: usize = 32;

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
    fn hash(&self, member: &[u8]) -> u32 {
        self.order.of(seed::hash(Item::Bytes(member)))
    }

    pub(super) fn get(&self, member: &[u8]) -> Option<Block> {
        let slot = self.table.find(self.hash(member), |other| block(other).member() == member)?;
        Some(block(self.table.get(slot)))
    }

    /// Adds a block whose member is not there yet.
    pub(super) fn insert(&mut self, block: Block) {
        let hash = self.hash(block.member());
        self.table.insert(hash, block.as_ptr());
    }

    /// An index with room for so many blocks.
    pub(super) fn with_room(blocks: usize) -> Self {
        Self { table: Table::with_room(blocks), order: seed::Order::default() }
    }

    /// Adds some blocks, whose trips to memory are one; says whether none of their members was there before. Otherwise
    /// some members have several blocks.
    pub(super) fn insert_distinct(&mut self, blocks: &[Block]) -> bool {
        let hashes: SmallVec<[u32; AHEAD]> =
            blocks.iter().map(|block| self.hash(block.member())).collect();
        hashes.iter().for_each(|hash| self.table.prefetch_bucket(*hash));
        let mut are_new = true;
        for (new, hash) in blocks.iter().zip(hashes) {
            let member = new.member();
            are_new &= self.table.find(hash, |other| block(other).member() == member).is_none();
            self.table.insert(hash, new.as_ptr());
        }
        are_new
    }

    /// Makes the entry of `old` point to `new`, a block of the same member.
    pub(super) fn replace(&mut self, old: Block, new: Block) {
        if let Some(slot) = self.table.find(self.hash(new.member()), |other| other == old.as_ptr())
        {
            self.table.replace(slot, new.as_ptr());
        }
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
