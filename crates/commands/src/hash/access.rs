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
    let (now, logged) = (db.horizon_ms(), db.is_logged());
    // Writing to a hash costs more than reading it while a snapshot is under way.
    match db.read::<Hash>(key)? {
        Some(hash) if has_due(hash, now) => {}
        hash => return Ok(work(hash)),
    }
    let hash = db.write::<Hash>(key)?;
    let (result, tidied) = tidy(hash, now, logged, |hash| work(hash.as_deref()));
    tell(db, key, tidied);
    Ok(result)
}

/// The same for writing. Whoever empties the hash removes it.
pub(super) fn write<R>(
    db: &mut Database<'_>,
    key: Key<'_>,
    work: impl FnOnce(Option<&mut Hash>) -> R,
) -> Result<R, Error> {
    let now = db.horizon_ms();
    let logged = db.is_logged();
    let (result, tidied) = tidy(db.write::<Hash>(key)?, now, logged, work);
    tell(db, key, tidied);
    Ok(result)
}

/// The same, where a hash that is not there is made.
pub(super) fn write_or_make<R>(
    db: &mut Database<'_>,
    key: Key<'_>,
    work: impl FnOnce(&mut Hash) -> R,
) -> Result<R, Error> {
    let now = db.horizon_ms();
    let logged = db.is_logged();
    let hash = db.write_or_make(key, Hash::new)?;
    let mut tidied = remove_due(hash, now, logged);
    let result = work(hash);
    tidied.emptied = tidied.removed > 0 && hash.is_empty();
    tell(db, key, tidied);
    Ok(result)
}

/// Removes a hash that a command has emptied.
pub(super) fn remove_if_empty(db: &mut Database<'_>, key: Key<'_>) {
    if db.remove_if_empty::<Hash>(key) {
        db.notify(key, KeyspaceEvents::GENERIC, "del");
    }
}

/// What the removal of due fields left.
#[derive(Default)]
struct Tidied {
    removed: usize,
    emptied: bool,
    /// The fields, if somebody reads the log of effects.
    names: Vec<Vec<u8>>,
}

fn tidy<R>(
    hash: Option<&mut Hash>,
    now: i64,
    logged: bool,
    work: impl FnOnce(Option<&mut Hash>) -> R,
) -> (R, Tidied) {
    let Some(hash) = hash else { return (work(None), Tidied::default()) };
    let mut tidied = remove_due(hash, now, logged);
    tidied.emptied = tidied.removed > 0 && hash.is_empty();
    (work(Some(hash).filter(|_| !tidied.emptied)), tidied)
}

fn has_due(hash: &Hash, now: i64) -> bool {
    hash.next_expiry().is_some_and(|first| first < now)
}

fn remove_due(hash: &mut Hash, now: i64, logged: bool) -> Tidied {
    let mut tidied = Tidied::default();
    if has_due(hash, now) {
        tidied.removed = hash.expire_due(now, usize::MAX, |field| {
            if logged {
                tidied.names.push(field.name.to_vec());
            }
        });
    }
    tidied
}

fn tell(db: &mut Database<'_>, key: Key<'_>, Tidied { removed, emptied, names }: Tidied) {
    if removed == 0 {
        return;
    }
    if !names.is_empty() {
        let first = [b"HDEL", key.bytes()];
        let words: Vec<&[u8]> = first.into_iter().chain(names.iter().map(Vec::as_slice)).collect();
        db.log(&words);
    }
    db.counters().expired_fields.add(removed as u64);
    db.notify(key, KeyspaceEvents::HASH, "hexpired");
    if emptied {
        remove_if_empty(db, key);
    }
}
