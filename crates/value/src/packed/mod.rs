//! Packed runs: the compact form of small lists, sets and hashes
//!
//! A run is entries side by side (see [`entry`]) in one [`Block`], whose note is the number of
//! entries. Those of lists have their length behind them, as in Redis's listpack; those of sets and hashes,
//! which are walked forward only, do not. Offsets into a run are byte positions of entry starts; `byte_len()` is the end.

pub(crate) mod block;
pub(crate) mod cells;
pub(crate) mod entry;
mod find;
pub mod listpack;
pub(crate) mod shown;
pub(crate) mod word;

use crate::item::Item;
use block::Block;

/// Bytes that Redis's listpack has around the entries: total length, count, end mark.
pub(crate) const LISTPACK_FRAME: usize = 7;
const LISTPACK_END: u8 = 0xFF;
/// A listpack's count field when there are too many entries for it.
const LISTPACK_COUNT_UNKNOWN: usize = u16::MAX as usize;
/// No run grows beyond this many bytes, whatever the configured limits are.
pub(crate) const MAX_RUN_LEN: usize = 1 << 30;

/// Bytes of a snapshot that are no well-formed listpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// Where in the listpack reading stopped.
    pub offset: usize,
}

impl std::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "listpack is corrupt at byte {}", self.offset)
    }
}

impl std::error::Error for Corrupt {}

/// A run of entries in one heap block; one pointer wide, no memory while empty.
///
/// With `BACK` every entry has its length behind it and the run can be walked from either end, as Redis's can;
/// without it is a byte an entry smaller.
#[derive(Clone)]
pub(crate) struct Packed<const BACK: bool>(Block);

/// The entries of a run without lengths behind them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    /// The entries' bytes.
    pub(crate) bytes: &'a [u8],
    /// How many there are.
    pub(crate) count: usize,
}

/// Bytes of `item`'s entry.
fn len_of<const BACK: bool>(item: Item<'_>) -> usize {
    if BACK { entry::full_len(item) } else { entry::body_len(item) }
}

/// Writes `item`'s entry to `out`, which is exactly as long.
fn write<const BACK: bool>(item: Item<'_>, out: &mut [u8]) {
    if BACK {
        entry::write(item, out);
    } else {
        entry::write_body(item, out);
    }
}

/// Length of the entry at the start of `run`; `None` at its end.
#[inline]
fn span<const BACK: bool>(run: &[u8]) -> Option<usize> {
    if BACK { entry::span(run) } else { entry::body_span(run) }
}

impl<const BACK: bool> Packed<BACK> {
    pub(crate) const fn new() -> Self {
        Packed(Block::new())
    }

    /// A run of the `count` entries in `run`.
    pub(crate) fn from_run(run: &[u8], count: usize) -> Self {
        let mut block = Block::zeroed(run.len());
        block.bytes_mut().copy_from_slice(run);
        block.set_note(count as u32);
        Packed(block)
    }

