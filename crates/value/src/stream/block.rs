//! Some dozens of entries in one buffer.
//!
//! The buffer starts with the fields of the first entry: their number, then each as length and bytes.
//! Entries follow: `[flags][length of what is up to the end of the values][ms since the block's first ID][seq][fields
//! and values][length of all this, readable from the end]`, numbers as varints. `seq` counts from the first ID's in its millisecond, and from zero in
//! later ones. An entry with the same fields as the first holds values only.

use std::fmt;

use super::id::Id;

const SAME_FIELDS: u8 = 1;
const DELETED: u8 = 2;

/// Bytes that the buffer grows by at least.
const GROWTH_MIN: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Block {
    first: Id,
    /// Of the last entry, deleted or not.
    last: Id,
    live: u32,
    deleted: u32,
    /// Deleted entries whose bytes are still there.
    marked: u32,
    /// Where the entries start.
    start: u32,
    /// All entries before this place are deleted.
    front: usize,
    bytes: Vec<u8>,
}

/// An entry.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its ID.
    pub id: Id,
    fields: Fields<'a>,
}

/// The fields and values of an entry, in the order in which they were given.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    left: usize,
    /// Fields alone, where they are kept apart from the values.
    shared: Option<&'a [u8]>,
    rest: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Its fields with their values.
    pub fn fields(&self) -> Fields<'a> {
        self.fields
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let field = match &mut self.shared {
            Some(shared) => take_bytes(shared),
            None => take_bytes(&mut self.rest),
        };
        Some((field, take_bytes(&mut self.rest)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

/// A block as others see it.
#[derive(Clone, Copy)]
pub struct Part<'a>(pub(super) &'a Block);

impl<'a> Part<'a> {
    /// Its entries, upwards: there is at least one.
    pub fn entries(self) -> impl Iterator<Item = Entry<'a>> + Clone {
        self.0.places().filter(|place| !place.deleted).map(|place| place.entry)
    }

    /// How many they are.
    pub fn count(self) -> u64 {
        self.0.live()
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries().map(|entry| (entry.id, entry.fields().collect::<Vec<_>>()));
        f.debug_list().entries(entries).finish()
    }
}

/// An entry and where it lies.
pub(super) struct Place<'a> {
    pub(super) entry: Entry<'a>,
    pub(super) deleted: bool,
    start: usize,
    pub(super) end: usize,
}

impl Block {
    /// A block whose first entry will have this ID and these fields.
    pub(super) fn new<'a>(
        first: Id,
        fields: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Self {
        let mut bytes = Vec::new();
        put(&mut bytes, fields.len() as u64);
        fields.for_each(|(field, _)| put_bytes(&mut bytes, field));
        let front = bytes.len();
        let start = front as u32;
        Self { first, last: first, live: 0, deleted: 0, marked: 0, start, front, bytes }
    }

    pub(super) fn last(&self) -> Id {
        self.last
    }

    pub(super) fn live(&self) -> u64 {
        u64::from(self.live)
    }

    /// Entries that it was given, deleted ones included.
    pub(super) fn count(&self) -> u64 {
        u64::from(self.live) + u64::from(self.deleted)
    }

    /// Bytes in use.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Gives back what was kept for growing.
    pub(super) fn seal(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Where a walk starts that goes down.
    pub(super) fn end(&self) -> usize {
        self.bytes.len()
    }

    /// Where a walk starts that goes up.
    pub(super) fn start(&self) -> usize {
        self.front
    }

    /// Appends an entry whose ID is greater than all before.
    pub(super) fn push<'a>(
        &mut self,
        id: Id,
        fields: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone,
    ) {
        let same = self.same_fields(fields.clone());
        let framed = |bytes: &[u8]| back_len(bytes.len() as u64) + bytes.len();
        let ms = id.ms - self.first.ms;
        let seq = id.seq - if ms == 0 { self.first.seq } else { 0 };
        let mut body = back_len(ms) + back_len(seq);
        if !same {
            body += back_len(fields.len() as u64);
        }
        for (field, value) in fields.clone() {
            body += framed(value) + if same { 0 } else { framed(field) };
        }
        let len = 1 + back_len(body as u64) + body;
        let old = self.bytes.len();
        let more = len + back_len(len as u64);
        // Half as much again at a time: what is not used goes back when the block is full.
        if self.bytes.capacity() - old < more {
            self.bytes.reserve_exact(more.max(old / 2).max(GROWTH_MIN));
        }
        self.bytes.push(if same { SAME_FIELDS } else { 0 });
        put(&mut self.bytes, body as u64);
        put(&mut self.bytes, ms);
        put(&mut self.bytes, seq);
        if !same {
            put(&mut self.bytes, fields.len() as u64);
        }
        for (field, value) in fields {
            if !same {
                put_bytes(&mut self.bytes, field);
            }
            put_bytes(&mut self.bytes, value);
        }
        put_back(&mut self.bytes, len as u64);
        self.live += 1;
        self.last = id;
    }

