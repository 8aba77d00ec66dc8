//! Hashes without the fields whose time has come.
//!
//! Each function removes those first, and tells listeners when there were any. A hash that this leaves
//! empty is removed with its key.

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
    let now = db.now_ms();
    // Writing to a hash costs more than reading it while a snapshot is under way.
    match db.read::<Hash>(key)? {
        Some(hash) if has_due(hash, now) => {}
        hash => return Ok(work(hash)),
    }
    let (result, tidied) = tidy(db.write::<Hash>(key)?, now, |hash| work(hash.as_deref()));
    tell(db, key, tidied);
    Ok(result)
}

/// The same for writing. Whoever empties the hash removes it.
pub(super) fn write<R>(
    db: &mut Database<'_>,
    key: Key<'_>,
    work: impl FnOnce(Option<&mut Hash>) -> R,
) -> Result<R, Error> {
    let now = db.now_ms();
    let (result, tidied) = tidy(db.write::<Hash>(key)?, now, work);
    tell(db, key, tidied);
    Ok(result)
}

/// The same, where a hash that is not there is made.
pub(super) fn write_or_make<R>(
    db: &mut Database<'_>,
    key: Key<'_>,
    work: impl FnOnce(&mut Hash) -> R,
) -> Result<R, Error> {
    let now = db.now_ms();
    let hash = db.write_or_make(key, Hash::new)?;
    let removed = remove_due(hash, now);
    let result = work(hash);
    let emptied = removed > 0 && hash.is_empty();
    tell(db, key, Tidied { removed, emptied });
    Ok(result)
}

/// Removes a hash that a command has emptied.
pub(super) fn remove_if_empty(db: &mut Database<'_>, key: Key<'_>) {
    if db.remove_if_empty::<Hash>(key) {
        db.notify(key, KeyspaceEvents::GENERIC, "del");
    }
}

/// What the removal of due fields left.
#[derive(Clone, Copy)]
struct Tidied {
    removed: usize,
    emptied: bool,
}

fn tidy<R>(
    hash: Option<&mut Hash>,
    now: i64,
    work: impl FnOnce(Option<&mut Hash>) -> R,
) -> (R, Tidied) {
    let Some(hash) = hash else { return (work(None), Tidied { removed: 0, emptied: false }) };
    let removed = remove_due(hash, now);
    let tidied = Tidied { removed, emptied: removed > 0 && hash.is_empty() };
    (work(Some(hash).filter(|_| !tidied.emptied)), tidied)
}

fn has_due(hash: &Hash, now: i64) -> bool {
    hash.next_expiry().is_some_and(|first| first < now)
}

fn remove_due(hash: &mut Hash, now: i64) -> usize {
    if has_due(hash, now) { hash.expire_due(now, usize::MAX, |_| ()) } else { 0 }
}

fn tell(db: &mut Database<'_>, key: Key<'_>, Tidied { removed, emptied }: Tidied) {
    if removed == 0 {
        return;
    }
    db.counters().expired_fields.add(removed as u64);
    db.notify(key, KeyspaceEvents::HASH, "hexpired");
    if emptied {
        remove_if_empty(db, key);
    }
}
