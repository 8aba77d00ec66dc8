//! Some members at a time, so that their trips to memory are one.

use smallvec::SmallVec;

use super::{Form, Set, SetLimits};
use crate::item::Item;
use crate::packed::cells::Cells;
use crate::seed;

/// Members of a batch at most.
const AHEAD: usize = 16;

/// Members that are looked for or added together, with their hashes.
pub struct Batch<'a>(SmallVec<[(u32, Item<'a>); AHEAD]>);

impl<'a> Batch<'a> {
    /// All members in batches.
    pub fn all(mut members: impl Iterator<Item = Item<'a>>) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || {
            let members = members.by_ref().take(AHEAD);
            let batch: SmallVec<_> = members.map(|member| (seed::hash(member), member)).collect();
            (!batch.is_empty()).then_some(Self(batch))
        })
    }

    /// The members.
    pub fn into_items(self) -> impl Iterator<Item = Item<'a>> {
        self.0.into_iter().map(|(_, item)| item)
    }

    /// Keeps the members that `set` has.
    pub fn keep(&mut self, set: &Set) {
        self.retain(set, true);
    }

    /// Keeps the members that `set` has not.
    pub fn strike(&mut self, set: &Set) {
        self.retain(set, false);
    }

    fn retain(&mut self, set: &Set, wanted: bool) {
        match &set.0 {
            Form::Cells(cells) => {
                let cells = cells.cells();
                self.prefetch(cells);
                self.0.retain(|(hash, item)| cells.find_hashed(*item, *hash).is_some() == wanted);
            }
            _ => self.0.retain(|(_, item)| set.contains(*item) == wanted),
        }
    }

    fn prefetch(&self, cells: &Cells<1>) {
        if self.0.len() > 1 {
            cells.prefetch(self.0.iter().map(|(hash, _)| *hash));
        }
    }
}

impl Set {
    /// Adds the members that are not there yet, like [`Set::insert`] one by one.
    pub fn insert_batch(&mut self, batch: &Batch<'_>, limits: SetLimits) {
        if let Form::Cells(cells) = &self.0 {
            batch.prefetch(cells.cells());
        }
        for (hash, item) in &batch.0 {
            match &mut self.0 {
                Form::Cells(cells) => {
                    if cells.cells().find_hashed(*item, *hash).is_none() {
                        cells.insert_hashed(*hash, [*item], None);
                    }
                }
                _ => {
                    self.insert(*item, limits);
                }
            }
        }
    }
}
