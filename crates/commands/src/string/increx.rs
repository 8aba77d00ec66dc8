use codec::long_double::LongDouble;
use command::{Args, Ctx, Deadline, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Payload;

use super::compare::Condition;
use super::expiry::Expiry;
use super::increment::integer_of;
use super::increment_float::number_of;
use crate::logged;

/// `INCREX key [options]`
pub const INCREX: Spec = Spec {
    name: "increx",
    arity: -2,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))],
    since: "8.8.0",
    summary: "Adds to the number that a key holds, within bounds, and sets its expiry.",
    complexity: "O(1)",
    syntax: "key [condition=(NX | XX)] [increment=(BYFLOAT float:double | BYINT integer:integer)] \
        [LBOUND lowerbound] [UBOUND upperbound] [SATURATE] \
        [expiration=(EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time \
        | PXAT unix-time-milliseconds:unix-time | PERSIST)] [ENX]",
    run: increx,
    ..Spec::BASE
};

/// The options, each at most once. Numbers are the words that hold them.
#[derive(Default)]
struct Options {
    condition: Option<Condition<'static>>,
    by_int: Option<usize>,
    by_float: Option<usize>,
    lower: Option<usize>,
    upper: Option<usize>,
    saturate: bool,
    expiry: Option<Expiry>,
    persist: bool,
    only_without_expiry: bool,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut index = 2;
        while index < args.len() {
            index += options.take(args, index).ok_or(Error::SYNTAX)?;
        }
        if (options.persist && (options.expiry.is_some() || options.only_without_expiry))
            || (options.by_int.is_some() && options.by_float.is_some())
        {
            return Err(Error::SYNTAX);
        }
        if options.only_without_expiry && options.expiry.is_none() {
            return Err(Error::fixed("ERR ENX flag requires an expiration"));
        }
        Ok(options)
    }

    /// Takes the option at word `index`, and says how many words it has.
    fn take(&mut self, args: Args<'_>, index: usize) -> Option<usize> {
        if let Some(expiry) = Expiry::option(args, index) {
            return self.expiry.replace(expiry).is_none().then_some(2);
        }
        for (name, flag) in [
            ("SATURATE", &mut self.saturate),
            ("PERSIST", &mut self.persist),
            ("ENX", &mut self.only_without_expiry),
        ] {
            if args.is(index, name) {
                return (!std::mem::replace(flag, true)).then_some(1);
            }
        }
        for (name, condition) in [("NX", Condition::Absent), ("XX", Condition::Present)] {
            if args.is(index, name) {
                return self.condition.replace(condition).is_none().then_some(1);
            }
        }
        args.get(index + 1)?;
        let number = [
            ("BYINT", &mut self.by_int),
            ("BYFLOAT", &mut self.by_float),
            ("LBOUND", &mut self.lower),
            ("UBOUND", &mut self.upper),
        ]
        .into_iter()
        .find(|(name, _)| args.is(index, name))?
        .1;
        number.replace(index + 1).is_none().then_some(2)
    }
}

/// A kind of number that INCREX reckons with.
trait Number: Copy + PartialOrd {
    /// What makes an error of a word that is no such number.
    const NOT_ONE: &'static str;
    /// The event that tells of a change.
    const EVENT: &'static str;

    fn least() -> Self;
    fn greatest() -> Self;
    fn parse(word: &[u8]) -> Option<Self>;
    fn zero() -> Self;
    fn of(value: keyspace::Value<'_>) -> Result<Self, Error>;
    /// The sum; `None` when it is out of range.
    fn plus(self, other: Self) -> Option<Self>;
    fn is_negative(self) -> bool;
    /// How much is to be added to `before` to get this.
    fn since(self, before: Self) -> Result<Self, Error>;
    fn store(self, ctx: &mut Ctx<'_>, key: keyspace::Key<'_>, deadline: Deadline);
    fn reply(self, ctx: &mut Ctx<'_>);
    /// The number as text.
    fn text(self) -> String;
}

impl Number for i64 {
    const NOT_ONE: &'static str = "is not an integer or out of range";
    const EVENT: &'static str = "incrby";

    fn least() -> Self {
        Self::MIN
    }

    fn greatest() -> Self {
        Self::MAX
    }

    fn parse(word: &[u8]) -> Option<Self> {
        codec::number::parse_i64(word)
    }

    fn zero() -> Self {
        0
    }

    fn of(value: keyspace::Value<'_>) -> Result<Self, Error> {
        integer_of(value)
    }

    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }

    fn is_negative(self) -> bool {
        self < 0
    }

    fn since(self, before: Self) -> Result<Self, Error> {
        self.checked_sub(before).ok_or(Error::fixed("ERR applied increment would overflow"))
    }

    fn store(self, ctx: &mut Ctx<'_>, key: keyspace::Key<'_>, deadline: Deadline) {
        ctx.db.put(key, Payload::Int(self), deadline);
    }

    fn text(self) -> String {
        self.to_string()
    }

    fn reply(self, ctx: &mut Ctx<'_>) {
        ctx.reply.integer(self);
    }
}

impl Number for LongDouble {
    const NOT_ONE: &'static str = "is not a valid float";
    const EVENT: &'static str = "incrbyfloat";