    /// The entry that starts at a place.
    pub(super) fn at(&self, start: usize) -> Option<Place<'_>> {
        let mut rest = self.bytes.get(start..)?;
        let flags = *rest.split_off_first()?;
        let len = take(&mut rest) as usize;
        let end = self.bytes.len() - rest.len() + len;
        let ms = self.first.ms + take(&mut rest);
        let seq = take(&mut rest);
        let base = if ms == self.first.ms { self.first.seq } else { 0 };
        let (left, shared) = if flags & SAME_FIELDS != 0 {
            let mut shared = &self.bytes[..self.start as usize];
            (take(&mut shared) as usize, Some(shared))
        } else {
            (take(&mut rest) as usize, None)
        };
        Some(Place {
            entry: Entry { id: Id::new(ms, base + seq), fields: Fields { left, shared, rest } },
            deleted: flags & DELETED != 0,
            start,
            end: end + back_len((end - start) as u64),
        })
    }

    /// Where the entry starts that ends at a place.
    pub(super) fn before(&self, end: usize) -> Option<usize> {
        if end <= self.front {
            return None;
        }
        let (len, size) = read_back(&self.bytes[..end]);
        Some(end - size - len as usize)
    }

    /// The entry with an ID, if it is not deleted.
    pub(super) fn find(&self, id: Id) -> Option<Place<'_>> {
        self.places().find(|place| place.entry.id >= id).filter(|p| p.entry.id == id && !p.deleted)
    }

    /// All entries, deleted ones included but for those at the start.
    pub(super) fn places(&self) -> impl Iterator<Item = Place<'_>> + Clone {
        let mut at = self.front;
        std::iter::from_fn(move || {
            let place = self.at(at)?;
            at = place.end;
            Some(place)
        })
    }

    /// Marks an entry deleted; whether it was there.
    pub(super) fn delete(&mut self, id: Id) -> bool {
        let Some(start) = self.find(id).map(|place| place.start) else { return false };
        self.mark(start);
        self.move_front();
        true
    }

    /// Marks entries from the first on deleted: at most `most`, and with
    /// `end` none from that on. Gives their number.
    pub(super) fn trim(&mut self, most: u64, end: Option<Id>) -> u64 {
        let mut done = 0;
        while done < most
            && let Some(place) = self.at(self.front)
            && (place.deleted || end.is_none_or(|end| place.entry.id < end))
        {
            let (start, end, deleted) = (place.start, place.end, place.deleted);
            if !deleted {
                self.mark(start);
                done += 1;
            }
            self.front = end;
        }
        self.move_front();
        done
    }

    fn mark(&mut self, start: usize) {
        self.bytes[start] |= DELETED;
        self.live -= 1;
        self.deleted += 1;
        self.marked += 1;
    }

    /// Moves the front on past deleted entries. When most entries are deleted the others move together.
    fn move_front(&mut self) {
        while let Some(place) = self.at(self.front).filter(|place| place.deleted) {
            self.front = place.end;
        }
        if self.marked > 8 && self.marked > self.live {
            self.compact();
        }
    }

    fn compact(&mut self) {
        let mut bytes = self.bytes[..self.start as usize].to_vec();
        for place in self.places().filter(|place| !place.deleted) {
            bytes.extend(&self.bytes[place.start..place.end]);
        }
        bytes.shrink_to_fit();
        self.bytes = bytes;
        self.marked = 0;
        self.front = self.start as usize;
    }

    fn same_fields<'a>(&self, fields: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])>) -> bool {
        let mut shared = &self.bytes[..self.start as usize];
        take(&mut shared) == fields.len() as u64
            && fields.into_iter().all(|(field, _)| take_bytes(&mut shared) == field)
    }
}

#[inline]
fn put(out: &mut Vec<u8>, n: u64) {
    if n < 0x80 {
        return out.push(n as u8);
    }
    put_long(out, n);
}

fn put_long(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

#[inline]
fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend(bytes);
}

/// Reads what `put` wrote; the blocks are never built from anything else.
#[inline]
fn take(bytes: &mut &[u8]) -> u64 {
    let (mut n, mut shift) = (0, 0);
    while let Some(&byte) = bytes.split_off_first() {
        n |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    n
}

fn take_bytes<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let len = take(bytes) as usize;
    bytes.split_off(..len).unwrap_or_default()
}

#[inline]
fn back_len(n: u64) -> usize {
    if n < 0x80 {
        return 1;
    }
    (64 - (n | 1).leading_zeros()).div_ceil(7) as usize
}

/// A number in groups of seven bits, the lowest last; all but the first carry the high bit.
fn put_back(out: &mut Vec<u8>, n: u64) {
    if n < 0x80 {
        return out.push(n as u8);
    }
    for group in (0..back_len(n)).rev() {
        let more = if group + 1 < back_len(n) { 0x80 } else { 0 };
        out.push((n >> (7 * group)) as u8 & 0x7f | more);
    }
}

/// The number at the end of some bytes, and its length.
fn read_back(bytes: &[u8]) -> (u64, usize) {
    let (mut n, mut size) = (0, 0);
    for byte in bytes.iter().rev() {
        n |= u64::from(byte & 0x7f) << (7 * size);
        size += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (n, size)
}
