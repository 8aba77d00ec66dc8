//! Redis's listpack as bytes: what snapshots hold where no value here is kept that way

use crate::item::Item;

use super::{Corrupt, LISTPACK_END, LISTPACK_FRAME, check_count, checked, entry, listpack_run};

/// The items of a listpack from a snapshot, in order.
///
/// # Errors
/// When its frame or any entry is not well formed.
pub fn read(listpack: &[u8]) -> Result<Vec<Item<'_>>, Corrupt> {
    let run = listpack_run(listpack)?;
    let items: Vec<_> =
        checked(run).map(|read| read.map(|(item, _)| item)).collect::<Result<_, _>>()?;
    check_count(listpack, items.len())?;
    Ok(items)
}

/// A listpack in the making.
#[derive(Debug, Default)]
pub struct Builder {
    bytes: Vec<u8>,
    count: usize,
}

impl Builder {
    /// An empty listpack.
    pub fn new() -> Self {
        Self { bytes: vec![0; LISTPACK_FRAME - 1], count: 0 }
    }

    /// Appends an entry.
    pub fn push(&mut self, item: Item<'_>) {
        let start = self.bytes.len();
        self.bytes.resize(start + entry::full_len(item), 0);
        entry::write(item, &mut self.bytes[start..]);
        self.count += 1;
    }

    /// Bytes that the finished listpack would have.
    pub fn len(&self) -> usize {
        self.bytes.len() + 1
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The listpack's bytes.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(LISTPACK_END);
        let total = self.bytes.len() as u32;
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
        self.bytes[4..6].copy_from_slice(&count.to_le_bytes());
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_read_back() {
        let long = vec![b'x'; 5000];
        let items = [Item::Int(-1), Item::Bytes(b"a"), Item::Bytes(&long), Item::Int(i64::MAX)];
        let mut builder = Builder::new();
        items.iter().for_each(|&item| builder.push(item));
        let len = builder.len();
        let bytes = builder.finish();
        assert_eq!(bytes.len(), len);
        assert_eq!(read(&bytes).unwrap(), items);
    }
}
