use keyspace::{Deadline, Key, Payload, Value};
use value::Typed;

use super::{Database, Purpose};
use crate::error::Error;

impl Database<'_> {
    /// The value at `key`, for reading.
    ///
    /// # Errors
    /// When the key holds another type.
    pub fn read<T: Typed>(&mut self, key: Key<'_>) -> Result<Option<&T>, Error> {
        match self.get(key).map(|entry| entry.value()) {
            None => Ok(None),
            Some(Value::Object(object)) => T::of(object).map(Some).ok_or(Error::WRONG_TYPE),
            Some(_) => Err(Error::WRONG_TYPE),
        }
    }

    /// The values at several keys, for reading all at once; an absent key has none.
    ///
    /// # Errors
    /// When a key holds another type.
    pub fn read_many<'k, T: Typed>(
        &mut self,
        keys: impl Iterator<Item = Key<'k>> + Clone,
    ) -> Result<Vec<Option<&T>>, Error> {
        for key in keys.clone() {
            self.read::<T>(key)?;
        }
        // Nothing is expired any more, and nothing changes while the values are borrowed.
        let found = keys.map(|key| {
            let entry = self.held.shard(key.hash()).db(self.physical)?.get(key)?;
            match entry.value() {
                Value::Object(object) => T::of(object),
                _ => None,
            }
        });
        Ok(found.collect())
    }

    /// The value at `key`, for writing. Whoever empties it calls [`Database::remove_if_empty`].
    ///
    /// # Errors
    /// When the key holds another type.
    pub fn write<T: Typed>(&mut self, key: Key<'_>) -> Result<Option<&mut T>, Error> {
        match self.get_mut(key) {
            None => Ok(None),
            Some(entry) => {
                let object = entry.into_object_mut().ok_or(Error::WRONG_TYPE)?;
                T::of_mut(object).map(Some).ok_or(Error::WRONG_TYPE)
            }
        }
    }

    /// The value at `key`, for writing, made by `make` when there is none.
    ///
    /// # Errors
    /// When the key holds another type.
    pub fn write_or_make<T: Typed>(
        &mut self,
        key: Key<'_>,
        make: impl FnOnce() -> T,
    ) -> Result<&mut T, Error> {
        let Some(slot) = self.seek(key, Purpose::WRITE) else {
            self.put(key, Payload::Object(make().into_object()), Deadline::None);
            return self.write(key)?.ok_or(Error::WRONG_TYPE);
        };
        let object = self.open(key, slot, Purpose::WRITE).into_object_mut();
        object.and_then(T::of_mut).ok_or(Error::WRONG_TYPE)
    }

    /// Removes the key when the collection that it holds has become empty; says whether it did.
    pub fn remove_if_empty<T: Typed>(&mut self, key: Key<'_>) -> bool {
        let emptied = match self.peek(key).map(|entry| entry.value()) {
            Some(Value::Object(object)) => T::of(object).is_some_and(T::is_empty),
            _ => false,
        };
        emptied && self.remove(key)
    }
}
