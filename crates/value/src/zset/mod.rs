//! Sorted sets: members, each once, ordered by score and then by their bytes.
//!
//! Two encodings: [`compact`], one buffer, for small sets, and [`big`], a counted B+tree ([`tree`]) with an index by
//! member ([`index`]). Redis calls them `listpack` and `skiplist`. A set that has outgrown the first stays in
//! the second.
//!
//! Ranges of scores and of members are first turned into ranges of ranks ([`Zset::score_range`],
//! [`Zset::lex_range`]), which count, walk, and removal then take: counting is a subtraction.

mod big;
mod block;
mod bound;
mod compact;
mod entry;
mod index;
mod iter;
mod probe;
mod score;
mod shown;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use big::Big;
use block::Block;
use compact::Compact;
use probe::Probe;

use crate::Object;
use crate::cut::{Element, Scribe};
use crate::item::Item;
use crate::timed::Timed;

pub use bound::{Inserted, LexBound, ScoreBound, ZsetLimits};
pub use iter::Iter;

/// A sorted set. Scores are any `f64` but NaN; ranks count from 0 at the lowest score.
#[derive(Clone, Default)]
pub struct Zset {
    body: Body,
    due: Option<Box<Timed<1>>>,
}

#[derive(Clone, Debug)]
enum Body {
    Compact(Compact),
    Big(Box<Big>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Compact(Compact::default())
    }
}

impl Zset {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A set of members that come in ascending order of (score, bytes), each once. Faster than
    /// insertions, and it leaves full nodes.
    pub fn from_sorted<'a>(
        members: impl IntoIterator<Item = (&'a [u8], f64)>,
        limits: ZsetLimits,
    ) -> Self {
        let mut members = members.into_iter().peekable();
        let mut compact = Compact::default();
        while let Some(&(member, score)) = members.peek() {
            if compact.len() >= limits.entries || member.len() > limits.value {
                let big = Big::from_sorted(blocks(&compact).chain(members.map(new_block)));
                return Self { body: Body::Big(Box::new(big)), due: None };
            }
            compact.push(member, score);
            members.next();
        }
        Self { body: Body::Compact(compact), due: None }
    }

    /// The same of so many members that the set cannot be small, where some may come twice: `None` then.
    pub fn from_sorted_if_distinct<'a>(
        members: impl IntoIterator<Item = (&'a [u8], f64)>,
    ) -> Option<Self> {
        let big = Big::from_sorted_if_distinct(members.into_iter().map(new_block))?;
        Some(Self { body: Body::Big(Box::new(big)), due: None })
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        match &self.body {
            Body::Compact(compact) => compact.len(),
            Body::Big(big) => big.len(),
        }
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The encoding by the name that Redis has for its counterpart.
    pub fn encoding(&self) -> &'static str {
        match self.body {
            Body::Compact(_) => "listpack",
            Body::Big(_) => "skiplist",
        }
    }

