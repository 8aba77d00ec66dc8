use crate::db::Db;

/// What one lock guards: a part of every database.
#[derive(Default)]
pub struct Shard {
    dbs: Vec<Db>,
}

impl Shard {
    /// The shard's part of database `index` (the physical one, see `Keyspace::resolve`), if it was ever
    /// written to.
    pub fn db(&self, index: usize) -> Option<&Db> {
        self.dbs.get(index)
    }

    /// The shard's part of database `index`, made when it is not there yet.
    pub fn db_mut(&mut self, index: usize) -> &mut Db {
        if self.dbs.len() <= index {
            self.dbs.resize_with(index + 1, Db::default);
        }
        &mut self.dbs[index]
    }

    /// Takes a database's part away, leaving an empty one.
    pub fn take(&mut self, index: usize) -> Db {
        self.dbs.get_mut(index).map(std::mem::take).unwrap_or_default()
    }

    /// All databases' parts, by physical index.
    pub fn dbs(&self) -> impl Iterator<Item = (usize, &Db)> {
        self.dbs.iter().enumerate()
    }

    /// All databases' parts for writing.
    pub fn dbs_mut(&mut self) -> impl Iterator<Item = (usize, &mut Db)> {
        self.dbs.iter_mut().enumerate()
    }
}
