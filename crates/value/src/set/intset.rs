//! Integers in ascending order, all as wide as the widest needs: 2, 4 or 8 bytes
//!
//! The content is the same as in Redis's intset, little-endian; the block's note is the width.

use crate::packed::Corrupt;
use crate::packed::block::Block;

/// Bytes before the integers in Redis's form: width and count, 32 bits each.
const FRAME: usize = 8;

/// A sorted array of distinct integers in one heap block; one pointer wide.
#[derive(Clone)]
pub(super) struct Intset(Block);

fn width_for(int: i64) -> usize {
    if i16::try_from(int).is_ok() {
        2
    } else if i32::try_from(int).is_ok() {
        4
    } else {
        8
    }
}

fn read(bytes: &[u8], width: usize, index: usize) -> Option<i64> {
    let start = index.checked_mul(width)?;
    let bytes = bytes.get(start..start.checked_add(width)?)?;
    match *bytes {
        [a, b] => Some(i64::from(i16::from_le_bytes([a, b]))),
        [a, b, c, d] => Some(i64::from(i32::from_le_bytes([a, b, c, d]))),
        _ => Some(i64::from_le_bytes(bytes.try_into().ok()?)),
    }
}

impl Intset {
    pub(super) const fn new() -> Self {
        Intset(Block::new())
    }

    /// Bytes of an integer; 2 for an empty set.
    fn width(&self) -> usize {
        (self.0.note() as usize).max(2)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len() / self.width()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }

    /// The integer at `index` in ascending order.
    pub(super) fn get(&self, index: usize) -> Option<i64> {
        read(self.0.bytes(), self.width(), index)
    }

    /// Where `int` is, or where it belongs.
    fn search(&self, int: i64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        // Appending in ascending order is the common case.
        if let Some(last) = high.checked_sub(1).and_then(|last| self.get(last))
            && last < int
        {
            return Err(high);
        }
        while low < high {
            let middle = low.midpoint(high);
            match self.get(middle) {
                Some(found) if found == int => return Ok(middle),
                Some(found) if found < int => low = middle + 1,
                _ => high = middle,
            }
        }
        Err(low)
    }

    pub(super) fn contains(&self, int: i64) -> bool {
        self.search(int).is_ok()
    }

    /// Adds `int`; false if it was there.
    pub(super) fn insert(&mut self, int: i64) -> bool {
        let Err(at) = self.search(int) else { return false };
        let width = self.width().max(width_for(int));
        if width > self.width() {
            self.widen(width);
        }
        self.0.open(at * width, width).copy_from_slice(&int.to_le_bytes()[..width]);
        self.0.set_note(width as u32);
        true
    }

    fn widen(&mut self, width: usize) {
        let mut wide = Block::zeroed(self.len() * width);
        for (int, place) in self.iter().zip(wide.bytes_mut().chunks_exact_mut(width)) {
            place.copy_from_slice(&int.to_le_bytes()[..width]);
        }
        wide.set_note(width as u32);
        self.0 = wide;
    }

    /// Removes `int`; false if it was not there.
    pub(super) fn remove(&mut self, int: i64) -> bool {
        let Ok(at) = self.search(int) else { return false };
        let width = self.width();
        self.0.close(at * width, width);
        true
    }

    /// The integers in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        (0..self.len()).map_while(|index| self.get(index))
    }

    /// Appends Redis's form of the set to `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.width() as u32).to_le_bytes());
        out.extend_from_slice(&(self.len() as u32).to_le_bytes());
        out.extend_from_slice(self.0.bytes());
    }

    /// Reads Redis's form, checking sizes and order.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Corrupt> {
        let [a, b, c, d, e, f, g, h, content @ ..] = bytes else {
            return Err(Corrupt { offset: bytes.len() });
        };
        let width = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let count = u32::from_le_bytes([*e, *f, *g, *h]) as usize;
        if !matches!(width, 2 | 4 | 8) || count.checked_mul(width) != Some(content.len()) {
            return Err(Corrupt { offset: 0 });
        }
        for index in 1..count {
            if read(content, width, index) <= read(content, width, index - 1) {
                return Err(Corrupt { offset: FRAME + index * width });
            }
        }
        let mut block = Block::zeroed(content.len());
        block.bytes_mut().copy_from_slice(content);
        block.set_note(width as u32);
        Ok(Intset(block))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn int() -> impl Strategy<Value = i64> {
        prop_oneof![
            -50i64..50,
            any::<i16>().prop_map(i64::from),
            any::<i32>().prop_map(i64::from),
            any::<i64>(),
            Just(i64::MIN),
            Just(i64::MAX),
        ]
    }

    proptest! {
        #[test]
        fn an_intset_behaves_like_an_ordered_set(
            ops in prop::collection::vec((any::<bool>(), int()), 0..200),
        ) {
            let (mut set, mut model) = (Intset::new(), BTreeSet::new());
            for (add, int) in ops {
                if add {
                    assert_eq!(set.insert(int), model.insert(int));
                } else {
                    assert_eq!(set.remove(int), model.remove(&int));
                }
                assert_eq!(set.contains(int), add);
                assert!(set.iter().eq(model.iter().copied()));
            }
            let mut bytes = Vec::new();
            set.write(&mut bytes);
            assert!(Intset::read(&bytes).unwrap().iter().eq(model.iter().copied()));
        }
    }

    #[test]
    fn malformed_sets_are_refused() {
        let mut good = Vec::new();
        let mut set = Intset::new();
        for int in [1, 2, 70_000] {
            set.insert(int);
        }
        set.write(&mut good);
        for end in 0..good.len() {
            assert!(Intset::read(&good[..end]).is_err());
        }
        good.swap(8, 12);
        assert_eq!(Intset::read(&good).err(), Some(Corrupt { offset: 12 }));
    }
}
