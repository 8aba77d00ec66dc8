use crate::db::Db;
use crate::marks::Marks;

/// What one lock guards: a part of every database.
///
/// The order of the fields keeps what a lookup in the first database needs in the line of the lock (see
/// `keyspace::Cell`).
#[repr(C)]
pub struct Shard {
    /// What clients have attached to keys.
    pub marks: Marks,
    first: Db,
    others: Vec<Db>,
    born_ms: i64,
}

impl Shard {
    pub(crate) fn new(now_ms: i64) -> Self {
        let first = Db::new(now_ms);
        Self { marks: Marks::default(), first, others: Vec::new(), born_ms: now_ms }
    }

    /// The shard's part of database `index` (the physical one, see `Keyspace::resolve`), if it was ever
    /// written to.
    #[inline]
    pub fn db(&self, index: usize) -> Option<&Db> {
        match index {
            0 => Some(&self.first),
            _ => self.others.get(index - 1),
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
            _ => other(&mut self.others, index - 1, self.born_ms),
        };
        (db, &mut self.marks)
    }

    /// All databases' parts for writing, by physical index, and what is attached to their keys.
    pub fn dbs_and_marks(&mut self) -> (impl Iterator<Item = (usize, &mut Db)>, &mut Marks) {
        (std::iter::once(&mut self.first).chain(&mut self.others).enumerate(), &mut self.marks)
    }

    /// Takes a database's part away, leaving an empty one.
    pub fn take(&mut self, index: usize) -> Db {
        let empty = Db::new(self.born_ms);
        if self.db(index).is_none() {
            return empty;
        }
        std::mem::replace(self.db_mut(index), empty)
    }

    /// All databases' parts, by physical index.
    pub fn dbs(&self) -> impl Iterator<Item = (usize, &Db)> {
        std::iter::once(&self.first).chain(&self.others).enumerate()
    }

    /// All databases' parts for writing.
    pub fn dbs_mut(&mut self) -> impl Iterator<Item = (usize, &mut Db)> {
        self.dbs_and_marks().0
    }
}

fn other(others: &mut Vec<Db>, index: usize, born_ms: i64) -> &mut Db {
    if others.len() <= index {
        others.resize_with(index + 1, || Db::new(born_ms));
    }
    &mut others[index]
}
