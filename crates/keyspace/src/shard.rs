use crate::db::Db;
use crate::marks::Marks;

/// What one lock guards: a part of every database.
pub struct Shard {
    /// What clients have attached to keys.
    pub marks: Marks,
    dbs: Vec<Db>,
    born_ms: i64,
}

impl Shard {
    pub(crate) fn new(now_ms: i64) -> Self {
        Self { marks: Marks::default(), dbs: Vec::new(), born_ms: now_ms }
    }

    /// The shard's part of database `index` (the physical one, see `Keyspace::resolve`), if it was ever
    /// written to.
    pub fn db(&self, index: usize) -> Option<&Db> {
        self.dbs.get(index)
    }

    /// The shard's part of database `index`, made when it is not there yet.
    pub fn db_mut(&mut self, index: usize) -> &mut Db {
        if self.dbs.len() <= index {
            let born_ms = self.born_ms;
            self.dbs.resize_with(index + 1, || Db::new(born_ms));
        }
        &mut self.dbs[index]
    }

    /// The shard's part of database `index`, and what is attached to its keys.
    pub fn db_and_marks(&mut self, index: usize) -> (&mut Db, &mut Marks) {
        self.db_mut(index);
        (&mut self.dbs[index], &mut self.marks)
    }

    /// Takes a database's part away, leaving an empty one.
    pub fn take(&mut self, index: usize) -> Db {
        let empty = Db::new(self.born_ms);
        match self.dbs.get_mut(index) {
            Some(db) => std::mem::replace(db, empty),
            None => empty,
        }
    }

    /// All databases' parts, by physical index.
    pub fn dbs(&self) -> impl Iterator<Item = (usize, &Db)> {
        self.dbs.iter().enumerate()
    }

    /// All databases' parts for writing.
    pub fn dbs_mut(&mut self) -> impl Iterator<Item = (usize, &mut Db)> {
        self.dbs.iter_mut().enumerate()
    }

    /// The same with what is attached to their keys.
    pub fn dbs_and_marks(&mut self) -> (impl Iterator<Item = (usize, &mut Db)>, &mut Marks) {
        (self.dbs.iter_mut().enumerate(), &mut self.marks)
    }
}