    /// How many entries there are.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.0.note() as usize
    }

    /// Bytes of all entries.
    #[inline]
    pub(crate) fn byte_len(&self) -> usize {
        self.0.len()
    }

    /// The entries' bytes.
    #[inline]
    pub(crate) fn run(&self) -> &[u8] {
        self.0.bytes()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }

    fn set_count(&mut self, count: usize) {
        self.0.set_note(count as u32);
    }

    /// Inserts an entry at `offset`; returns the offset behind it.
    pub(crate) fn insert(&mut self, offset: usize, item: Item<'_>) -> usize {
        let len = len_of::<BACK>(item);
        write::<BACK>(item, self.0.open(offset, len));
        self.set_count(self.count() + 1);
        offset + len
    }

    pub(crate) fn push_back(&mut self, item: Item<'_>) {
        self.insert(self.byte_len(), item);
    }

    /// Appends entries, with room made for them at once.
    pub(crate) fn push_all<const N: usize>(&mut self, items: [Item<'_>; N]) {
        let lens = items.map(len_of::<BACK>);
        let mut out = self.0.open(self.byte_len(), lens.iter().sum());
        for (item, len) in items.into_iter().zip(lens) {
            let (entry, rest) = out.split_at_mut(len);
            write::<BACK>(item, entry);
            out = rest;
        }
        self.set_count(self.count() + N);
    }

    /// Puts `item` in the place of the entry at `offset`; returns the offset behind it.
    pub(crate) fn replace(&mut self, offset: usize, item: Item<'_>) -> usize {
        let old = span::<BACK>(&self.run()[offset..]).unwrap_or(0);
        let new = len_of::<BACK>(item);
        if new > old {
            self.0.open(offset + old, new - old);
        } else if new < old {
            self.0.close(offset + new, old - new);
        }
        write::<BACK>(item, &mut self.0.bytes_mut()[offset..offset + new]);
        offset + new
    }

    /// Removes the entries in the bytes `offset..end`, which are `count` many.
    pub(crate) fn remove(&mut self, offset: usize, end: usize, count: usize) {
        let left = self.count() - count;
        self.0.close(offset, end - offset);
        self.set_count(left);
    }

    pub(crate) fn iter(&self) -> Entries<'_, BACK> {
        Entries { run: self.run(), at: 0 }
    }

    /// Reads a listpack from a snapshot, checking every entry; entries that are stored in other
    /// bytes than here (a number as text) are stored anew.
    pub(crate) fn from_listpack(listpack: &[u8]) -> Result<Self, Corrupt> {
        let (run, mut count, mut canonical) = (listpack_run(listpack)?, 0usize, BACK);
        for read in checked(run) {
            let (_, same) = read?;
            canonical &= same;
            count += 1;
        }
        check_count(listpack, count)?;
        if canonical {
            return Ok(Self::from_run(run, count));
        }
        let mut anew = Vec::with_capacity(run.len());
        for (item, _) in checked(run).flatten() {
            let at = anew.len();
            anew.resize(at + len_of::<BACK>(item), 0);
            write::<BACK>(item, &mut anew[at..]);
        }
        Ok(Self::from_run(&anew, count))
    }
}

impl Packed<true> {
    /// Bytes of the listpack that Redis would make of this.
    pub(crate) fn listpack_len(&self) -> usize {
        self.byte_len() + LISTPACK_FRAME
    }

    /// The offset of entry `index`, walked to from the nearer end.
    pub(crate) fn offset_of(&self, index: usize) -> Option<usize> {
        offset_of(self.run(), self.count(), index)
    }

    /// The item of entry `index`.
    pub(crate) fn get(&self, index: usize) -> Option<Item<'_>> {
        let offset = self.offset_of(index)?;
        entry::read(self.run().get(offset..)?).map(|(item, _)| item)
    }

    /// Appends the listpack that Redis would store for this run to `out`.
    pub(crate) fn write_listpack(&self, out: &mut Vec<u8>) {
        write_listpack(self.run(), self.count(), out);
    }
}

impl Packed<false> {
    /// The run as its readers take it.
    #[inline]
    pub(crate) fn view(&self) -> Run<'_> {
        Run { bytes: self.run(), count: self.count() }
    }

    /// Gives the run to whoever makes one of it again.
    pub(crate) fn into_raw(self) -> *mut u8 {
        self.0.into_raw()
    }

    /// Takes a run back.
    ///
    /// # Safety
    /// `raw` came from [`Packed::into_raw`], and nobody else has it.
    #[expect(unsafe_code, reason = "what a raw pointer is, only its owner knows")]
    pub(crate) unsafe fn from_raw(raw: *mut u8) -> Self {
        // SAFETY: by the contract.
        Packed(unsafe { Block::from_raw(raw) })
    }

    /// The run that a pointer stands for.
    ///
    /// # Safety
    /// `raw` came from [`Packed::into_raw`], and the run stays as it is for `'a`.
    #[inline]
    #[expect(unsafe_code, reason = "what a raw pointer is, only its owner knows")]
    pub(crate) unsafe fn run_of_raw<'a>(raw: *mut u8) -> Run<'a> {
        // SAFETY: by the contract.
        let (bytes, count) = unsafe { Block::parts_of_raw(raw) };
        Run { bytes, count: count as usize }
    }
}

