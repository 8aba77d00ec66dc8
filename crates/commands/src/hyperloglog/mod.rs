//! Strings as cardinality estimators.

mod debug;
mod estimator;

use command::{Args, Ctx, Error, Spec};
use keyspace::{Digits, EntryRef};
use value::hyperloglog;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &debug::PFDEBUG,
    &debug::PFSELFTEST,
    &estimator::PFADD,
    &estimator::PFCOUNT,
    &estimator::PFMERGE,
];

const INVALID: Error = Error::fixed("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPT: Error = Error::fixed("INVALIDOBJ Corrupted HLL object detected");

/// Calls `read` with the estimator that a key holds.
///
/// # Errors
/// When it holds something else, and when its registers are damaged.
fn read<T>(
    entry: Option<EntryRef<'_>>,
    read: impl FnOnce(&[u8]) -> Result<T, hyperloglog::Corrupt>,
) -> Result<Option<T>, Error> {
    let Some(entry) = entry else { return Ok(None) };
    let mut digits = Digits::new();
    let text = entry.value().text(&mut digits).ok_or(Error::WRONG_TYPE)?;
    if !hyperloglog::is_valid(text) {
        return Err(INVALID);
    }
    read(text).map(Some).map_err(|_| CORRUPT)
}

/// The estimator at word `index` for writing; `None` when there is no such key.
///
/// # Errors
/// When the key holds something else.
fn write<'c>(
    ctx: &'c mut Ctx<'_>,
    args: Args<'_>,
    index: usize,
) -> Result<Option<&'c mut Vec<u8>>, Error> {
    let key = args.key(index);
    if read(ctx.db.peek(key), |_| Ok(()))?.is_none() {
        return Ok(None);
    }
    ctx.db.string_mut(key)
}

/// The longest sparse representation, `hll-sparse-max-bytes`.
fn sparse_max(ctx: &Ctx<'_>) -> usize {
    usize::try_from(ctx.config.hll_sparse_max_bytes).unwrap_or(usize::MAX)
}
