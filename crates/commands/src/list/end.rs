use command::{Args, Error};
use value::Item;
use value::list::{List, ListLimits};

/// One end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Left,
    Right,
}

impl End {
    /// The end that the word at `index` names.
    pub(super) fn parse(args: Args<'_>, index: usize) -> Result<Self, Error> {
        if args.is(index, "LEFT") {
            Ok(Self::Left)
        } else if args.is(index, "RIGHT") {
            Ok(Self::Right)
        } else {
            Err(Error::SYNTAX)
        }
    }

    /// The command that takes entries at this end.
    pub(super) fn pop_name(self) -> &'static [u8] {
        match self {
            Self::Left => b"LPOP",
            Self::Right => b"RPOP",
        }
    }

    /// The word for this end that Redis logs for a client that has waited.
    pub(super) fn name(self) -> &'static [u8] {
        match self {
            Self::Left => b"left",
            Self::Right => b"right",
        }
    }

    /// The event that tells of entries taken at this end.
    pub(super) fn popped(self) -> &'static str {
        match self {
            Self::Left => "lpop",
            Self::Right => "rpop",
        }
    }

    /// The event that tells of entries added at this end.
    pub(super) fn pushed(self) -> &'static str {
        match self {
            Self::Left => "lpush",
            Self::Right => "rpush",
        }
    }

    /// Adds an entry at this end.
    #[inline]
    pub(super) fn push(self, list: &mut List, item: Item<'_>, limits: ListLimits) {
        match self {
            Self::Left => list.push_front(item, limits),
            Self::Right => list.push_back(item, limits),
        }
    }
}
