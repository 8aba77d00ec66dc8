use command::{Args, Ctx, Outcome};
use config::KeyspaceEvents;

use super::{Parts, Time, first};

/// Which deadlines a part may have for a new one to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Any,
    /// None.
    Nx,
    /// Some.
    Xx,
    /// An earlier one.
    Gt,
    /// A later one, or none.
    Lt,
}

impl Condition {
    fn parse(args: Args<'_>, index: usize) -> Option<Self> {
        let names = [("NX", Self::Nx), ("XX", Self::Xx), ("GT", Self::Gt), ("LT", Self::Lt)];
        names.into_iter().find(|(name, _)| args.is(index, name)).map(|(_, condition)| condition)
    }

    fn allows(self, old: Option<i64>, new: i64) -> bool {
        match (self, old) {
            (Self::Any, _) | (Self::Nx | Self::Lt, None) | (Self::Xx, Some(_)) => true,
            (Self::Xx | Self::Gt, None) | (Self::Nx, Some(_)) => false,
            (Self::Gt, Some(old)) => old < new,
            (Self::Lt, Some(old)) => old > new,
        }
    }
}

/// What became of a part; the numbers are what clients are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    Absent = -2,
    Refused = 0,
    Set = 1,
    Deleted = 2,
}

/// How many parts got a deadline, and how many went because it had passed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) set: usize,
    pub(crate) deleted: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, outcome: Expired) {
        self.set += usize::from(outcome == Expired::Set);
        self.deleted += usize::from(outcome == Expired::Deleted);
    }
}

/// Gives a part a deadline; one that has passed removes the part.
pub(crate) fn expire_part<T: Parts>(
    value: &mut T,
    name: &[u8],
    deadline: i64,
    now: i64,
    allows: impl FnOnce(Option<i64>) -> bool,
) -> Expired {
    let Some(old) = value.deadline_of(name) else { return Expired::Absent };
    if !allows(old) {
        return Expired::Refused;
    }
    if deadline <= now {
        value.remove_part(name);
        return Expired::Deleted;
    }
    value.change_deadline(name, Some(deadline));
    Expired::Set
}

/// `command key time [NX | XX | GT | LT] FIELDS numfields field...`
pub(crate) fn expire<T: Parts>(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    command: &str,
    time: Time,
) -> Outcome {
    let now = ctx.now_ms();
    let key = args.key(1);
    let mut value = ctx.db.write::<T>(key)?;
    let deadline = time.deadline(args, 2, now, command)?;
    let (condition, at) = match Condition::parse(args, 3) {
        Some(condition) => (condition, 4),
        None => (Condition::Any, 3),
    };
    let first = first(args, at, T::WORDS, T::WORDS.no_parts)?;
    if let Some(value) = &mut value {
        value.make_room();
    }
    ctx.reply.array(args.len() - first);
    let mut tally = Tally::default();
    for name in args.iter_from(first) {
        let outcome = value.as_mut().map_or(Expired::Absent, |value| {
            expire_part(*value, name, deadline, now, |old| condition.allows(old, deadline))
        });
        tally.add(outcome);
        ctx.reply.integer(outcome as i64);
    }
    let Tally { set, deleted } = tally;
    if set > 0 {
        ctx.db.note_member_deadline(key, deadline);
    }
    if set + deleted > 0 {
        let event = if deleted > 0 { T::REMOVE } else { T::EXPIRE };
        ctx.db.changed_by(set + deleted, key, T::CLASS, event);
        if ctx.db.remove_if_empty::<T>(key) {
            ctx.db.notify(key, KeyspaceEvents::GENERIC, "del");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Condition;

    #[test]
    fn conditions_compare_with_the_deadline_there_is() {
        for (condition, without, earlier, same, later) in [
            (Condition::Any, true, true, true, true),
            (Condition::Nx, true, false, false, false),
            (Condition::Xx, false, true, true, true),
            (Condition::Gt, false, true, false, false),
            (Condition::Lt, true, false, false, true),
        ] {
            assert_eq!(condition.allows(None, 10), without, "{condition:?}");
            assert_eq!(condition.allows(Some(9), 10), earlier, "{condition:?}");
            assert_eq!(condition.allows(Some(10), 10), same, "{condition:?}");
            assert_eq!(condition.allows(Some(11), 10), later, "{condition:?}");
        }
    }
}