impl<'a> Run<'a> {
    /// The entries.
    pub(crate) fn iter(self) -> Entries<'a, false> {
        Entries { run: self.bytes, at: 0 }
    }

    /// Bytes of heap that the run takes.
    pub(crate) fn heap_bytes(self) -> usize {
        Block::heap_bytes_for(self.bytes.len())
    }

    /// The offset of entry `index`.
    pub(crate) fn offset_of(self, index: usize) -> Option<usize> {
        if index >= self.count {
            return None;
        }
        let mut offset = 0;
        for _ in 0..index {
            offset += entry::body_span(self.bytes.get(offset..)?)?;
        }
        Some(offset)
    }

    /// The offset of the first entry equal to `item` among every `stride`th.
    pub(crate) fn find(self, stride: usize, item: Item<'_>) -> Option<usize> {
        find::find(self.bytes, stride, item)
    }

    /// Appends the listpack that Redis would store for this run to `out`.
    pub(crate) fn write_listpack(self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; LISTPACK_FRAME - 1]);
        let mut rest = self.bytes;
        while let Some((body, more)) =
            entry::body_span(rest).and_then(|len| rest.split_at_checked(len))
        {
            out.extend_from_slice(body);
            entry::push_back_len(body.len(), out);
            rest = more;
        }
        out.push(LISTPACK_END);
        let total = (out.len() - start) as u32;
        let count = self.count.min(LISTPACK_COUNT_UNKNOWN) as u16;
        out[start..start + 4].copy_from_slice(&total.to_le_bytes());
        out[start + 4..start + 6].copy_from_slice(&count.to_le_bytes());
    }
}

/// The offset of entry `index` among the `count` entries of `run`, from the nearer end.
pub(crate) fn offset_of(run: &[u8], count: usize, index: usize) -> Option<usize> {
    if index >= count {
        return None;
    }
    if index <= count / 2 {
        let mut offset = 0;
        for _ in 0..index {
            offset += entry::span(run.get(offset..)?)?;
        }
        Some(offset)
    } else {
        let mut end = run.len();
        for _ in index..count {
            end -= entry::span_back(run.get(..end)?)?;
        }
        Some(end)
    }
}

/// Appends a listpack of the `count` entries in `run` to `out`.
pub(crate) fn write_listpack(run: &[u8], count: usize, out: &mut Vec<u8>) {
    let total = (run.len() + LISTPACK_FRAME) as u32;
    out.extend_from_slice(&total.to_le_bytes());
    out.extend_from_slice(&(count.min(LISTPACK_COUNT_UNKNOWN) as u16).to_le_bytes());
    out.extend_from_slice(run);
    out.push(LISTPACK_END);
}

/// The entries' bytes of a listpack whose frame is right.
pub(crate) fn listpack_run(listpack: &[u8]) -> Result<&[u8], Corrupt> {
    let [a, b, c, d, _, _, run @ .., LISTPACK_END] = listpack else {
        return Err(Corrupt { offset: 0 });
    };
    if u32::from_le_bytes([*a, *b, *c, *d]) as usize != listpack.len() || run.len() > MAX_RUN_LEN {
        return Err(Corrupt { offset: 0 });
    }
    Ok(run)
}

/// Compares a listpack's count field with the number of its entries.
pub(crate) fn check_count(listpack: &[u8], count: usize) -> Result<(), Corrupt> {
    match listpack {
        [_, _, _, _, low, high, ..] => match u16::from_le_bytes([*low, *high]) {
            u16::MAX => Ok(()),
            stored if usize::from(stored) == count => Ok(()),
            _ => Err(Corrupt { offset: 4 }),
        },
        _ => Err(Corrupt { offset: 0 }),
    }
}

/// The items of a run that nobody vouches for, in canonical form, each with whether it was stored
/// that way. Ends after the first error.
pub(crate) fn checked(run: &[u8]) -> impl Iterator<Item = Result<(Item<'_>, bool), Corrupt>> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let rest = run.get(offset..).filter(|rest| !rest.is_empty())?;
        let Some((item, len, canonical)) = entry::read_checked(rest) else {
            let at = std::mem::replace(&mut offset, run.len());
            return Some(Err(Corrupt { offset: at + LISTPACK_FRAME - 1 }));
        };
        offset += len;
        Some(Ok((self::canonical(item), canonical)))
    })
}

