//! The radix heap (see [`super`]), and the lists that it consists of.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Items that one call of [`Heap::pop_due`] redistributes at most.
pub(super) const SLICE: usize = 1024;

/// Bits of a tick that an item keeps.
const TICK_BITS: u32 = 24;

/// A tick, and the hash of an entry that is due then or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub tick: u32,
    /// Its lowest 8 bits are zero.
    pub hash: u32,
}

/// An item in a list: the kept bits of its tick, then the top 24 of its hash, little-endian.
type Packed = [u8; 6];

/// A list that is not empty.
#[derive(Debug)]
struct List {
    number: usize,
    items: Vec<Packed>,
}

/// Items at list `i` agree with `last` above bit `i - 1` and differ in that bit (list 0: agree), but for
/// the list that is `opened`, whose items are just not before `last`.
#[derive(Debug, Default)]
pub(super) struct Heap {
    last: u32,
    /// The list that is being redistributed, 0 if none. No item belongs there while it is: `last`
    /// has its bit set, so an item that differs there is before `last`.
    opened: usize,
    pub len: usize,
    /// In ascending order of their numbers.
    lists: Vec<List>,
    /// Items before `last`.
    early: BinaryHeap<Reverse<Item>>,
}

impl Heap {
    /// A heap that has got to this tick.
    pub(super) fn starting_at(last: u32) -> Self {
        Self { last, ..Self::default() }
    }

    /// The tick that it has got to.
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    /// Bytes that its parts take.
    pub(super) fn heap_bytes(&self) -> usize {
        let items: usize = self.lists.iter().map(|list| list.items.capacity()).sum();
        items * size_of::<Packed>()
            + self.lists.capacity() * size_of::<List>()
            + self.early.capacity() * size_of::<Item>()
    }

    pub(super) fn push(&mut self, item: Item) {
        self.len += 1;
        if item.tick < self.last {
            self.early.push(Reverse(item));
        } else {
            self.place(item);
        }
    }

    /// The first tick that items of a list can have.
    fn first_tick(&self, list: usize) -> u32 {
        match list.checked_sub(1) {
            None => self.last,
            Some(bit) => (self.last >> bit | 1) << bit,
        }
    }

    /// Puts an item that is not before `last` into its list.
    fn place(&mut self, item: Item) {
        let number = (u32::BITS - (item.tick ^ self.last).leading_zeros()) as usize;
        let ticks = (item.tick - self.first_tick(number)) >> dropped_bits(number);
        let [a, b, c, _] = ticks.to_le_bytes();
        let [_, d, e, f] = item.hash.to_le_bytes();
        let at = match self.lists.binary_search_by_key(&number, |list| list.number) {
            Ok(at) => at,
            Err(at) => {
                self.lists.reserve_exact(1);
                self.lists.insert(at, List { number, items: Vec::new() });
                at
            }
        };
        let items = &mut self.lists[at].items;
        if items.len() == items.capacity() {
            items.reserve_exact(room_for_more(items.len()));
        }
        items.push([a, b, c, d, e, f]);
    }

    fn unpack(&self, list: usize, [a, b, c, d, e, f]: Packed) -> Item {
        let ticks = u32::from_le_bytes([a, b, c, 0]) << dropped_bits(list);
        Item { tick: self.first_tick(list) + ticks, hash: u32::from_le_bytes([0, d, e, f]) }
    }

    /// Takes the last item out of the list at a place among the lists, and the list with its last item.
    fn pop_at(&mut self, at: usize) -> Option<Item> {
        let list = self.lists.get_mut(at)?;
        let (number, packed) = (list.number, list.items.pop()?);
        let is_last = list.items.is_empty();
        let item = self.unpack(number, packed);
        if is_last {
            self.lists.remove(at);
            if self.opened == number {
                self.opened = 0;
            }
        }
        Some(item)
    }

    /// One of the items, in no order.
    pub(super) fn nth(&self, mut nth: usize) -> Option<Item> {
        for list in &self.lists {
            match list.items.get(nth) {
                Some(item) => return Some(self.unpack(list.number, *item)),
                None => nth -= list.items.len(),
            }
        }
        self.early.as_slice().get(nth).map(|Reverse(item)| *item)
    }

    /// Whether there are items at tick `last`.
    fn has_current(&self) -> bool {
        self.lists.first().is_some_and(|list| list.number == 0)
    }

    /// A tick that no item is before.
    pub(super) fn next_tick(&self) -> Option<u32> {
        let early = self.early.peek().map(|Reverse(item)| item.tick);
        let later = if self.has_current() || self.opened != 0 {
            Some(self.last)
        } else {
            self.lists.first().map(|list| self.first_tick(list.number))
        };
        [early, later].into_iter().flatten().min()
    }

    /// Takes out an item at or before tick `due`, within one slice of work.
    pub(super) fn pop_due(&mut self, due: u32) -> Option<u32> {
        if self.early.peek().is_some_and(|Reverse(item)| item.tick <= due) {
            self.len -= 1;
            return self.pop_early().map(|item| item.hash);
        }
        for _ in 0..SLICE {
            if self.has_current() {
                if self.last > due {
                    return None;
                }
                self.len -= 1;
                return self.pop_at(0).map(|item| item.hash);
            }
            if self.opened == 0 {
                let list = self.lists.first()?.number;
                let first = self.first_tick(list);
                if first > due {
                    return None;
                }
                (self.opened, self.last) = (list, first);
            }
            let at = self.lists.iter().position(|list| list.number == self.opened)?;
            match self.pop_at(at) {
                Some(item) if item.tick <= due => {
                    self.len -= 1;
                    return Some(item.hash);
                }
                Some(item) => self.place(item),
                None => {}
            }
        }
        None
    }

    fn pop_early(&mut self) -> Option<Item> {
        let Reverse(item) = self.early.pop()?;
        if self.early.is_empty() {
            self.early = BinaryHeap::new();
        }
        Some(item)
    }

    /// Takes out any item; returns its hash.
    pub(super) fn take_any(&mut self) -> Option<u32> {
        let item = match self.pop_early() {
            Some(item) => item,
            None => self.pop_at(self.lists.len().checked_sub(1)?)?,
        };
        self.len -= 1;
        Some(item.hash)
    }

    /// Makes every tick `shift` smaller, at least 0.
    pub(super) fn shift(&mut self, shift: u32) {
        let mut old = std::mem::take(self);
        self.last = old.last.saturating_sub(shift);
        while let Some(item) =
            old.pop_early().or_else(|| old.pop_at(old.lists.len().wrapping_sub(1)))
        {
            self.push(Item { tick: item.tick.saturating_sub(shift), hash: item.hash });
        }
    }
}

/// Low bits of the tick that items of a list do not keep.
fn dropped_bits(list: usize) -> u32 {
    (list as u32).saturating_sub(TICK_BITS + 1)
}

/// How many items more a full list of `len` should hold: to the allocator's next size class, so at
/// most a quarter more.
fn room_for_more(len: usize) -> usize {
    let words = ((len + 1) * size_of::<Packed>()).div_ceil(8);
    table::class_at_least(words) * 8 / size_of::<Packed>() - len
}
