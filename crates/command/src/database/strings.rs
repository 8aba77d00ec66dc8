//! Strings of a database.

use keyspace::{Deadline, EntryRef, Key, Payload};
use value::{Kind, Object};

use super::Database;
use crate::error::Error;

impl Database<'_> {
    /// The string at `key`, for reading.
    ///
    /// # Errors
    /// When the key holds another type.
    pub fn get_string(&mut self, key: Key<'_>) -> Result<Option<EntryRef<'_>>, Error> {
        of_kind(self.get(key), Kind::String)
    }

    /// Stores a string in its most compact form.
    pub fn put_string(&mut self, key: Key<'_>, bytes: &[u8], deadline: Deadline) {
        self.put(key, Payload::string(bytes), deadline);
    }

    /// The string at `key` as bytes that can be changed in the middle and grow. `None` when there is
    /// no such key.
    ///
    /// # Errors
    /// When the key holds another type.
    pub fn string_mut(&mut self, key: Key<'_>) -> Result<Option<&mut Vec<u8>>, Error> {
        match self.get_mut(key) {
            None => return Ok(None),
            Some(entry) if entry.kind() != Kind::String => return Err(Error::WRONG_TYPE),
            Some(_) => {}
        }
        Ok(self.held.shard_mut(key.hash()).db_mut(self.physical).string_object(key))
    }

    /// The same, with an empty string made when there is no such key: nobody may see it stay empty.
    ///
    /// # Errors
    /// When the key holds another type.
    pub fn string_mut_or_make(&mut self, key: Key<'_>) -> Result<&mut Vec<u8>, Error> {
        if !self.contains(key) {
            let empty = Payload::Object(Object::String(Vec::new()));
            self.put(key, empty, Deadline::None);
        }
        self.string_mut(key)?.ok_or(Error::WRONG_TYPE)
    }
}

/// Refuses an entry of another type.
fn of_kind(entry: Option<EntryRef<'_>>, kind: Kind) -> Result<Option<EntryRef<'_>>, Error> {
    match entry {
        Some(entry) if entry.kind() != kind => Err(Error::WRONG_TYPE),
        other => Ok(other),
    }
}
