//! Hashes for commands that write a reply while they hold one.

use command::{Database, Error};
use config::KeyspaceEvents;
use keyspace::Key;
use value::hash::Hash;

/// Gives the hash at `key`, if there is one, to `work`, for reading.
///
/// # Errors
/// When the key holds another type.
pub(super) fn read<R>(
    db: &mut Database<'_>,
    key: Key<'_>,
    work: impl FnOnce(Option<&Hash>) -> R,
) -> Result<R, Error> {
    db.read::<Hash>(key).map(work)
}

/// The same for writing. Whoever empties the hash removes it.
pub(super) fn write<R>(
    db: &mut Database<'_>,
    key: Key<'_>,
    work: impl FnOnce(Option<&mut Hash>) -> R,
) -> Result<R, Error> {
    db.write::<Hash>(key).map(work)
}

/// The same, where a hash that is not there is made.
pub(super) fn write_or_make<R>(
    db: &mut Database<'_>,
    key: Key<'_>,
    work: impl FnOnce(&mut Hash) -> R,
) -> Result<R, Error> {
    db.write_or_make(key, Hash::new).map(work)
}

/// Removes a hash that a command has emptied.
pub(super) fn remove_if_empty(db: &mut Database<'_>, key: Key<'_>) {
    if db.remove_if_empty::<Hash>(key) {
        db.notify(key, KeyspaceEvents::GENERIC, "del");
    }
}
