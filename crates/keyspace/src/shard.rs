use crate::db::Db;
use crate::era::Era;
use crate::marks::Marks;

/// Where a walk that shows entries to a witness goes on in a shard.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    database: usize,
    position: u32,
}

/// A large entry is about to be shown, which takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Large;

/// From how many elements on a value is large: working through it takes about a millisecond.
pub const LARGE: usize = 10_000;

/// What one lock guards: a part of every database.
///
/// The order of the fields keeps what a lookup in the first database needs in the line of the lock (see
/// `keyspace::Cell`).
#[repr(C)]
pub struct Shard {
    /// What clients have attached to keys.
    pub marks: Marks,
    first: Db,
    others: Vec<Option<Box<Db>>>,
    born_ms: i64,
    era: Era,
}

impl Shard {
    pub(crate) fn new(now_ms: i64) -> Self {
        Self {
            marks: Marks::default(),
            first: Db::new(now_ms),
            others: Vec::new(),
            born_ms: now_ms,
            era: Era::default(),
        }
    }

    /// Begins an era, or ends the part of its witness in it.
    pub(crate) fn set_era(&mut self, era: Era) {
        self.dbs_mut().for_each(|(_, db)| db.set_era(&era));
        self.era = era;
    }

    pub(crate) fn era(&self) -> &Era {
        &self.era
    }

    /// Shows entries to the witness from a place on, some `most`; gives the place to go on from. At the
    /// end the witness has seen all that it is to see of this shard, and is forgotten here.
    ///
    /// # Errors
    /// Unless `large`, when one of the entries is, and so takes long: nothing is shown then.
    pub fn show_some(
        &mut self,
        place: Place,
        most: usize,
        large: bool,
    ) -> Result<Option<Place>, Large> {
        if self.era.witness.is_none() {
            return Ok(None);
        }
        if place.database > self.others.len() {
            self.set_era(Era { witness: None, ..self.era });
            return Ok(None);
        }
        let next = match self.db(place.database) {
            Some(_) => self.db_mut(place.database).show_some(place.position, most, large)?,
            None => None,
        };
        Ok(Some(match next {
            Some(position) => Place { position, ..place },
            None => Place { database: place.database + 1, position: 0 },
        }))
    }

    /// The shard's part of database `index` (the physical one, see `Keyspace::resolve`), if it was ever
    /// written to.
    #[inline]
    pub fn db(&self, index: usize) -> Option<&Db> {
        match index {
            0 => Some(&self.first),
            _ => self.others.get(index - 1)?.as_deref(),
        }
    }

    /// The shard's part of database `index`, made when it is not there yet.
    #[inline]
    pub fn db_mut(&mut self, index: usize) -> &mut Db {
        self.db_and_marks(index).0
    }

    /// The shard's part of database `index`, and what is attached to its keys.
    #[inline]
    pub fn db_and_marks(&mut self, index: usize) -> (&mut Db, &mut Marks) {
        let db = match index {
            0 => &mut self.first,
            _ => other(&mut self.others, index, self.born_ms, &self.era),
        };
        (db, &mut self.marks)
    }

    /// All databases' parts for writing, by physical index, and what is attached to their keys.
    pub fn dbs_and_marks(&mut self) -> (impl Iterator<Item = (usize, &mut Db)>, &mut Marks) {
        let numbered = (1..).zip(&mut self.others);
        let others = numbered.filter_map(|(index, db)| Some((index, db.as_deref_mut()?)));
        (std::iter::once((0, &mut self.first)).chain(others), &mut self.marks)
    }

    /// Takes a database's part away, leaving an empty one. What a snapshot has not seen of it, it sees
    /// when the part is dropped.
    pub fn take(&mut self, index: usize) -> Db {
        let empty = Db::in_era(self.born_ms, index, self.era.clone());
        if self.db(index).is_none() {
            return empty;
        }
        std::mem::replace(self.db_mut(index), empty)
    }

    /// All databases' parts, by physical index.
    pub fn dbs(&self) -> impl Iterator<Item = (usize, &Db)> {
        let numbered = (1..).zip(&self.others);
        let others = numbered.filter_map(|(index, db)| Some((index, db.as_deref()?)));
        std::iter::once((0, &self.first)).chain(others)
    }

    /// All databases' parts for writing.
    pub fn dbs_mut(&mut self) -> impl Iterator<Item = (usize, &mut Db)> {
        self.dbs_and_marks().0
    }
}

/// The part of the physical database `index`, which is not the first.
fn other<'s>(
    others: &'s mut Vec<Option<Box<Db>>>,
    index: usize,
    born_ms: i64,
    era: &Era,
) -> &'s mut Db {
    if others.len() < index {
        others.reserve_exact(index - others.len());
        others.resize_with(index, || None);
    }
    others[index - 1].get_or_insert_with(|| Box::new(Db::in_era(born_ms, index, era.clone())))
}
