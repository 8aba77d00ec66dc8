use crate::db::Db;
use crate::era::Era;
use crate::marks::Marks;

/// Where a walk that shows entries to a witness goes on in a shard.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    database: usize,
    position: u32,
}

/// What one lock guards: a part of every database.
pub struct Shard {
    /// What clients have attached to keys.
    pub marks: Marks,
    dbs: Vec<Db>,
    born_ms: i64,
    era: Era,
}

impl Shard {
    pub(crate) fn new(now_ms: i64) -> Self {
        Self { marks: Marks::default(), dbs: Vec::new(), born_ms: now_ms, era: Era::default() }
    }

    /// Begins an era, or ends the part of its witness in it.
    pub(crate) fn set_era(&mut self, era: Era) {
        self.dbs.iter_mut().for_each(|db| db.set_era(&era));
        self.era = era;
    }

    pub(crate) fn era(&self) -> &Era {
        &self.era
    }

    /// Shows entries to the witness from a place on, some `most`; gives the place to go on from. At the
    /// end the witness has seen all that it is to see of this shard, and is forgotten here.
    pub fn show_some(&mut self, place: Place, most: usize) -> Option<Place> {
        self.era.witness.as_ref()?;
        let Some(db) = self.dbs.get_mut(place.database) else {
            self.set_era(Era { witness: None, ..self.era });
            return None;
        };
        Some(match db.show_some(place.position, most) {
            Some(position) => Place { position, ..place },
            None => Place { database: place.database + 1, position: 0 },
        })
    }

    /// The shard's part of database `index` (the physical one, see `Keyspace::resolve`), if it was ever
    /// written to.
    pub fn db(&self, index: usize) -> Option<&Db> {
        self.dbs.get(index)
    }

    /// The shard's part of database `index`, made when it is not there yet.
    pub fn db_mut(&mut self, index: usize) -> &mut Db {
        if self.dbs.len() <= index {
            for number in self.dbs.len()..=index {
                self.dbs.push(Db::in_era(self.born_ms, number, self.era.clone()));
            }
        }
        &mut self.dbs[index]
    }

    /// The shard's part of database `index`, and what is attached to its keys.
    pub fn db_and_marks(&mut self, index: usize) -> (&mut Db, &mut Marks) {
        self.db_mut(index);
        (&mut self.dbs[index], &mut self.marks)
    }

    /// All databases' parts for writing, and what is attached to their keys.
    pub fn dbs_and_marks(&mut self) -> (&mut [Db], &mut Marks) {
        (&mut self.dbs, &mut self.marks)
    }

    /// Takes a database's part away, leaving an empty one. What a snapshot has not seen of it, it sees
    /// when the part is dropped.
    pub fn take(&mut self, index: usize) -> Db {
        let empty = Db::in_era(self.born_ms, index, self.era.clone());
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
}
