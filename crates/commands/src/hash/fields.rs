//! `FIELDS numfields field...`, which ends the commands about deadlines.

use command::{Args, Error};

const MISSING: Error =
    Error::fixed("ERR Mandatory argument FIELDS is missing or not at the right position");
const MISMATCH: Error =
    Error::fixed("ERR The `numfields` parameter must match the number of arguments");

/// What most commands say to a number of fields that is none.
pub(super) const NOT_POSITIVE: Error =
    Error::fixed("ERR Number of fields must be a positive integer");

/// The first of the fields behind the word FIELDS, which stands at `at`; they go on to the end.
/// `not_positive` answers a number of fields that is none.
pub(super) fn first(args: Args<'_>, at: usize, not_positive: Error) -> Result<usize, Error> {
    if !args.is(at, "FIELDS") {
        return Err(MISSING);
    }
    let count = args.integer_in(at + 1, 1..=i64::MAX, not_positive)?;
    let first = at + 2;
    if usize::try_from(count).ok() != args.len().checked_sub(first) {
        return Err(MISMATCH);
    }
    Ok(first)
}
