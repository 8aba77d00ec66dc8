use command::{Args, Error};

/// How a family calls the arguments `FIELDS numfields field...`, and what it says when they are wrong.
pub(crate) struct Words {
    token: &'static str,
    missing: Error,
    mismatch: Error,
    /// What most commands answer to a number of parts that is none.
    pub(crate) not_positive: Error,
    /// What those that set a deadline answer to it.
    pub(crate) no_parts: Error,
}

pub(super) const FIELDS: Words = Words {
    token: "FIELDS",
    missing: Error::fixed("ERR Mandatory argument FIELDS is missing or not at the right position"),
    mismatch: Error::fixed("ERR The `numfields` parameter must match the number of arguments"),
    not_positive: Error::fixed("ERR Number of fields must be a positive integer"),
    no_parts: Error::fixed("ERR Parameter `numFields` should be greater than 0"),
};

pub(super) const MEMBERS: Words = Words {
    token: "MEMBERS",
    missing: Error::fixed("ERR Mandatory argument MEMBERS is missing or not at the right position"),
    mismatch: Error::fixed("ERR The `nummembers` parameter must match the number of arguments"),
    not_positive: Error::fixed("ERR Number of members must be a positive integer"),
    no_parts: Error::fixed("ERR Parameter `numMembers` should be greater than 0"),
};

/// The first of the parts behind the token, which stands at `at`; they go on to the end.
/// `not_positive` answers a number of parts that is none.
pub(crate) fn first(
    args: Args<'_>,
    at: usize,
    words: Words,
    not_positive: Error,
) -> Result<usize, Error> {
    if !args.is(at, words.token) {
        return Err(words.missing);
    }
    let count = args.integer_in(at + 1, 1..=i64::MAX, not_positive)?;
    let first = at + 2;
    if usize::try_from(count).ok() != args.len().checked_sub(first) {
        return Err(words.mismatch);
    }
    Ok(first)
}
