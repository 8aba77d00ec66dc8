use command::{Database, Error};
use keyspace::{EntryRef, Key, Value};
use value::set::Set;
use value::zset::Zset;
use value::{Item, ObjectRef};

/// A set to combine. Members of plain sets have score 1.
pub enum Source<'a> {
    Absent,
    Sorted(&'a Zset),
    Plain(&'a Set),
}

impl<'a> Source<'a> {
    /// The set at `key`, looked up for reading.
    ///
    /// # Errors
    /// When the key holds neither a sorted set nor a set.
    pub fn get(db: &'a mut Database<'_>, key: Key<'_>) -> Result<Self, Error> {
        Self::of(db.get(key))
    }

    /// The set at `key`, looked up without a trace: `get` has left one.
    ///
    /// # Errors
    /// When the key holds neither a sorted set nor a set.
    pub fn peek(db: &'a mut Database<'_>, key: Key<'_>) -> Result<Self, Error> {
        Self::of(db.peek(key))
    }

    fn of(entry: Option<EntryRef<'a>>) -> Result<Self, Error> {
        match entry.map(|entry| entry.value()) {
            None => Ok(Self::Absent),
            Some(Value::Object(ObjectRef::SortedSet(zset))) => Ok(Self::Sorted(zset)),
            Some(Value::Object(ObjectRef::Set(set))) => Ok(Self::Plain(set)),
            Some(_) => Err(Error::WRONG_TYPE),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Absent => 0,
            Self::Sorted(zset) => zset.len(),
            Self::Plain(set) => set.len(),
        }
    }

    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Absent => None,
            Self::Sorted(zset) => zset.score(member),
            Self::Plain(set) => set.contains(Item::parse(member)).then_some(1.0),
        }
    }

    pub fn for_each(&self, mut f: impl FnMut(&[u8], f64)) {
        match self {
            Self::Absent => {}
            Self::Sorted(zset) => zset.iter().for_each(|(member, score)| f(member, score)),
            Self::Plain(set) => set.iter().for_each(|item| item.with_bytes(|text| f(text, 1.0))),
        }
    }
}
