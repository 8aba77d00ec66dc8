//! The index of a big sorted set by member: which block holds it.

use super::block::Block;

/// Pointers to blocks, by the hash of the member. It owns nothing.
#[derive(Debug, Default)]
pub(super) struct Index {
    table: hashbrown::HashTable<Block>,
}

fn hash(member: &[u8]) -> u64 {
    rapidhash::v3::rapidhash_v3(member)
}

impl Index {
    pub(super) fn with_capacity(len: usize) -> Self {
        Self { table: hashbrown::HashTable::with_capacity(len) }
    }

    pub(super) fn get(&self, member: &[u8]) -> Option<Block> {
        self.table.find(hash(member), |block| block.member() == member).copied()
    }

    /// Adds a block whose member is not there yet.
    pub(super) fn insert(&mut self, block: Block) {
        self.table.insert_unique(hash(block.member()), block, |block| hash(block.member()));
    }

    /// Makes the entry of `old` point to `new`, a block of the same member.
    pub(super) fn replace(&mut self, old: Block, new: Block) {
        if let Some(slot) = self.table.find_mut(hash(new.member()), |&block| block == old) {
            *slot = new;
        }
    }

    pub(super) fn remove(&mut self, block: Block) {
        if let Ok(slot) = self.table.find_entry(hash(block.member()), |&other| other == block) {
            slot.remove();
        }
    }

    /// One step of a scan; see [`super::Zset::scan`].
    pub(super) fn scan(&self, _cursor: u64, mut f: impl FnMut(Block)) -> u64 {
        self.table.iter().for_each(|&block| f(block));
        0
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.table.allocation_size()
    }
}
