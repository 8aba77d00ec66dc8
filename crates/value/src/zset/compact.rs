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
        let (found, place) = self.locate(member, new);
        let Some(item) = found else {
            self.put(place, member, new);
            return Inserted::Added;
        };
        if score::key(item.score()) == score::key(new) {
            return Inserted::Unchanged;
        }
        let Item { start, end, .. } = item;
        let place = if place > start { place - (end - start) } else { place };
        self.bytes.drain(start..end);
        self.len -= 1;
        self.put(place, member, new);
        Inserted::Updated
    }

    /// Adds a member that comes after all others.
    pub(super) fn push(&mut self, member: &[u8], score: f64) {
        self.put(self.bytes.len(), member, score);
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|item| item.score())
    }

    pub(super) fn rank(&self, member: &[u8]) -> Option<usize> {
        self.items().position(|item| item.member == member)
    }

    pub(super) fn position(&self, probe: &Probe<'_>) -> usize {
        self.items().take_while(|item| item.is_before(probe)).count()
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let item = self.find(member)?;
        let (span, score) = (item.start..item.end, item.score());
        self.cut(span, 1);
        Some(score)
    }

    pub(super) fn remove_ranks(&mut self, ranks: Range<usize>, mut f: impl FnMut(&[u8], f64)) {
        let (mut span, mut count) = (None, 0);
        for item in self.items().skip(ranks.start).take(ranks.len()) {
            f(item.member, item.score());
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
        let sought = Sought::new(member);
        self.items().find(|item| sought.is(item))
    }

    /// The member, and where it belongs with this score, in one walk.
    fn locate(&self, member: &[u8], new: f64) -> (Option<Item<'_>>, usize) {
        let sought = Sought::new(member);
        let is_before = |item: &Item<'_>| {
            let old = item.score();
            old < new || old == new && item.member < member
        };
        let mut items = self.items();
        // Until one of both is found both are looked for, and then the other alone.
        for item in items.by_ref() {
            if sought.is(&item) {
                let place = match is_before(&item) {
                    true => items.find(|item| !is_before(item)).map(|item| item.start),
                    false => Some(item.start),
                };
                return (Some(item), place.unwrap_or(self.bytes.len()));
            }
            if !is_before(&item) {
                return (items.find(|item| sought.is(item)), item.start);
            }
        }
        (None, self.bytes.len())
    }

    fn put(&mut self, at: usize, member: &[u8], new: f64) {
        // Redis keeps integral scores as integers here, and so a zero without its sign.
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

/// A member that is looked for.
#[derive(Clone, Copy)]
struct Sought<'a> {
    member: &'a [u8],
    end: Option<&'a [u8; END]>,
}

/// Bytes at the end of a member that are compared first: members often begin alike and seldom end alike.
const END: usize = 4;

impl<'a> Sought<'a> {
    fn new(member: &'a [u8]) -> Self {
        Self { member, end: member.last_chunk() }
    }

    #[inline(always)]
    fn is(self, item: &Item<'_>) -> bool {
        if item.member.len() != self.member.len() {
            return false;
        }
        match self.end {
            Some(end) if item.member.last_chunk() != Some(end) => false,
            _ => item.member == self.member,
        }
    }
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

/// An entry and where it lies.
#[derive(Clone, Copy, Debug)]
struct Item<'a> {
    /// From the entry's second byte on.
    scored: &'a [u8],
    width: usize,
    member: &'a [u8],
    start: usize,
    end: usize,
}

impl Item<'_> {
    #[inline(always)]
    fn score(&self) -> f64 {
        match self.scored.first_chunk() {
            Some(word) => score::from_word(*word, self.width),
            None => score::from_bytes(&self.scored[..self.width]),
        }
    }

    #[inline(always)]
    fn is_before(&self, probe: &Probe<'_>) -> bool {
        probe.is_after(|| score::key(self.score()), self.member)
    }
}

#[inline(always)]
fn item(bytes: &[u8], start: usize) -> Item<'_> {
    let entry = &bytes[start..];
    let layout = Layout::read(|at| entry[at]);
    let total = layout.total();
    let member = &entry[layout.head..total];
    let end = start + total + varint_len(total);
    Item { scored: &entry[1..], width: layout.width, member, start, end }
}

struct Items<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline(always)]
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
            return Some((item.member, item.score()));
        }
        let item = item(self.bytes, self.at);
        self.at = item.end;
        Some((item.member, item.score()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}
