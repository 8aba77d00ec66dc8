//! Deliveries that their consumers have given back, first in, first out.

use std::collections::BTreeMap;

use super::id::Id;

/// A queue that entries may leave from the middle.
#[derive(Clone, Debug, Default)]
pub struct Released {
    /// By the number in which they came.
    order: BTreeMap<u64, Id>,
    numbers: BTreeMap<Id, u64>,
    next: u64,
}

impl Released {
    /// Puts an ID at the end.
    pub fn push(&mut self, id: Id) {
        self.remove(id);
        self.order.insert(self.next, id);
        self.numbers.insert(id, self.next);
        self.next += 1;
    }

    /// Takes an ID out.
    pub fn remove(&mut self, id: Id) {
        if let Some(number) = self.numbers.remove(&id) {
            self.order.remove(&number);
        }
    }

    /// From the first to the last.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Id> {
        self.order.values().copied()
    }

    /// Bytes of heap memory, the maps' nodes counted at the fill that they usually have.
    pub fn heap_bytes(&self) -> usize {
        self.order.len() * 2 * size_of::<(u64, Id)>() * 10 / 7
    }
}
