use command::{Args, Ctx, Outcome, remover};
use config::KeyspaceEvents;
use value::Kind;

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

/// Which parts got a deadline, or lost it, and which went because it had passed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally<'a> {
    pub(crate) set: Vec<&'a [u8]>,
    pub(crate) deleted: Vec<&'a [u8]>,
}

impl<'a> Tally<'a> {
    pub(crate) fn add(&mut self, name: &'a [u8], outcome: Expired) {
        match outcome {
            Expired::Set => self.set.push(name),
            Expired::Deleted => self.deleted.push(name),
            Expired::Absent | Expired::Refused => {}
        }
    }

    /// Logs what became of the parts: `set` are the words before the number of those that were set.
    pub(crate) fn log(&self, ctx: &mut Ctx<'_>, kind: Kind, key: &[u8], set: &[&[u8]]) {
        ctx.effects.not_itself();
        if !self.deleted.is_empty() {
            ctx.effects.instead_list(&[remover(kind), key], self.deleted.iter().copied());
        }
        if !self.set.is_empty() {
            let count = self.set.len().to_string();
            let words: Vec<&[u8]> = set.iter().copied().chain([count.as_bytes()]).collect();
            ctx.effects.instead_list(&words, self.set.iter().copied());
        }
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
    let (now, horizon) = (ctx.now_ms(), ctx.db.horizon_ms());
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
            expire_part(*value, name, deadline, horizon, |old| condition.allows(old, deadline))
        });
        tally.add(name, outcome);
        ctx.reply.integer(outcome as i64);
    }
    if ctx.effects.wanted() {
        // `hexpire` is logged as `HPEXPIREAT`, and its kin likewise.
        let initial = command.get(..1).unwrap_or_default().to_uppercase();
        let (verb, at_ms) = (format!("{initial}PEXPIREAT"), deadline.to_string());
        let mut words: Vec<&[u8]> = vec![verb.as_bytes(), key.bytes(), at_ms.as_bytes()];
        words.extend((3..=at).map(|word| args.at(word)));
        tally.log(ctx, T::KIND, key.bytes(), &words);
    }
    let (set, deleted) = (tally.set.len(), tally.deleted.len());
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
