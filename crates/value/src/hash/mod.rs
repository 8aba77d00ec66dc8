//! Hashes: fields with a value each, and for some a deadline
//!
//! A small hash is a packed run of pairs (`listpack`), or of triples once a field has had a deadline
//! (`listpackex`); a big one is a table of cells (`hashtable`). When to change is Redis's rule.
//!
//! A hash knows no clock: a field past its deadline is there until [`Hash::expire_due`] takes it.
//! Whoever reads calls that first where [`Hash::next_expiry`] lies before the command's time, or
//! filters by [`Field::is_due`]. Deadlines are Unix times in milliseconds and at least 1.

mod fields;
mod run;

use std::sync::Arc;

use crate::Object;
use crate::cut::{Element, Scribe};
use crate::item::Item;
use crate::packed::word::{Kind, View, ViewMut, Word};
use crate::packed::{self, Corrupt, Packed, Run};
use crate::set::pick;
use fields::Fields;
use run::Groups;

/// The hash options that decide encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashLimits {
    /// `hash-max-listpack-entries`: most fields of a packed hash.
    pub max_listpack_entries: usize,
    /// `hash-max-listpack-value`: longest field or value of one, in bytes.
    pub max_listpack_value: usize,
}

impl Default for HashLimits {
    fn default() -> Self {
        HashLimits { max_listpack_entries: 128, max_listpack_value: 64 }
    }
}

/// A field as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The field's name.
    pub name: Item<'a>,
    /// Its value.
    pub value: Item<'a>,
    /// When it expires, in Unix milliseconds.
    pub deadline: Option<i64>,
}

impl Field<'_> {
    /// Whether the field's deadline lies before `now`.
    pub fn is_due(&self, now: i64) -> bool {
        self.deadline.is_some_and(|deadline| deadline < now)
    }
}

/// What becomes of a field's deadline when its value is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// It goes: HSET.
    Clear,
    /// It stays: HINCRBY.
    Keep,
    /// It becomes this, in Unix milliseconds: HSETEX.
    At(i64),
}

impl Ttl {
    fn resolve(self, old: Option<i64>) -> Option<i64> {
        match self {
            Ttl::Clear => None,
            Ttl::Keep => old,
            Ttl::At(deadline) => Some(deadline),
        }
    }
}

/// Whether setting a field made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The field is new.
    Created,
    /// The field had a value.
    Updated,
}

/// A map from fields to values.
#[derive(Clone)]
pub struct Hash(Word<Fields>);

/// The two kinds of runs.
const PAIRS: Kind = Kind::First;
const TRIPLES: Kind = Kind::Second;

/// Entries that a field takes in a run.
fn stride(kind: Kind) -> usize {
    if kind == PAIRS { 2 } else { 3 }
}

