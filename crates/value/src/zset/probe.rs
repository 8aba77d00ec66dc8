//! A place between two members of the order, for searches.

use super::bound::{LexBound, ScoreBound};
use super::score;

/// What is searched for: it splits the members into those before and those after.
#[derive(Clone, Copy, Debug)]
pub(super) enum Probe<'a> {
    /// Before every member whose score has this key.
    KeyStart(u64),
    /// After every member whose score has this key.
    KeyEnd(u64),
    /// At this score's key and these bytes.
    At(u64, &'a [u8]),
    /// The same, but after an equal member.
    Past(u64, &'a [u8]),
    /// At these bytes whatever the score; after an equal member if the flag is set.
    Lex(&'a [u8], bool),
    /// After everything.
    End,
}

impl<'a> Probe<'a> {
    /// Where a range that starts at `min` begins.
    pub(super) fn score_start(min: ScoreBound) -> Self {
        let key = score::key(min.value);
        if min.exclusive { Self::KeyEnd(key) } else { Self::KeyStart(key) }
    }

    /// Where a range that stops at `max` ends.
    pub(super) fn score_end(max: ScoreBound) -> Self {
        let key = score::key(max.value);
        if max.exclusive { Self::KeyStart(key) } else { Self::KeyEnd(key) }
    }

    /// Where a range that starts at `min` begins.
    pub(super) fn lex_start(min: LexBound<'a>) -> Self {
        match min {
            LexBound::NegInf => Self::KeyStart(0),
            LexBound::PosInf => Self::End,
            LexBound::Incl(member) => Self::Lex(member, false),
            LexBound::Excl(member) => Self::Lex(member, true),
        }
    }

    /// Where a range that stops at `max` ends.
    pub(super) fn lex_end(max: LexBound<'a>) -> Self {
        match max {
            LexBound::NegInf => Self::KeyStart(0),
            LexBound::PosInf => Self::End,
            LexBound::Incl(member) => Self::Lex(member, true),
            LexBound::Excl(member) => Self::Lex(member, false),
        }
    }

    /// The score key that decides, where one does.
    pub(super) fn key(&self) -> Option<u64> {
        match *self {
            Self::KeyStart(key) | Self::KeyEnd(key) | Self::At(key, _) | Self::Past(key, _) => {
                Some(key)
            }
            Self::Lex(..) => None,
            Self::End => Some(u64::MAX),
        }
    }

    /// Whether a member comes before this place.
    #[inline]
    pub(super) fn is_after(&self, key: impl FnOnce() -> u64, member: &[u8]) -> bool {
        match *self {
            Self::KeyStart(mine) => key() < mine,
            Self::KeyEnd(mine) => key() <= mine,
            Self::At(mine, bytes) => match key().cmp(&mine) {
                std::cmp::Ordering::Equal => member < bytes,
                order => order.is_lt(),
            },
            Self::Past(mine, bytes) => match key().cmp(&mine) {
                std::cmp::Ordering::Equal => member <= bytes,
                order => order.is_lt(),
            },
            Self::Lex(bytes, past) => member < bytes || past && member == bytes,
            Self::End => true,
        }
    }
}
