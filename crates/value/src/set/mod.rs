//! Sets: distinct items, unordered
//!
//! A set of integers starts as a sorted array (`intset`), another small one is a packed run
//! (`listpack`), a big one a table of cells (`hashtable`), where an integer of up to 47 bits lives in
//! the table itself. When to change is Redis's rule, exactly; a set never goes back by itself.

mod batch;
mod intset;

use std::sync::Arc;

use crate::Object;
use crate::cut::{Element, Scribe};
use crate::item::Item;
use crate::packed::{self, Corrupt, Packed, Run};
use crate::seed;
use crate::timed::Timed;
pub use batch::Batch;
use intset::Intset;

/// The set options that decide encodings; each is a count or a length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLimits {
    /// `set-max-intset-entries`
    pub max_intset_entries: usize,
    /// `set-max-listpack-entries`
    pub max_listpack_entries: usize,
    /// `set-max-listpack-value`
    pub max_listpack_value: usize,
}

impl Default for SetLimits {
    fn default() -> Self {
        SetLimits { max_intset_entries: 512, max_listpack_entries: 128, max_listpack_value: 64 }
    }
}

/// Most integers of an intset, whatever the option says.
const MAX_INTSET: usize = 1 << 28;

/// A set of items.
#[derive(Clone)]
pub struct Set(Form);

#[derive(Clone)]
enum Form {
    Ints(Intset),
    Packed(Packed<false>),
    Cells(Box<Timed<1>>),
}

impl Default for Set {
    fn default() -> Self {
        Self::new()
    }
}

impl Set {
    /// An empty set of integers; holds no heap memory. What SINTERSTORE and its like start with.
    pub const fn new() -> Self {
        Set(Form::Ints(Intset::new()))
    }

    /// An empty set in the encoding that Redis gives one that `count` items will be added to, the
    /// first of which is `first`.
    pub fn for_items(first: Item<'_>, count: usize, limits: SetLimits) -> Self {
        if first.as_int().is_some() && count <= limits.max_intset_entries {
            Set::new()
        } else if count <= limits.max_listpack_entries {
            Set(Form::Packed(Packed::new()))
        } else {
            let mut set = Set(Form::Cells(Box::default()));
            set.reserve(count);
            set
        }
    }

    /// Makes room for so many members in all, if the set is a table already. For whoever knows how many are
    /// to come.
    pub fn reserve(&mut self, members: usize) {
        if let Form::Cells(cells) = &mut self.0 {
            cells.reserve(members);
        }
    }

    /// Gives back what was reserved for members that did not come.
    pub fn fit(&mut self) {
        if let Form::Cells(cells) = &mut self.0 {
            cells.fit();
        }
    }

