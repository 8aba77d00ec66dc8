//! The encoding of small sorted sets: all members in one buffer, in order.
//!
//! `[entry][length of the entry, readable from its end]...`, with the entries of [`super::entry`]. Every operation reads
//! from one end; that is what the limits on this encoding bound.

use std::ops::Range;

use super::bound::Inserted;
use super::entry::{Layout, varint_len};
use super::probe::Probe;
use super::score;

#[derive(Clone, Debug, Default)]
pub(super) struct Compact {
    bytes: Vec<u8>,
    len: usize,
}

impl Compact {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, member: &[u8], new: f64) -> Inserted {
        if let Some(found) = self.find(member) {
            if score::key(found.score) == score::key(new) {
                return Inserted::Unchanged;
            }
            self.cut(found.start..found.end, 1);
            self.place(member, new);
            return Inserted::Updated;
        }
        self.place(member, new);
        Inserted::Added
    }

    /// Adds a member that comes after all others.
    pub(super) fn push(&mut self, member: &[u8], score: f64) {
        self.put(self.bytes.len(), member, score);
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|item| item.score)
    }

    pub(super) fn rank(&self, member: &[u8]) -> Option<usize> {
        self.items().position(|item| item.member == member)
    }

    pub(super) fn position(&self, probe: &Probe<'_>) -> usize {
        self.items().take_while(|item| is_before(item, probe)).count()
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let Item { start, end, score, .. } = self.find(member)?;
        self.cut(start..end, 1);
        Some(score)
    }

    pub(super) fn remove_ranks(&mut self, ranks: Range<usize>, mut f: impl FnMut(&[u8], f64)) {
        let (mut span, mut count) = (None, 0);
        for item in self.items().skip(ranks.start).take(ranks.len()) {
            f(item.member, item.score);
            let start = span.map_or(item.start, |(start, _)| start);
            span = Some((start, item.end));
            count += 1;
        }
        if let Some((start, end)) = span {
            self.cut(start..end, count);
        }
    }

    pub(super) fn walk(&self, rank: usize, count: usize, down: bool) -> Walk<'_> {
        let most = match down {
            _ if rank >= self.len => 0,
            true => rank + 1,
            false => self.len - rank,
        };
        let at = match down {
            true => self.offset(rank.saturating_add(1)),
            false => self.offset(rank),
        };
        Walk { bytes: &self.bytes, at, left: count.min(most), down }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Where the member of a rank starts, or the end.
    fn offset(&self, rank: usize) -> usize {
        if rank >= self.len {
            return self.bytes.len();
        }
        if rank * 2 > self.len {
            let at = self.bytes.len();
            let mut walk = Walk { bytes: &self.bytes, at, left: self.len - rank, down: true };
            walk.by_ref().for_each(drop);
            return walk.at;
        }
        self.items().nth(rank).map_or(self.bytes.len(), |item| item.start)
    }

    fn items(&self) -> Items<'_> {
        Items { bytes: &self.bytes, at: 0 }
    }

    fn find(&self, member: &[u8]) -> Option<Item<'_>> {
        self.items().find(|item| item.member == member)
    }

    fn place(&mut self, member: &[u8], new: f64) {
        let probe = Probe::At(score::key(new), member);
        let after = self.items().find(|item| !is_before(item, &probe));
        let at = after.map_or(self.bytes.len(), |item| item.start);
        self.put(at, member, new);
    }

    fn put(&mut self, at: usize, member: &[u8], new: f64) {
        // A small set has one zero, as in Redis; -0 + 0 is it.
        let new = new + 0.0;
        let entry = Layout::new(member, new);
        let size = entry.total() + varint_len(entry.total());
        let old = self.bytes.len();
        // Doubling would waste what this encoding is there to save; a word more costs nothing.
        self.bytes.reserve_exact(size.next_multiple_of(8));
        self.bytes.resize(old + size, 0);
        self.bytes.copy_within(at..old, at + size);
        entry.write(&mut self.bytes[at..], member, new);
        write_back(&mut self.bytes[at + entry.total()..at + size], entry.total());
        self.len += 1;
    }

    fn cut(&mut self, span: Range<usize>, count: usize) {
        self.bytes.drain(span);
        self.bytes.shrink_to(self.bytes.len().next_multiple_of(64));
        self.len -= count;
    }
}

fn is_before(item: &Item<'_>, probe: &Probe<'_>) -> bool {
    probe.is_after(|| score::key(item.score), item.member)
}

/// A length in groups of seven bits, the lowest last; all but the first carry the high bit.
fn write_back(out: &mut [u8], mut len: usize) {
    for (at, byte) in out.iter_mut().enumerate().rev() {
        *byte = (len & 0x7f) as u8 | if at > 0 { 0x80 } else { 0 };
        len >>= 7;
    }
}

/// The length that ends just before `end`, and its own size.
fn read_back(bytes: &[u8], end: usize) -> (usize, usize) {
    let (mut len, mut shift, mut size) = (0, 0, 0);
    loop {
        size += 1;
        let byte = bytes[end - size];
        len |= ((byte & 0x7f) as usize) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return (len, size);
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Item<'a> {
    start: usize,
    end: usize,
    member: &'a [u8],
    score: f64,
}

fn item(bytes: &[u8], start: usize) -> Item<'_> {
    let entry = Layout::read(|at| bytes[start + at]);
    let end = start + entry.total();
    Item {
        start,
        end: end + varint_len(entry.total()),
        member: &bytes[start + entry.head..end],
        score: score::from_bytes(&bytes[start + 1..=start + entry.width]),
    }
}

struct Items<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let item = item(self.bytes, self.at);
        self.at = item.end;
        Some(item)
    }
}

/// A walk along the members.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    /// Where the next member starts, or downwards, ends.
    at: usize,
    left: usize,
    down: bool,
}

impl<'a> Iterator for Walk<'a> {
    type Item = (&'a [u8], f64);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        if self.down {
            let (len, size) = read_back(self.bytes, self.at);
            self.at -= len + size;
            let item = item(self.bytes, self.at);
            return Some((item.member, item.score));
        }
        let item = item(self.bytes, self.at);
        self.at = item.end;
        Some((item.member, item.score))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}
