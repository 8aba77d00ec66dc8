use command::{
    Args, Ctx, Deadline, Error, Flags, Group, KeyFlags, KeyList, KeySpec, Outcome, Spec,
};
use config::KeyspaceEvents;
use keyspace::{Key, Payload};

use super::compare::Condition;
use super::expiry::Expiry;
use super::get::reply_string;
use crate::logged;

/// `SET key value [options]`
pub const SET: Spec = Spec {
    name: "set",
    arity: -3,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::String,
    keys: &[KeySpec::one(
        1,
        KeyFlags::RW
            .union(KeyFlags::ACCESS)
            .union(KeyFlags::UPDATE)
            .union(KeyFlags::VARIABLE_FLAGS),
    )],
    find_keys: Some(set_keys),
    since: "1.0.0",
    summary: "Stores a string under a key, whatever it held before.",
    complexity: "O(1)",
    syntax: "key value \
        [condition=(NX | XX | IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest)] \
        [GET] \
        [expiration=(EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time \
        | PXAT unix-time-milliseconds:unix-time | KEEPTTL)]",
    history: &[
        ("2.6.12", "Options `EX`, `PX`, `NX` and `XX`."),
        ("6.0.0", "Option `KEEPTTL`."),
        ("6.2.0", "Options `GET`, `EXAT` and `PXAT`."),
        ("7.0.0", "`NX` and `GET` may be used together."),
        ("8.4.0", "Options `IFEQ`, `IFNE`, `IFDEQ` and `IFDNE`."),
    ],
    run: set,
    ..Spec::BASE
};

/// What follows the value.
#[derive(Default)]
pub struct Options<'a> {
    /// What has to be true of the key.
    pub condition: Option<Condition<'a>>,
    /// The former value is the reply.
    pub get: bool,
    /// KEEPTTL.
    pub keep: bool,
    /// EX, PX, EXAT, PXAT.
    pub expiry: Option<Expiry>,
}

impl<'a> Options<'a> {
    /// Reads the options from word `index` on.
    pub fn parse(args: Args<'a>, mut index: usize) -> Result<Self, Error> {
        let mut options = Self::default();
        while index < args.len() {
            index += options.take(args, index).ok_or(Error::SYNTAX)?;
        }
        Ok(options)
    }

    /// Takes the option at word `index`, and says how many words it has. An option may be repeated,
    /// and then the last one counts; another that excludes it may not follow.
    fn take(&mut self, args: Args<'a>, index: usize) -> Option<usize> {
        if let Some(expiry) = Expiry::option(args, index) {
            let fits = self.expiry.is_none_or(|before| before.is_same_option(expiry));
            self.expiry = Some(expiry);
            return (fits && !self.keep).then_some(2);
        }
        if args.is(index, "KEEPTTL") {
            self.keep = true;
            return self.expiry.is_none().then_some(1);
        }
        if args.is(index, "GET") {
            self.get = true;
            return Some(1);
        }
        let (condition, words) = if args.is(index, "NX") {
            (Condition::Absent, 1)
        } else if args.is(index, "XX") {
            (Condition::Present, 1)
        } else {
            (Condition::on_value(args.get(index)?, args.get(index + 1)?)?, 2)
        };
        let before = self.condition.replace(condition);
        before
            .is_none_or(|before| {
                std::mem::discriminant(&before) == std::mem::discriminant(&condition)
            })
            .then_some(words)
    }

    /// What becomes of the deadline; `command` is named when it is out of range.
    pub fn deadline(&self, args: Args<'_>, now_ms: i64, command: &str) -> Result<Deadline, Error> {
        Ok(match self.expiry {
            Some(expiry) => Deadline::At(expiry.deadline_ms(args, now_ms, command)?),
            None if self.keep => Deadline::Keep,
            None => Deadline::None,
        })
    }
}

/// Stores a string and says so to whoever listens.
#[inline]
pub fn store(ctx: &mut Ctx<'_>, key: Key<'_>, text: &[u8], deadline: Deadline) {
    ctx.db.put_string(key, text, deadline);
    stored(ctx, key, deadline);
}

/// Records that a string was stored.
#[inline]
pub fn stored(ctx: &mut Ctx<'_>, key: Key<'_>, deadline: Deadline) {
    ctx.db.changed(key, KeyspaceEvents::STRING, "set");
    if let Deadline::At(_) = deadline {
        ctx.db.notify(key, KeyspaceEvents::GENERIC, "expire");
    }
}

fn set(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    if args.len() == 3 {
        store(ctx, key, args.at(2), Deadline::None);
        ctx.reply.ok();
        return Ok(());
    }
    let options = Options::parse(args, 3)?;
    let deadline = options.deadline(args, ctx.now_ms(), "set")?;
    let counters = ctx.db.counters();
    let (reply, may_leave) = (&mut ctx.reply, ctx.may_leave);
    let mut failed = Ok(());
    let is_stored = ctx.db.put_if(key, Payload::string(args.at(2)), deadline, |before| {
        if options.get {
            let counter =
                if before.is_some() { &counters.keyspace_hits } else { &counters.keyspace_misses };
            counter.add(1);
            failed = reply_string(reply, may_leave, before.map(|entry| entry.value()));
        }
        let holds = options.condition.map_or(Ok(true), |condition| condition.holds(before));
        match (&failed, holds) {
            (Ok(()), Ok(holds)) => holds,
            (Ok(()), Err(error)) => {
                failed = Err(error);
                false
            }
            (Err(_), _) => false,
        }
    });
    failed?;
    if is_stored {
        stored(ctx, key, deadline);
        if ctx.effects.wanted() {
            log(ctx, args, &options, deadline);
        }
    }
    match (options.get, is_stored) {
        (true, _) => {}
        (false, true) => ctx.reply.ok(),
        (false, false) => ctx.reply.null(),
    }
    Ok(())
}

/// A deadline is logged as a moment, and GET is left out: it only reads.
fn log(ctx: &mut Ctx<'_>, args: Args<'_>, options: &Options<'_>, deadline: Deadline) {
    match options.expiry {
        Some(_) => {
            logged::set(ctx, args.at(1), args.at(2), deadline);
        }
        None if options.get => {
            let kept = args.iter().enumerate().filter(|(at, _)| *at < 3 || !args.is(*at, "GET"));
            let words: Vec<&[u8]> = kept.map(|(_, word)| word).collect();
            ctx.effects.instead(&words);
        }
        _ => {}
    }
}

/// Only GET and conditions on the value look at what is there.
fn set_keys(args: Args<'_>, found: &mut KeyList) -> Result<(), Error> {
    let looks = (3..args.len()).any(|word| {
        ["GET", "IFEQ", "IFNE", "IFDEQ", "IFDNE"].iter().any(|name| args.is(word, name))
    });
    let flags = if looks {
        KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE
    } else {
        KeyFlags::OW | KeyFlags::UPDATE
    };
    found.push((1, flags));
    Ok(())
}