    /// Chooses the encoding of an existing set before a command adds `count` items.
    pub fn before_growth(&mut self, count: usize, limits: SetLimits) {
        let most = match &self.0 {
            Form::Ints(_) => limits.max_intset_entries,
            Form::Packed(_) => limits.max_listpack_entries,
            Form::Cells(_) => return,
        };
        if count > most {
            self.make_cells();
        }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Ints(ints) => ints.len(),
            Form::Packed(packed) => packed.count(),
            Form::Cells(cells) => cells.cells().len(),
        }
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The encoding's name: `intset`, `listpack` or `hashtable`.
    pub fn encoding(&self) -> &'static str {
        match &self.0 {
            Form::Ints(_) => "intset",
            Form::Packed(_) => "listpack",
            Form::Cells(_) => "hashtable",
        }
    }

    /// Heap memory held, in bytes; exact and O(1).
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Ints(ints) => ints.heap_bytes(),
            Form::Packed(packed) => packed.heap_bytes(),
            Form::Cells(cells) => cells.heap_bytes(),
        }
    }

    /// How many heap blocks dropping the set frees, at most about.
    pub fn free_cost(&self) -> usize {
        match &self.0 {
            Form::Ints(_) | Form::Packed(_) => 1,
            Form::Cells(cells) => cells.cells().len(),
        }
    }

    fn make_cells(&mut self) {
        let mut cells = Box::<Timed<1>>::default();
        cells.reserve(self.len() + self.len() / 2);
        self.iter().for_each(|item| cells.insert([item], None));
        self.0 = Form::Cells(cells);
    }

    fn make_packed(&mut self) {
        let mut packed = Packed::new();
        self.iter().for_each(|item| packed.push_back(item));
        self.0 = Form::Packed(packed);
    }

    /// Turns a set of nothing but integers into an intset if it may be one; what Redis does with a
    /// stored intersection.
    pub fn make_intset(&mut self, limits: SetLimits) {
        if matches!(self.0, Form::Ints(_)) || self.len() > limits.max_intset_entries.min(MAX_INTSET)
        {
            return;
        }
        let mut ints: Vec<i64> = self.iter().map_while(Item::as_int).collect();
        if ints.len() == self.len() {
            ints.sort_unstable();
            let mut set = Intset::new();
            ints.into_iter().for_each(|int| {
                set.insert(int);
            });
            self.0 = Form::Ints(set);
        }
    }

    /// Adds `item`; false if it was there.
    pub fn insert(&mut self, item: Item<'_>, limits: SetLimits) -> bool {
        match &mut self.0 {
            Form::Ints(ints) => {
                let Item::Int(int) = item else { return self.insert_text(item, limits) };
                let added = ints.insert(int);
                if ints.len() > limits.max_intset_entries.min(MAX_INTSET) {
                    self.make_cells();
                }
                added
            }
            Form::Packed(packed) => {
                if packed.view().find(1, item).is_some() {
                    return false;
                }
                let len = item.text_len();
                if packed.count() < limits.max_listpack_entries
                    && len <= limits.max_listpack_value
                    && packed.byte_len() + len < packed::MAX_RUN_LEN
                {
                    packed.push_back(item);
                } else {
                    self.make_cells();
                    self.insert(item, limits);
                }
                true
            }
            Form::Cells(cells) => {
                let hash = seed::hash(item);
                let absent = cells.cells().find_hashed(item, hash).is_none();
                if absent {
                    cells.insert_hashed(hash, [item], None);
                }
                absent
            }
        }
    }

    /// Adds the first text to a set of integers.
    fn insert_text(&mut self, item: Item<'_>, limits: SetLimits) -> bool {
        let Form::Ints(ints) = &self.0 else { return false };
        let ends = [ints.get(0), ints.len().checked_sub(1).and_then(|last| ints.get(last))];
        let widest = ends.into_iter().flatten().map(|int| Item::Int(int).text_len()).max();
        let len = item.text_len();
        if ints.len() < limits.max_listpack_entries
            && len.max(widest.unwrap_or(0)) <= limits.max_listpack_value
            && len < packed::MAX_RUN_LEN / 2
        {
            self.make_packed();
        } else {
            self.make_cells();
        }
        match &mut self.0 {
            Form::Packed(packed) => packed.push_back(item),
            Form::Cells(cells) => cells.insert([item], None),
            Form::Ints(_) => return false,
        }
        true
    }

    /// Removes `item`; false if it was not there.
    pub fn remove(&mut self, item: Item<'_>) -> bool {
        match &mut self.0 {
            Form::Ints(ints) => item.as_int().is_some_and(|int| ints.remove(int)),
            Form::Packed(packed) => {
                let Some(start) = packed.view().find(1, item) else { return false };
                let mut entries = packed::Entries::<false>::from_offset(packed.run(), start);
                entries.next();
                let end = entries.offset();
                packed.remove(start, end, 1);
                true
            }
            Form::Cells(cells) => match cells.cells().find(item) {
                Some(slot) => {
                    cells.remove(slot);
                    true
                }
                None => false,
            },
        }
    }

    /// Whether `item` is a member.
    #[inline]
    pub fn contains(&self, item: Item<'_>) -> bool {
        match &self.0 {
            Form::Ints(ints) => item.as_int().is_some_and(|int| ints.contains(int)),
            Form::Packed(packed) => packed.view().find(1, item).is_some(),
            Form::Cells(cells) => cells.get(item).is_some(),
        }
    }

    /// When `item` expires, in Unix milliseconds; `None` if it does not, or is no member.
    pub fn deadline(&self, item: Item<'_>) -> Option<i64> {
        match &self.0 {
            Form::Cells(cells) => cells.get(item)?.deadline(),
            _ => None,
        }
    }

    /// Sets or clears the deadline of `item`; false if it is no member. Only the table has room for
    /// deadlines.
    pub fn set_deadline(&mut self, item: Item<'_>, deadline: Option<i64>) -> bool {
        if !matches!(self.0, Form::Cells(_)) {
            if !self.contains(item) {
                return false;
            }
            if deadline.is_some() {
                self.make_cells();
            }
        }
        match &mut self.0 {
            Form::Cells(cells) => {
                let slot = cells.cells().find(item);
                slot.inspect(|slot| cells.set_deadline(*slot, deadline)).is_some()
            }
            _ => true,
        }
    }

    /// The earliest deadline of any member.
    pub fn next_expiry(&self) -> Option<i64> {
        match &self.0 {
            Form::Cells(cells) => cells.next_expiry(),
            _ => None,
        }
    }

    /// Removes up to `limit` members whose deadline lies before `now`, showing each to `f` first;
    /// returns how many. Fewer than `limit` means that no due member is left.
    pub fn expire_due(&mut self, now: i64, limit: usize, mut f: impl FnMut(Item<'_>)) -> usize {
        match &mut self.0 {
            Form::Cells(cells) => cells.expire_due(now, limit, |view| f(view.first())),
            _ => 0,
        }
    }

    /// All members, integers of an intset in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Item<'_>> {
        let (ints, packed, cells) = match &self.0 {
            Form::Ints(ints) => (Some(ints), None, None),
            Form::Packed(packed) => (None, Some(packed), None),
            Form::Cells(cells) => (None, None, Some(cells)),
        };
        let ints = ints.into_iter().flat_map(|ints| ints.iter().map(Item::Int));
        let packed = packed.into_iter().flat_map(|packed| packed.view().iter());
        let cells =
            cells.into_iter().flat_map(|cells| cells.cells().iter().map(|view| view.first()));
        ints.chain(packed).chain(cells)
    }

    /// A member, each with the same probability, given 64 random bits; `None` for an empty set.
    pub fn random(&self, word: u64) -> Option<Item<'_>> {
        match &self.0 {
            Form::Ints(ints) => ints.get(pick(word, ints.len())).map(Item::Int),
            Form::Packed(packed) => {
                let start = packed.view().offset_of(pick(word, packed.count()))?;
                packed::Entries::<false>::from_offset(packed.run(), start).next()
            }
            Form::Cells(cells) => cells.cells().random(word).map(|view| view.first()),
        }
    }

    /// Removes a random member after giving it to `f`; `None` for an empty set.
    pub fn pop_random<R>(&mut self, word: u64, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        match &mut self.0 {
            Form::Ints(ints) => {
                let int = ints.get(pick(word, ints.len()))?;
                ints.remove(int);
                Some(f(Item::Int(int)))
            }
            Form::Packed(packed) => {
                let start = packed.view().offset_of(pick(word, packed.count()))?;
                let mut entries = packed::Entries::<false>::from_offset(packed.run(), start);
                let result = f(entries.next()?);
                let end = entries.offset();
                packed.remove(start, end, 1);
                Some(result)
            }
            Form::Cells(cells) => {
                let slot = cells.cells().random_slot(word)?;
                let result = f(cells.cells().view(slot).first());
                cells.remove(slot);
                Some(result)
            }
        }
    }

    /// Visits about `count` members from `cursor` on (0 starts) and returns the cursor to go on
    /// with, 0 at the end; a small set is visited at once. A member that is there throughout the
    /// whole scan is visited at least once, whatever else changes meanwhile.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(Item<'_>)) -> u64 {
        match &self.0 {
            Form::Cells(cells) => cells.cells().scan(cursor, count, |view| visit(view.first())),
            _ => {
                self.iter().for_each(visit);
                0
            }
        }
    }

    /// Whether the set can be taken in parts: see [`crate::cut`].
    pub(crate) fn has_parts(&self) -> bool {
        matches!(self.0, Form::Cells(_))
    }

    pub(crate) fn scribe(&self) -> Option<&Arc<dyn Scribe>> {
        if let Form::Cells(cells) = &self.0 { cells.scribe() } else { None }
    }

    pub(crate) fn begin_cut(&mut self, scribe: Arc<dyn Scribe>) {
        if let Form::Cells(cells) = &mut self.0 {
            let to_value = |cells| Object::Set(Self(Form::Cells(Box::new(cells))));
            cells.begin_cut(scribe, to_value);
        }
    }

    pub(crate) fn show_some(&mut self, most: usize, f: &mut dyn FnMut(Element<'_>)) -> bool {
        if let Form::Cells(cells) = &mut self.0 { cells.show_some(most, f) } else { true }
    }

    /// The set as it goes into a snapshot.
    pub fn form(&self) -> SetForm<'_> {
        match &self.0 {
            Form::Ints(ints) => SetForm::Intset(Blob(BlobOf::Ints(ints))),
            Form::Packed(packed) => SetForm::Listpack(Blob(BlobOf::Packed(packed.view()))),
            Form::Cells(_) => SetForm::Members,
        }
    }

    /// Reads an intset from a snapshot, checking it; converts it where the limits are exceeded.
    pub fn from_intset(bytes: &[u8], limits: SetLimits) -> Result<Self, Corrupt> {
        let mut set = Set(Form::Ints(Intset::read(bytes)?));
        if set.len() > limits.max_intset_entries.min(MAX_INTSET) {
            set.make_cells();
        }
        Ok(set)
    }

    /// Reads a listpack from a snapshot, checking it and that no member is there twice; converts it
    /// where there are more members than the limits allow.
    pub fn from_listpack(bytes: &[u8], limits: SetLimits) -> Result<Self, Corrupt> {
        let packed = Packed::from_listpack(bytes)?;
        packed::check_distinct(bytes, 1)?;
        let mut set = Set(Form::Packed(packed));
        if set.len() > limits.max_listpack_entries {
            set.make_cells();
        }
        Ok(set)
    }
}

/// Which of `count` things the random `word` picks, each with the same probability.
pub(crate) fn pick(word: u64, count: usize) -> usize {
    ((u128::from(word) * count as u128) >> 64) as usize
}

/// What of a set goes into a snapshot.
pub enum SetForm<'a> {
    /// Redis's intset.
    Intset(Blob<'a>),
    /// Redis's listpack.
    Listpack(Blob<'a>),
    /// The members one by one.
    Members,
}

/// A collection whose memory is its snapshot form.
pub struct Blob<'a>(BlobOf<'a>);

enum BlobOf<'a> {
    Ints(&'a Intset),
    Packed(Run<'a>),
}

impl Blob<'_> {
    /// Appends the form's bytes to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self.0 {
            BlobOf::Ints(ints) => ints.write(out),
            BlobOf::Packed(packed) => packed.write_listpack(out),
        }
    }
}

#[cfg(test)]
mod tests;
