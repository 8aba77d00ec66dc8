//! Cuts: how a snapshot sees every entry as it was at one moment, while others go on changing them.
//!
//! Each entry carries the number of the era in which it was last dealt with. A cut, made behind the closed
//! gate, begins a new era: from then on an entry of an older era is one that the snapshot has not seen, and
//! whoever is about to change it shows it first. Entries made later belong to the new era and are not part of
//! the snapshot. [`crate::Db`] does that before it gives out anything that can be written to, and when a
//! database that was taken away is dropped, so no change can slip by.
//!
//! Without a snapshot this costs one branch per change, on a field beside the table.

use std::sync::Arc;

use crate::entry::EntryMut;

/// How many eras there are, before their numbers begin again. A snapshot that is given up leaves entries of
/// older eras behind: fewer than this may follow each other without a whole one in between.
pub const ERAS: u8 = 16;

/// Who is shown entries before they change.
pub trait Witness: Send + Sync {
    /// This entry of a physical database is about to change, or its turn has come in the walk. Of the entry the witness
    /// changes nothing but whether its value is being taken in parts (see [`value::cut`]), so that seeing one that has
    /// parts is a matter of a moment, however large it is.
    fn see(&self, database: usize, entry: &mut EntryMut<'_>);
}

/// The era that a part of a database lives in.
#[derive(Clone, Default)]
pub(crate) struct Era {
    /// The number that entries get.
    pub(crate) number: u8,
    /// Who is shown entries of other eras, while a snapshot is under way.
    pub(crate) witness: Option<Arc<dyn Witness>>,
}
