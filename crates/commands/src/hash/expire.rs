use command::{Args, Ctx, Error, Flags, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Key;
use value::Item;
use value::hash::Hash;

use super::{HASH, UPDATES, access, fields};

const EXPIRE: Spec = Spec {
    arity: -6,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    keys: &[UPDATES],
    since: "7.4.0",
    complexity: "O(N) for N fields",
    ..HASH
};

/// `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field...`
pub const HEXPIRE: Spec = Spec {
    name: "hexpire",
    summary: "Lets fields of a hash expire after so many seconds.",
    syntax: "key seconds:integer condition=[NX | XX | GT | LT] fields=(FIELDS numfields:integer field...)",
    run: |ctx, args| expire(ctx, args, "hexpire", Time::SECONDS),
    ..EXPIRE
};

/// `HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field...`
pub const HPEXPIRE: Spec = Spec {
    name: "hpexpire",
    summary: "Lets fields of a hash expire after so many milliseconds.",
    syntax: "key milliseconds:integer condition=[NX | XX | GT | LT] fields=(FIELDS numfields:integer field...)",
    run: |ctx, args| expire(ctx, args, "hpexpire", Time::MILLISECONDS),
    ..EXPIRE
};

/// `HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field...`
pub const HEXPIREAT: Spec = Spec {
    name: "hexpireat",
    summary: "Lets fields of a hash expire at a time, in seconds since the epoch.",
    syntax: "key unix-time-seconds:unix-time condition=[NX | XX | GT | LT] fields=(FIELDS numfields:integer field...)",
    run: |ctx, args| expire(ctx, args, "hexpireat", Time::UNIX_SECONDS),
    ..EXPIRE
};

/// `HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field...`
pub const HPEXPIREAT: Spec = Spec {
    name: "hpexpireat",
    summary: "Lets fields of a hash expire at a time, in milliseconds since the epoch.",
    syntax: "key unix-time-milliseconds:unix-time condition=[NX | XX | GT | LT] fields=(FIELDS numfields:integer field...)",
    run: |ctx, args| expire(ctx, args, "hpexpireat", Time::UNIX_MILLISECONDS),
    ..EXPIRE
};

const NEGATIVE: Error = Error::fixed("ERR invalid expire time, must be >= 0");
const NO_FIELDS: Error = Error::fixed("ERR Parameter `numFields` should be greater than 0");

/// How an argument tells a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time {
    /// Milliseconds in one unit.
    unit_ms: i64,
    /// Whether it counts from now on.
    relative: bool,
}

impl Time {
    pub(super) const SECONDS: Self = Self { unit_ms: 1000, relative: true };
    pub(super) const MILLISECONDS: Self = Self { unit_ms: 1, relative: true };
    pub(super) const UNIX_SECONDS: Self = Self { unit_ms: 1000, relative: false };
    pub(super) const UNIX_MILLISECONDS: Self = Self { unit_ms: 1, relative: false };

    /// The latest deadline of a field, which Redis keeps in 46 bits: milliseconds since the epoch.
    const LATEST_MS: i64 = (1 << 46) - 1;

    /// The deadline that the word at `index` tells to `command`, milliseconds since the epoch.
    pub(super) fn deadline(
        self,
        args: Args<'_>,
        index: usize,
        now: i64,
        command: &str,
    ) -> Result<i64, Error> {
        let time = args.integer(index)?;
        if time < 0 {
            return Err(NEGATIVE);
        }
        let base = if self.relative { now } else { 0 };
        time.checked_mul(self.unit_ms)
            .and_then(|time| time.checked_add(base))
            .filter(|deadline| *deadline <= Self::LATEST_MS)
            .ok_or_else(|| Error::invalid_expire(command))
    }
}

/// Which deadlines a field may have for a new one to be set.
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

/// What became of a field; the numbers are what clients are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    NoField = -2,
    Refused = 0,
    Set = 1,
    Deleted = 2,
}

/// Which fields got a deadline, or lost it, and which went because it had passed.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally<'a> {
    pub(super) set: Vec<&'a [u8]>,
    pub(super) deleted: Vec<&'a [u8]>,
}

impl<'a> Tally<'a> {
    pub(super) fn add(&mut self, name: &'a [u8], outcome: Expired) {
        match outcome {
            Expired::Set => self.set.push(name),
            Expired::Deleted => self.deleted.push(name),
            Expired::NoField | Expired::Refused => {}
        }
    }

    /// Logs what became of the fields: `set` are the words before the number of those that were set.
    pub(super) fn log(&self, ctx: &mut Ctx<'_>, key: &[u8], set: &[&[u8]]) {
        ctx.effects.not_itself();
        if !self.deleted.is_empty() {
            ctx.effects.instead_list(&[b"HDEL", key], self.deleted.iter().copied());
        }
        if !self.set.is_empty() {
            let count = self.set.len().to_string();
            let words: Vec<&[u8]> =
                set.iter().copied().chain([&b"FIELDS"[..], count.as_bytes()]).collect();
            ctx.effects.instead_list(&words, self.set.iter().copied());
        }
    }
}

/// Gives a field a deadline; one that has passed removes the field.
pub(super) fn expire_field(
    hash: &mut Hash,
    name: Item<'_>,
    deadline: i64,
    now: i64,
    allows: impl FnOnce(Option<i64>) -> bool,
) -> Expired {
    let Some(field) = hash.field(name) else { return Expired::NoField };
    if !allows(field.deadline) {
        return Expired::Refused;
    }
    if deadline <= now {
        hash.remove(name);
        return Expired::Deleted;
    }
    hash.set_deadline(name, Some(deadline));
    Expired::Set
}

fn expire(ctx: &mut Ctx<'_>, args: Args<'_>, command: &str, time: Time) -> Outcome {
    let (now, horizon) = (ctx.now_ms(), ctx.db.horizon_ms());
    let key = args.key(1);
    let (tally, deadline, at) = access::write(&mut ctx.db, key, |mut hash| {
        let deadline = time.deadline(args, 2, now, command)?;
        let (condition, at) = match Condition::parse(args, 3) {
            Some(condition) => (condition, 4),
            None => (Condition::Any, 3),
        };
        let first = fields::first(args, at, NO_FIELDS)?;
        if let Some(hash) = &mut hash {
            hash.make_expirable();
        }
        ctx.reply.array(args.len() - first);
        let mut tally = Tally::default();
        for name in args.iter_from(first) {
            let outcome = hash.as_mut().map_or(Expired::NoField, |hash| {
                let allows = |old| condition.allows(old, deadline);
                expire_field(hash, Item::parse(name), deadline, horizon, allows)
            });
            tally.add(name, outcome);
            ctx.reply.integer(outcome as i64);
        }
        Ok::<_, Error>((tally, deadline, at))
    })??;
    if ctx.effects.wanted() {
        let deadline = deadline.to_string();
        let mut words: Vec<&[u8]> = vec![b"HPEXPIREAT", key.bytes(), deadline.as_bytes()];
        words.extend((3..at).map(|word| args.at(word)));
        tally.log(ctx, key.bytes(), &words);
    }
    tell(ctx, key, &tally);
    Ok(())
}

fn tell(ctx: &mut Ctx<'_>, key: Key<'_>, tally: &Tally<'_>) {
    let (set, deleted) = (tally.set.len(), tally.deleted.len());
    if set + deleted > 0 {
        let event = if deleted > 0 { "hdel" } else { "hexpire" };
        ctx.db.changed_by(set + deleted, key, KeyspaceEvents::HASH, event);
        access::remove_if_empty(&mut ctx.db, key);
    }
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
