//! A leaf: up to 128 members in order, a word each, with a mark for whoever walks over all members in parts.

use super::super::block::{ALIGN, Block};
use super::super::probe::Probe;

/// Most members of a leaf. 1024 bytes, a size class of the allocator.
pub(super) const CAP: usize = 128;

/// Words of room that a leaf keeps after removals.
const SPARE_MAX: usize = 32;

/// Words in a cache line.
pub(super) const LINE: usize = 8;

const ADDR: u64 = (1 << 48) - MARKS as u64;
const MARK: u64 = MARKS as u64 - 1;
const HINT_MAX: u64 = 0xffff;

/// How many marks there are: they stand where an address, which is a multiple of this, has zeroes.
pub(in super::super) const MARKS: u8 = ALIGN as u8;

/// Members in order. Each word is a block's address (48 bits, a mark in the lowest 3) and, above it, a hint of 16 bits:
/// how far the score's key lies from `base` in steps of `1 << shift`, clamped. Hints never decrease along the
/// leaf, so a search settles most of its steps in the words and looks into a block or two.
#[derive(Debug, Default)]
pub(super) struct Leaf {
    words: Vec<u64>,
    base: u64,
    shift: u32,
}

impl Leaf {
    /// A leaf of these members, which are in order and not more than [`CAP`]. Their marks are 0.
    pub(super) fn of(blocks: &[Block]) -> Self {
        let mut leaf = Self { words: Vec::with_capacity(room(blocks.len())), base: 0, shift: 0 };
        leaf.words.extend(blocks.iter().map(|block| block.addr()));
        leaf.rebase();
        leaf
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.words.len() >= CAP
    }

    /// The member at a place below `len`.
    pub(super) fn get(&self, at: usize) -> Block {
        block(self.words[at])
    }

    /// The words themselves, for cursors.
    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    fn hint(&self, key: u64) -> u64 {
        (key.saturating_sub(self.base) >> self.shift).min(HINT_MAX)
    }

    /// How many members come before the probe.
    pub(super) fn position(&self, probe: &Probe<'_>) -> usize {
        let (low, high) = match probe.key() {
            Some(key) => {
                let hint = self.hint(key);
                let low = self.start_of(hint);
                let same = self.words[low..].iter().take_while(|&word| word >> 48 == hint).count();
                (low, low + same)
            }
            None => (0, self.words.len()),
        };
        low + self.words[low..high].partition_point(|&word| {
            let block = block(word);
            probe.is_after(|| block.key(), block.member())
        })
    }

    /// The first word whose hint is not below this one. One word of each cache line is looked at
    /// before the line that decides: these loads do not wait for one another, as those of a binary
    /// search would.
    fn start_of(&self, hint: u64) -> usize {
        let below = |word: &&u64| **word >> 48 < hint;
        let lines = self.words.iter().step_by(LINE).filter(below).count();
        let start = lines.saturating_sub(1) * LINE;
        let end = self.words.len().min(start + LINE);
        start + self.words[start..end].iter().filter(below).count()
    }

    /// Puts a member at a place; the leaf is not full.
    pub(super) fn insert(&mut self, at: usize, key: u64, new: Marked) {
        if self.words.len() == self.words.capacity() {
            self.words.reserve_exact(room(self.words.len() + 1) - self.words.len());
        }
        self.words.insert(at, new.word() | self.hint(key) << 48);
        if key < self.base || (key - self.base) >> self.shift > HINT_MAX {
            self.rebase();
        }
    }

    /// Takes out the member at a place.
    pub(super) fn remove(&mut self, at: usize) -> Marked {
        let word = self.words.remove(at);
        self.fit();
        marked(word)
    }

    /// Takes out the members of a range of places.
    pub(super) fn drain(&mut self, range: std::ops::Range<usize>, f: &mut impl FnMut(Marked)) {
        if let [next, ..] = &self.words[range.end..] {
            // It will be the first, or is likely to be the next to go.
            table::prefetch::read(block(*next).as_ptr().as_ptr());
        }
        if range.len() == 1 {
            f(self.remove(range.start));
            return;
        }
        self.words.drain(range).for_each(|word| f(marked(word)));
        self.fit();
    }

    /// Keeps the first `at` members and gives the others away.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let mut words = Vec::with_capacity(room(self.words.len() - at));
        words.extend(self.words.drain(at..));
        let mut right = Self { words, base: 0, shift: 0 };
        right.rebase();
        self.fit();
        self.rebase();
        right
    }

    /// Appends the members of the next leaf; there is room for them.
    pub(super) fn merge(&mut self, right: Self) {
        self.words.reserve_exact(room(self.len() + right.len()) - self.len());
        self.words.extend(right.words);
        self.rebase();
    }

    /// Gives the members of a range of places this mark, and shows those that had another to `f`, from the last on.
    pub(super) fn mark(
        &mut self,
        range: std::ops::Range<usize>,
        mark: u8,
        f: &mut impl FnMut(Block),
    ) {
        for word in self.words[range].iter_mut().rev() {
            let (block, old) = (block(*word), *word & MARK);
            if old != u64::from(mark) {
                *word = *word & !MARK | u64::from(mark);
                f(block);
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.words.capacity() * 8
    }

    /// Asks for the words, to be searched soon.
    pub(super) fn prefetch(&self) {
        self.words.chunks(LINE).for_each(|line| table::prefetch::read(line.as_ptr()));
    }

    /// Gives back room that is worth it: members come and go, and each change of the room copies them all.
    fn fit(&mut self) {
        let room = room(self.words.len());
        if room + SPARE_MAX <= self.words.capacity() {
            self.words.shrink_to(room);
        }
    }

    /// Chooses base and shift anew for the members there are, with as much room again on both sides
    /// together, so that members added in order cause few such choices.
    fn rebase(&mut self) {
        let (Some(&first), Some(&last)) = (self.words.first(), self.words.last()) else { return };
        let (low, high) = (block(first).key(), block(last).key());
        let spread = high - low;
        self.base = low.saturating_sub(spread / 2);
        let span = high.saturating_add(spread / 2) - self.base;
        self.shift = (64 - span.leading_zeros()).saturating_sub(16);
        for at in 0..self.words.len() {
            let word = self.words[at] & (ADDR | MARK);
            self.words[at] = word | self.hint(block(word).key()) << 48;
        }
    }
}

/// The block that a leaf's word points to.
pub(super) fn block(word: u64) -> Block {
    // SAFETY: the words of a leaf come from `Block::addr`, and the owner takes a block out of the tree
    // before it frees it.
    unsafe { Block::from_addr(word & ADDR) }
}

fn marked(word: u64) -> Marked {
    Marked { block: block(word), mark: (word & MARK) as u8 }
}

/// A member with its mark, which is below [`MARKS`].
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Marked {
    pub(in super::super) block: Block,
    pub(in super::super) mark: u8,
}

impl Marked {
    fn word(self) -> u64 {
        debug_assert!(self.mark < MARKS);
        self.block.addr() | u64::from(self.mark)
    }
}

/// Capacity for `len` words that fills a size class of the allocator (four per doubling).
fn room(len: usize) -> usize {
    len.max(1).next_multiple_of(if len <= 64 { 8 } else { 16 })
}