    /// Adds a member or gives it another score (not NaN). An equal score changes nothing, not even
    /// the sign of a zero.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: ZsetLimits) -> Inserted {
        debug_assert!(!score.is_nan());
        if let Body::Compact(compact) = &mut self.body {
            let stays = compact.len() < limits.entries && member.len() <= limits.value;
            if stays || compact.score(member).is_some() {
                return compact.insert(member, score);
            }
            let big = Big::from_sorted(blocks(compact));
            self.body = Body::Big(Box::new(big));
        }
        match &mut self.body {
            Body::Compact(compact) => compact.insert(member, score),
            Body::Big(big) => big.insert(member, score),
        }
    }

    /// The score of a member.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.body {
            Body::Compact(compact) => compact.score(member),
            Body::Big(big) => big.score(member),
        }
    }

    /// The rank of a member; with `rev` counted from the highest score.
    pub fn rank(&self, member: &[u8], rev: bool) -> Option<usize> {
        let rank = match &self.body {
            Body::Compact(compact) => compact.rank(member),
            Body::Big(big) => big.rank(member),
        }?;
        Some(if rev { self.len() - 1 - rank } else { rank })
    }

    /// The member of a rank, with its score.
    pub fn get(&self, rank: usize) -> Option<(&[u8], f64)> {
        self.walk(rank, 1, false).next()
    }

    /// All members, upwards.
    pub fn iter(&self) -> Iter<'_> {
        self.walk(0, usize::MAX, false)
    }

    /// The members of these ranks, cut to those that exist; with `rev` from the last of them down.
    pub fn range(&self, ranks: Range<usize>, rev: bool) -> Iter<'_> {
        let end = ranks.end.min(self.len());
        let count = end.saturating_sub(ranks.start);
        match rev {
            true if count > 0 => self.walk(end - 1, count, true),
            _ => self.walk(ranks.start, count, false),
        }
    }

    /// The ranks of the members between two scores; its length is their number.
    pub fn score_range(&self, min: ScoreBound, max: ScoreBound) -> Range<usize> {
        self.between(&Probe::score_start(min), &Probe::score_end(max))
    }

    /// The ranks of the members between two members; its length is their number.
    pub fn lex_range(&self, min: LexBound<'_>, max: LexBound<'_>) -> Range<usize> {
        self.between(&Probe::lex_start(min), &Probe::lex_end(max))
    }

    /// Takes out a member and gives the score it had.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let score = match &mut self.body {
            Body::Compact(compact) => compact.remove(member),
            Body::Big(big) => big.remove(member),
        }?;
        self.forget_deadline(Item::parse(member));
        Some(score)
    }

    /// Takes out the members of these ranks, cut to those that exist, and shows each to `f` in
    /// ascending order. Gives their number. The cost per member is that of the index alone.
    pub fn remove_range(&mut self, ranks: Range<usize>, mut f: impl FnMut(&[u8], f64)) -> usize {
        let end = ranks.end.min(self.len());
        if ranks.start >= end {
            return 0;
        }
        let ranks = ranks.start..end;
        let count = ranks.len();
        let due = &mut self.due;
        let see = |member: &[u8], score: f64| {
            if let Some(due) = due
                && let Some(slot) = due.cells().find(Item::parse(member))
            {
                due.remove(slot);
            }
            f(member, score);
        };
        match &mut self.body {
            Body::Compact(compact) => compact.remove_ranks(ranks, see),
            Body::Big(big) => big.remove_ranks(ranks, see),
        }
        self.due.take_if(|due| due.cells().len() == 0);
        count
    }

    /// Takes out the member of the lowest score.
    pub fn pop_min(&mut self) -> Option<(Vec<u8>, f64)> {
        self.pop(0)
    }

    /// Takes out the member of the highest score.
    pub fn pop_max(&mut self) -> Option<(Vec<u8>, f64)> {
        self.pop(self.len().checked_sub(1)?)
    }

    /// A member drawn by a random word; every member is equally likely.
    pub fn random(&self, word: u64) -> Option<(&[u8], f64)> {
        let rank = (u128::from(word) * self.len() as u128) >> 64;
        self.get(rank as usize)
    }

    /// One step of a scan, which starts and ends with cursor 0: shows a few members (none, some seven, or
    /// all of a small set) to `f` and gives the next cursor.
    /// Members that stay in the set throughout are shown at least once; others, and doubles, may be.
    pub fn scan(&self, cursor: u64, mut f: impl FnMut(&[u8], f64)) -> u64 {
        match &self.body {
            Body::Compact(compact) => {
                compact.walk(0, usize::MAX, false).for_each(|(member, score)| f(member, score));
                0
            }
            Body::Big(big) => big.scan(cursor, f),
        }
    }

    /// When a member expires, in Unix milliseconds; `None` if it does not, or is not there.
    pub fn deadline(&self, member: &[u8]) -> Option<i64> {
        self.due.as_ref()?.get(Item::parse(member))?.deadline()
    }

    /// Sets or clears the deadline of a member, in Unix milliseconds; false if it is not there. Other
    /// scores for the member leave its deadline alone.
    pub fn set_deadline(&mut self, member: &[u8], deadline: Option<i64>) -> bool {
        if self.score(member).is_none() {
            return false;
        }
        let item = Item::parse(member);
        let Some(deadline) = deadline else {
            self.forget_deadline(item);
            return true;
        };
        let due = self.due.get_or_insert_default();
        match due.cells().find(item) {
            Some(slot) => due.set_deadline(slot, Some(deadline)),
            None => due.insert([item], Some(deadline)),
        }
        true
    }

    fn forget_deadline(&mut self, member: Item<'_>) {
        if let Some(due) = &mut self.due
            && let Some(slot) = due.cells().find(member)
        {
            due.remove(slot);
        }
        self.due.take_if(|due| due.cells().len() == 0);
    }

    /// The earliest deadline of any member.
    pub fn next_expiry(&self) -> Option<i64> {
        self.due.as_ref()?.next_expiry()
    }

    /// Takes out up to `limit` members whose deadline lies before `now`, the earliest first, and shows
    /// each to `f`; returns how many. Fewer than `limit` means that no due member is left.
    pub fn expire_due(&mut self, now: i64, limit: usize, mut f: impl FnMut(&[u8], f64)) -> usize {
        let Some(mut due) = self.due.take() else { return 0 };
        let gone = due.expire_due(now, limit, |view| {
            view.first().with_bytes(|member| {
                if let Some(score) = self.remove(member) {
                    f(member, score);
                }
            });
        });
        self.due = Some(due).filter(|due| due.cells().len() > 0);
        gone
    }

    /// Bytes of heap memory.
    pub fn heap_bytes(&self) -> usize {
        let body = match &self.body {
            Body::Compact(compact) => compact.heap_bytes(),
            Body::Big(big) => big.heap_bytes(),
        };
        body + self.due.as_ref().map_or(0, |due| due.heap_bytes())
    }

    /// Whether the set can be taken in parts: see [`crate::cut`].
    pub(crate) fn has_parts(&self) -> bool {
        matches!(self.body, Body::Big(_))
    }

    pub(crate) fn scribe(&self) -> Option<&Arc<dyn Scribe>> {
        match &self.body {
            Body::Compact(_) => None,
            Body::Big(big) => big.shown.scribe(),
        }
    }

    pub(crate) fn begin_cut(&mut self, scribe: Arc<dyn Scribe>) {
        if let Body::Big(big) = &mut self.body {
            if let Some(due) = &mut self.due {
                due.begin_deadlines(Arc::clone(&scribe));
            }
            big.begin_cut(scribe);
        }
    }

    pub(crate) fn show_some(&mut self, most: usize, f: &mut dyn FnMut(Element<'_>)) -> bool {
        if let Some(due) = self.due.as_mut().filter(|due| due.is_taken()) {
            due.show_some(most, f);
            return false;
        }
        match &mut self.body {
            Body::Compact(_) => true,
            Body::Big(big) => big.show_some(most, f),
        }
    }

    fn walk(&self, rank: usize, count: usize, down: bool) -> Iter<'_> {
        Iter(match &self.body {
            Body::Compact(compact) => iter::Inner::Compact(compact.walk(rank, count, down)),
            Body::Big(big) => iter::Inner::Big(big.walk(rank, count, down)),
        })
    }

    fn position(&self, probe: &Probe<'_>) -> usize {
        match &self.body {
            Body::Compact(compact) => compact.position(probe),
            Body::Big(big) => big.position(probe),
        }
    }

    fn between(&self, start: &Probe<'_>, end: &Probe<'_>) -> Range<usize> {
        let start = self.position(start);
        start..self.position(end).max(start)
    }

    fn pop(&mut self, rank: usize) -> Option<(Vec<u8>, f64)> {
        let mut popped = None;
        self.remove_range(rank..rank.checked_add(1)?, |member, score| {
            popped = Some((member.to_vec(), score));
        });
        popped
    }
}

impl Drop for Zset {
    fn drop(&mut self) {
        if let Body::Big(big) = &mut self.body
            && let Some(scribe) = big.shown.forget_scribe()
        {
            let mut due = self.due.take();
            due.iter_mut().for_each(|due| due.forget_scribe());
            let rest = Self { body: std::mem::take(&mut self.body), due };
            scribe.inherit(Object::SortedSet(rest));
        }
    }
}

impl fmt::Debug for Zset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn new_block((member, score): (&[u8], f64)) -> Block {
    Block::new(member, score)
}

fn blocks(compact: &Compact) -> impl Iterator<Item = Block> {
    compact.walk(0, usize::MAX, false).map(new_block)
}