/// How packed forms are walked, and the table otherwise.
enum Seen<'a> {
    Run(Groups<'a>),
    Table(&'a Fields),
}

impl Default for Hash {
    fn default() -> Self {
        Self::new()
    }
}

impl Hash {
    /// An empty hash; holds no heap memory.
    pub const fn new() -> Self {
        Hash(Word::new())
    }

    fn seen(&self) -> Seen<'_> {
        match self.0.view() {
            View::Run(run, kind) => Seen::Run(Groups::new(run, stride(kind))),
            View::Big(fields) => Seen::Table(fields),
        }
    }

    /// How many fields there are, due ones included.
    pub fn len(&self) -> usize {
        match self.seen() {
            Seen::Run(groups) => groups.len(),
            Seen::Table(fields) => fields.cells().len(),
        }
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The encoding's name: `listpack`, `listpackex` or `hashtable`.
    pub fn encoding(&self) -> &'static str {
        match self.0.view() {
            View::Run(_, PAIRS) => "listpack",
            View::Run(_, TRIPLES) => "listpackex",
            View::Big(_) => "hashtable",
        }
    }

    /// Heap memory held, in bytes; O(1), exact but for the order of deadlines.
    pub fn heap_bytes(&self) -> usize {
        match self.0.view() {
            View::Run(run, _) => run.heap_bytes(),
            View::Big(fields) => fields.heap_bytes(),
        }
    }

    /// How many heap blocks dropping the hash frees, about.
    pub fn free_cost(&self) -> usize {
        match self.0.view() {
            View::Run(..) => 1,
            View::Big(fields) => fields.cells().len(),
        }
    }

    fn make_table(&mut self) {
        let mut table = Box::<Fields>::default();
        table.reserve(self.len() + self.len() / 2);
        self.iter().for_each(|field| table.add(field.name, field.value, field.deadline));
        self.0 = Word::of_big(table);
    }

    fn is_packed(&self) -> bool {
        matches!(self.0.view(), View::Run(..))
    }

    /// Chooses the encoding before a command sets `pairs` fields; the longest text among their names
    /// and values has `longest` bytes.
    pub fn before_growth(&mut self, pairs: usize, longest: usize, limits: HashLimits) {
        let too_large = pairs > limits.max_listpack_entries || longest > limits.max_listpack_value;
        if too_large && self.is_packed() {
            self.make_table();
            if let ViewMut::Big(fields) = self.0.view_mut() {
                fields.reserve(pairs);
            }
        }
    }

    /// Makes room for deadlines, as Redis does before it looks for the fields that are to have one.
    pub fn make_expirable(&mut self) {
        if let View::Run(run, PAIRS) = self.0.view() {
            self.0 = Word::of_run(run::to_triples(run), TRIPLES);
        }
    }

    /// Goes to the table if a text is too long or the run too large for a packed form.
    fn fit(&mut self, name: Item<'_>, value: Item<'_>, limits: HashLimits) {
        if let View::Run(run, _) = self.0.view() {
            let (name, value) = (name.text_len(), value.text_len());
            let long = name.max(value) > limits.max_listpack_value;
            if long || run.bytes.len() + name + value > packed::MAX_RUN_LEN {
                self.make_table();
            }
        }
    }

    /// Sets a field's value and, as `ttl` says, its deadline.
    pub fn set(&mut self, name: Item<'_>, value: Item<'_>, ttl: Ttl, limits: HashLimits) -> Change {
        if matches!(ttl, Ttl::At(_)) {
            self.make_expirable();
        }
        self.fit(name, value, limits);
        let updated = match self.0.view_mut() {
            ViewMut::Run(mut run, kind) => run::set(&mut run, stride(kind), name, value, ttl),
            ViewMut::Big(fields) => fields.set(name, value, ttl),
        };
        if self.is_packed() && self.len() > limits.max_listpack_entries {
            self.make_table();
        }
        if updated { Change::Updated } else { Change::Created }
    }

    /// Sets all fields of an empty hash at once; false, with nothing changed, if that takes one by one: one is
    /// given twice, or the hash is not packed. The run is allocated once.
    pub fn fill<'a>(&mut self, fields: impl Iterator<Item = (Item<'a>, Item<'a>)>) -> bool {
        let View::Run(Run { count: 0, .. }, PAIRS) = self.0.view() else { return false };
        let Some(run) = run::of_distinct(fields) else { return false };
        self.0 = Word::of_run(run, PAIRS);
        true
    }

    /// Sets a field that is not there; false if it is.
    pub fn set_if_absent(&mut self, name: Item<'_>, value: Item<'_>, limits: HashLimits) -> bool {
        let absent = !self.contains(name);
        if absent {
            self.set(name, value, Ttl::Clear, limits);
        }
        absent
    }

    /// The field called `name`.
    #[inline]
    pub fn field(&self, name: Item<'_>) -> Option<Field<'_>> {
        match self.seen() {
            Seen::Run(groups) => groups.get(name),
            Seen::Table(fields) => fields.get(name),
        }
    }

    /// The value of the field called `name`.
    #[inline]
    pub fn get(&self, name: Item<'_>) -> Option<Item<'_>> {
        self.field(name).map(|field| field.value)
    }

    /// Whether there is a field called `name`.
    pub fn contains(&self, name: Item<'_>) -> bool {
        self.field(name).is_some()
    }

    /// Removes a field; false if there is none.
    pub fn remove(&mut self, name: Item<'_>) -> bool {
        self.take(name, |_| ()).is_some()
    }

    /// Removes a field after giving it to `f`; `None` if there is none.
    pub fn take<R>(&mut self, name: Item<'_>, f: impl FnOnce(Field<'_>) -> R) -> Option<R> {
        match self.0.view_mut() {
            ViewMut::Run(mut run, kind) => run::take(&mut run, stride(kind), name, f),
            ViewMut::Big(fields) => fields.take(name, f),
        }
    }

    /// Sets or clears a field's deadline; false if there is no such field.
    pub fn set_deadline(&mut self, name: Item<'_>, deadline: Option<i64>) -> bool {
        if deadline.is_some() {
            self.make_expirable();
        }
        match self.0.view_mut() {
            ViewMut::Run(run, PAIRS) => Groups::new(run.view(), 2).get(name).is_some(),
            ViewMut::Run(mut run, TRIPLES) => run::set_deadline(&mut run, name, deadline),
            ViewMut::Big(fields) => fields.set_deadline(name, deadline),
        }
    }

    /// The earliest deadline of any field.
    pub fn next_expiry(&self) -> Option<i64> {
        match self.seen() {
            Seen::Run(groups) => groups.next_expiry(),
            Seen::Table(fields) => fields.next_expiry(),
        }
    }

    /// Removes up to `limit` fields whose deadline lies before `now`, giving each to `on_field`
    /// first; returns how many. Fewer than `limit` means that no due field is left.
    pub fn expire_due(
        &mut self,
        now: i64,
        limit: usize,
        mut on_field: impl FnMut(Field<'_>),
    ) -> usize {
        match self.0.view_mut() {
            ViewMut::Run(_, PAIRS) => 0,
            ViewMut::Run(mut run, TRIPLES) => run::expire_due(&mut run, now, limit, &mut on_field),
            ViewMut::Big(fields) => fields.expire_due(now, limit, &mut on_field),
        }
    }

    /// All fields, due ones included; those of a packed hash in the order of their making.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        let (run, table) = match self.seen() {
            Seen::Run(groups) => (Some(groups), None),
            Seen::Table(fields) => (None, Some(fields.cells())),
        };
        let run = run.into_iter().flat_map(Groups::iter);
        run.chain(table.into_iter().flat_map(|cells| cells.iter().map(fields::field)))
    }

    /// A field, each with the same probability, given 64 random bits; `None` for an empty hash.
    pub fn random(&self, word: u64) -> Option<Field<'_>> {
        match self.seen() {
            Seen::Run(groups) => groups.at(pick(word, groups.len())),
            Seen::Table(fields) => fields.cells().random(word).map(fields::field),
        }
    }

    /// Visits about `count` fields from `cursor` on (0 starts) and returns the cursor to go on with,
    /// 0 at the end; a packed hash is visited at once. A field that is there throughout the whole
    /// scan is visited at least once, whatever else changes meanwhile.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(Field<'_>)) -> u64 {
        match self.seen() {
            Seen::Table(fields) => {
                fields.cells().scan(cursor, count, |view| visit(fields::field(view)))
            }
            Seen::Run(groups) => {
                groups.iter().for_each(visit);
                0
            }
        }
    }

    /// Whether the hash can be taken in parts: see [`crate::cut`].
    pub(crate) fn has_parts(&self) -> bool {
        matches!(self.0.view(), View::Big(_))
    }

    pub(crate) fn scribe(&self) -> Option<&Arc<dyn Scribe>> {
        match self.0.view() {
            View::Run(..) => None,
            View::Big(fields) => fields.timed().scribe(),
        }
    }

    pub(crate) fn begin_cut(&mut self, scribe: Arc<dyn Scribe>) {
        if let ViewMut::Big(fields) = self.0.view_mut() {
            let to_value = |fields| Object::Hash(Self(Word::of_big(Box::new(Fields::of(fields)))));
            fields.timed_mut().begin_cut(scribe, to_value);
        }
    }

    pub(crate) fn show_some(&mut self, most: usize, f: &mut dyn FnMut(Element<'_>)) -> bool {
        match self.0.view_mut() {
            ViewMut::Run(..) => true,
            ViewMut::Big(fields) => fields.timed_mut().show_some(most, f),
        }
    }

    /// Appends the listpack of a packed hash to `out`: pairs, or triples by ascending deadline with
    /// those without one (0) behind, as Redis wants them. False for a table, whose fields are to be
    /// written singly.
    pub fn write_listpack(&self, out: &mut Vec<u8>) -> bool {
        match self.0.view() {
            View::Run(run, PAIRS) => run.write_listpack(out),
            View::Run(run, TRIPLES) => run::by_deadline(run).view().write_listpack(out),
            View::Big(_) => return false,
        }
        true
    }

    /// Reads a listpack of pairs from a snapshot, or of triples `with_deadlines`, checking it and that
    /// no field is there twice; converts it where there are more fields than the limits allow.
    pub fn from_listpack(
        bytes: &[u8],
        with_deadlines: bool,
        limits: HashLimits,
    ) -> Result<Self, Corrupt> {
        let packed = Packed::from_listpack(bytes)?;
        let stride = if with_deadlines { 3 } else { 2 };
        if !packed.count().is_multiple_of(stride) {
            return Err(Corrupt { offset: bytes.len() });
        }
        packed::check_distinct(bytes, stride)?;
        let deadlines = packed.iter().skip(2).step_by(3);
        let negative = |deadline: Item<'_>| deadline.as_int().is_none_or(|int| int < 0);
        if with_deadlines && deadlines.into_iter().any(negative) {
            return Err(Corrupt { offset: bytes.len() });
        }
        let kind = if with_deadlines { TRIPLES } else { PAIRS };
        let mut hash = Hash(Word::of_run(packed, kind));
        if hash.len() > limits.max_listpack_entries {
            hash.make_table();
        }
        Ok(hash)
    }
}

#[cfg(test)]
mod tests;