    fn least() -> Self {
        Self::zero() - Self::greatest()
    }

    fn greatest() -> Self {
        Self::greatest()
    }

    fn parse(word: &[u8]) -> Option<Self> {
        Self::parse(word)
    }

    fn zero() -> Self {
        Self::from_i64(0)
    }

    fn of(value: keyspace::Value<'_>) -> Result<Self, Error> {
        let number = number_of(value)?;
        if number.is_infinite() {
            return Err(Error::fixed("ERR value cannot be Infinity"));
        }
        Ok(number)
    }

    fn plus(self, other: Self) -> Option<Self> {
        Some(self + other).filter(|sum| !sum.is_infinite())
    }

    fn is_negative(self) -> bool {
        self < Self::zero()
    }

    fn since(self, before: Self) -> Result<Self, Error> {
        Some(self - before)
            .filter(|delta| !delta.is_infinite())
            .ok_or(Error::fixed("ERR applied increment would be Infinity"))
    }

    fn store(self, ctx: &mut Ctx<'_>, key: keyspace::Key<'_>, deadline: Deadline) {
        ctx.db.put(key, Payload::Bytes(self.to_text().as_bytes()), deadline);
    }

    fn text(self) -> String {
        self.to_text().to_string()
    }

    fn reply(self, ctx: &mut Ctx<'_>) {
        ctx.reply.double_text(self.to_text().as_bytes());
    }
}

fn increx(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let options = Options::parse(args)?;
    let Some(word) = options.by_float else {
        let by = match options.by_int {
            Some(word) => number::<i64>(args, word, "Increment")?,
            None => 1,
        };
        return apply(ctx, args, &options, by);
    };
    let by = number::<LongDouble>(args, word, "Increment")?;
    if by.is_infinite() {
        return Err(Error::fixed("ERR BYFLOAT increment cannot be Infinity"));
    }
    apply(ctx, args, &options, by)
}

fn number<N: Number>(args: Args<'_>, word: usize, what: &str) -> Result<N, Error> {
    N::parse(args.at(word)).ok_or_else(|| Error::new(format!("ERR {what} {}", N::NOT_ONE)))
}

fn apply<N: Number>(ctx: &mut Ctx<'_>, args: Args<'_>, options: &Options, by: N) -> Outcome {
    let bound = |word: Option<usize>, what| word.map(|word| number(args, word, what)).transpose();
    let lower = bound(options.lower, "LBOUND")?.unwrap_or_else(N::least);
    let upper = bound(options.upper, "UBOUND")?.unwrap_or_else(N::greatest);
    if lower > upper {
        return Err(Error::fixed("ERR LBOUND can't be greater than UBOUND"));
    }
    let now_ms = ctx.now_ms();
    let deadline_ms = match options.expiry {
        Some(expiry) => Some(expiry.deadline_ms(args, now_ms, "increx")?),
        None => None,
    };
    let key = args.key(1);
    let entry = ctx.db.get_mut(key).map(keyspace::EntryMut::into_ref);
    let old = entry.map(|entry| N::of(entry.value())).transpose()?;
    let had_deadline = entry.is_some_and(|entry| entry.deadline_ms().is_some());
    let admitted = match options.condition {
        Some(condition) => condition.holds(entry)?,
        None => true,
    };
    ctx.reply.array(2);
    let before = old.unwrap_or_else(N::zero);
    let sum = before.plus(by).filter(|sum| *sum >= lower && *sum <= upper);
    let after = match sum {
        _ if !admitted => None,
        Some(sum) => Some(sum),
        None if options.saturate => Some(saturated(before, by, lower, upper)),
        None => None,
    };
    let Some(after) = after else {
        match old {
            None if !admitted => ctx.reply.null(),
            _ => before.reply(ctx),
        }
        N::zero().reply(ctx);
        return Ok(());
    };
    let applied = after.since(before)?;
    let deadline = match deadline_ms {
        Some(at) if !(options.only_without_expiry && had_deadline) => Deadline::At(at),
        None if options.persist => Deadline::None,
        _ => Deadline::Keep,
    };
    if matches!(deadline, Deadline::At(at) if at <= now_ms) {
        if ctx.db.remove(key) {
            ctx.db.changed(key, KeyspaceEvents::GENERIC, "del");
        }
        ctx.effects.instead(&[b"DEL", args.at(1)]);
    } else {
        after.store(ctx, key, deadline);
        if deadline_ms.is_some() {
            logged::set(ctx, args.at(1), after.text().as_bytes(), deadline);
        }
        ctx.db.changed(key, KeyspaceEvents::STRING, N::EVENT);
        match deadline {
            Deadline::At(_) => ctx.db.notify(key, KeyspaceEvents::GENERIC, "expire"),
            Deadline::None if had_deadline => {
                ctx.db.notify(key, KeyspaceEvents::GENERIC, "persist");
            }
            _ => {}
        }
    }
    after.reply(ctx);
    applied.reply(ctx);
    Ok(())
}

/// The bound that the sum lies beyond.
fn saturated<N: Number>(before: N, by: N, lower: N, upper: N) -> N {
    match before.plus(by) {
        Some(sum) if sum < lower => lower,
        Some(_) => upper,
        None if by.is_negative() => lower,
        None => upper,
    }
}