/// Refuses a listpack in which a member or field, every `stride`th entry, is there twice. Its entries are known
/// to be well formed.
pub(crate) fn check_distinct(listpack: &[u8], stride: usize) -> Result<(), Corrupt> {
    let mut seen = std::collections::HashSet::new();
    let mut entries = Entries::<true> { run: listpack_run(listpack)?, at: 0 };
    loop {
        let offset = entries.offset() + LISTPACK_FRAME - 1;
        let Some(item) = entries.next() else { break };
        if !seen.insert(canonical(item)) {
            return Err(Corrupt { offset });
        }
        for _ in 1..stride {
            entries.next().ok_or(Corrupt { offset })?;
        }
    }
    Ok(())
}

/// The item that a text stands for.
fn canonical(item: Item<'_>) -> Item<'_> {
    match item {
        Item::Bytes(text) => Item::parse(text),
        int => int,
    }
}

/// Walks a run forward; keeps the offset, so that a caller can come back to change the run.
#[derive(Clone)]
pub(crate) struct Entries<'a, const BACK: bool> {
    run: &'a [u8],
    at: usize,
}

impl<'a, const BACK: bool> Entries<'a, BACK> {
    /// Entries of `run` from the entry start `at` on.
    pub(crate) fn from_offset(run: &'a [u8], at: usize) -> Self {
        Entries { run, at }
    }

    /// The offset of the entry that `next` returns.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.at
    }
}

impl<'a, const BACK: bool> Iterator for Entries<'a, BACK> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let (item, body) = entry::read(self.run.get(self.at..)?)?;
        self.at += if BACK { entry::with_back_len(body) } else { body };
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(texts: &[&str]) -> Packed<true> {
        let mut packed = Packed::new();
        texts.iter().for_each(|text| packed.push_back(Item::parse(text.as_bytes())));
        packed
    }

    fn texts<const BACK: bool>(packed: &Packed<BACK>) -> Vec<String> {
        packed.iter().map(|item| String::from_utf8(item.to_vec()).unwrap()).collect()
    }

    #[test]
    fn entries_are_inserted_replaced_and_removed() {
        let mut run = packed(&["a", "", "-0", "17"]);
        let at = run.offset_of(1).unwrap();
        run.insert(at, Item::Bytes(&[b'y'; 300]));
        let at = run.offset_of(3).unwrap();
        run.replace(at, Item::Int(i64::MIN));
        let at = run.offset_of(0).unwrap();
        let end = run.offset_of(1).unwrap();
        run.remove(at, end, 1);
        assert_eq!(texts(&run), [&"y".repeat(300), "", "-9223372036854775808", "17"]);
        assert_eq!(run.get(3), Some(Item::Int(17)));
        assert_eq!(run.get(4), None);
    }

    #[test]
    fn a_listpack_survives_the_way_out_and_back() {
        let run = packed(&["a", "", "17", "-5000", "some text"]);
        let mut bytes = Vec::new();
        run.write_listpack(&mut bytes);
        assert_eq!(bytes.len(), run.listpack_len());
        assert_eq!(texts(&Packed::<true>::from_listpack(&bytes).unwrap()), texts(&run));
        let shorter = Packed::<false>::from_listpack(&bytes).unwrap();
        assert_eq!(
            (texts(&shorter), shorter.byte_len()),
            (texts(&run), run.byte_len() - run.count())
        );
        let mut again = Vec::new();
        shorter.view().write_listpack(&mut again);
        assert_eq!(again, bytes);
        for end in 0..bytes.len() {
            assert!(Packed::<true>::from_listpack(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn numbers_stored_as_text_are_stored_anew() {
        let listpack = [11, 0, 0, 0, 1, 0, 0x82, b'1', b'2', 3, 0xFF];
        let run = Packed::<true>::from_listpack(&listpack).unwrap();
        assert_eq!(run.run(), [12, 1]);
        assert_eq!(run.count(), 1);
    }

    #[test]
    fn a_flipped_bit_is_refused_or_gives_a_well_formed_run() {
        let run = packed(&["abc", "12", "70000", &"z".repeat(70)]);
        let mut good = Vec::new();
        run.write_listpack(&mut good);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = Packed::<true>::from_listpack(&bad) {
                assert_eq!(read.iter().count(), read.count());
            }
        }
    }
}
