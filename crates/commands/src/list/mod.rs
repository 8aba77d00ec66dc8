//! Lists.
//!
//! What blocking commands share with the others is a function that says whether it found something
//! to take: [`pop::pop_one`], [`mpop::pop_first`], [`lmove::transfer`].

mod blocking;
mod edit;
mod end;
mod lmove;
mod lmovem;
mod mpop;
mod pop;
mod pos;
mod push;
mod read;

use std::ops::Range;

use command::{Group, KeyFlags, KeySpec, Spec};
use config::Config;
use value::list::ListLimits;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &push::LPUSH,
    &push::RPUSH,
    &push::LPUSHX,
    &push::RPUSHX,
    &pop::LPOP,
    &pop::RPOP,
    &read::LLEN,
    &read::LINDEX,
    &read::LRANGE,
    &pos::LPOS,
    &edit::LSET,
    &edit::LINSERT,
    &edit::LREM,
    &edit::LTRIM,
    &lmove::LMOVE,
    &lmove::RPOPLPUSH,
    &lmovem::LMOVEM,
    &lmovem::BLMOVEM,
    &mpop::LMPOP,
    &blocking::BLPOP,
    &blocking::BRPOP,
    &blocking::BLMOVE,
    &blocking::BRPOPLPUSH,
    &blocking::BLMPOP,
];

/// What most commands of the family have in common.
const LIST: Spec = Spec {
    group: Group::List,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "1.0.0",
    ..Spec::BASE
};

/// The key specification of commands that take entries.
const TAKES: KeySpec =
    KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE));

pub(crate) fn limits(config: &Config) -> ListLimits {
    ListLimits::new(i64::from(config.list_max_listpack_size))
}

/// The place of the entry at `index`, counted from the back when negative; it may lie behind the end.
fn index(index: i64, len: usize) -> Option<usize> {
    let offset = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    if index < 0 { len.checked_sub(offset) } else { Some(offset) }
}

/// The entries from `start` to `stop`, both included and counted from the back when negative, of a
/// list with `len` entries.
fn span(start: i64, stop: i64, len: usize) -> Range<usize> {
    let start = index(start, len).unwrap_or(0);
    let end = index(stop, len).map_or(0, |stop| stop.saturating_add(1)).min(len);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_count_from_either_end_and_stay_inside() {
        assert_eq!(span(0, -1, 3), 0..3);
        assert_eq!(span(-2, 5, 3), 1..3);
        assert_eq!(span(-9, 1, 3), 0..2);
        assert_eq!(span(i64::MIN, i64::MAX, 3), 0..3);
        for (start, stop) in [(1, 0), (3, 9), (0, -4), (0, i64::MIN), (i64::MAX, i64::MAX)] {
            assert!(span(start, stop, 3).is_empty(), "{start} {stop}");
        }
    }
}
