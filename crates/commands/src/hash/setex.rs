use command::{Args, Ctx, Error, Flags, Outcome, Spec};
use config::KeyspaceEvents;
use value::Item;
use value::hash::{Hash, HashLimits, Ttl};

use super::{HASH, UPDATES, access, limits};
use crate::lifetime::Time;
use crate::logged;

/// `HSETEX key [NX | XX] [FNX | FXX] [EX ... | PX ... | EXAT ... | PXAT ... | KEEPTTL] FIELDS numfields (field value)...`
pub const HSETEX: Spec = Spec {
    name: "hsetex",
    arity: -6,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    keys: &[UPDATES],
    since: "8.0.0",
    summary: "Sets fields of a hash together with their deadlines.",
    complexity: "O(N) for N fields",
    syntax: "key key-condition=[NX | XX] condition=[FNX | FXX] expiration=[EX seconds:integer | PX milliseconds:integer | \
             EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | KEEPTTL] \
             fields=(FIELDS numfields:integer data=(field value)...)",
    history: &[("9.1.0", "Valkey: `NX` and `XX`.")],
    run: hsetex,
    ..HASH
};

const BAD_COUNT: Error = Error::fixed("ERR invalid number of fields");
const NO_TIME: Error = Error::fixed("ERR missing expire time");
const TWO_CONDITIONS: Error = Error::fixed("ERR Only one of FXX or FNX arguments can be specified");
const TWO_KEY_CONDITIONS: Error =
    Error::fixed("ERR Only one of NX or XX arguments can be specified");
const TWO_EXPIRATIONS: Error =
    Error::fixed("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");

/// What the words before the fields say.
struct Request {
    /// Only when all of the fields are there (`true`), or none (`false`).
    present: Option<bool>,
    /// Only when the key is there (`true`), or not (`false`).
    exists: Option<bool>,
    ttl: Option<Ttl>,
    /// The word with the time, if there is one.
    time: usize,
    /// The word with the first field.
    first: usize,
}

impl Request {
    fn parse(args: Args<'_>, now: i64) -> Result<Self, Error> {
        let mut request = Self { present: None, exists: None, ttl: None, time: 0, first: 0 };
        let mut at = 2;
        while at < args.len() {
            if args.is(at, "FIELDS") {
                request.first = Self::fields(args, at)?;
                return Ok(request);
            } else if args.is(at, "FNX") || args.is(at, "FXX") {
                if request.present.is_some() {
                    return Err(TWO_CONDITIONS);
                }
                request.present = Some(args.is(at, "FXX"));
                at += 1;
            } else if args.is(at, "NX") || args.is(at, "XX") {
                if request.exists.is_some() {
                    return Err(TWO_KEY_CONDITIONS);
                }
                request.exists = Some(args.is(at, "XX"));
                at += 1;
            } else {
                at += request.expiration(args, at, now)?;
            }
        }
        Err(Error::arity("hsetex"))
    }

    /// Reads the option at `at`; returns how many words it has.
    fn expiration(&mut self, args: Args<'_>, at: usize, now: i64) -> Result<usize, Error> {
        let times = [
            ("EX", Some(Time::SECONDS)),
            ("PX", Some(Time::MILLISECONDS)),
            ("EXAT", Some(Time::UNIX_SECONDS)),
            ("PXAT", Some(Time::UNIX_MILLISECONDS)),
            ("KEEPTTL", None),
        ];
        let Some((_, time)) = times.into_iter().find(|(name, _)| args.is(at, name)) else {
            return Err(Error::new(format!("ERR unknown argument: {}", args.text(at))));
        };
        if self.ttl.is_some() {
            return Err(TWO_EXPIRATIONS);
        }
        let Some(time) = time else {
            self.ttl = Some(Ttl::Keep);
            return Ok(1);
        };
        if at + 1 == args.len() {
            return Err(NO_TIME);
        }
        self.time = at + 1;
        self.ttl = Some(Ttl::At(time.deadline(args, at + 1, now, "hsetex")?));
        Ok(2)
    }

    /// Checks the number of fields behind the word FIELDS at `at`; returns where the first is.
    fn fields(args: Args<'_>, at: usize) -> Result<usize, Error> {
        let first = at + 2;
        if first + 2 > args.len() {
            return Err(Error::arity("hsetex"));
        }
        let count = args.integer_in(at + 1, 1..=i64::from(i32::MAX), BAD_COUNT)?;
        let words = args.len() - first;
        if !words.is_multiple_of(2) || usize::try_from(count).ok() != Some(words / 2) {
            return Err(Error::arity("hsetex"));
        }
        Ok(first)
    }

    /// Whether the fields there are let the command go on.
    fn is_allowed(&self, hash: &Hash, args: Args<'_>) -> bool {
        let Some(present) = self.present else { return true };
        let mut names = args.iter_from(self.first).step_by(2);
        names.all(|name| hash.contains(Item::parse(name)) == present)
    }

    /// Sets the fields; one whose deadline has passed already is removed instead. Returns how many went.
    fn apply(&self, hash: &mut Hash, args: Args<'_>, now: i64, limits: HashLimits) -> usize {
        let pairs = (args.len() - self.first) / 2;
        let longest = args.iter_from(self.first).map(<[u8]>::len).max().unwrap_or(0);
        hash.before_growth(pairs, longest, limits);
        let ttl = self.ttl.unwrap_or(Ttl::Clear);
        let is_past = matches!(ttl, Ttl::At(deadline) if deadline <= now);
        let mut removed = 0;
        for at in (self.first..args.len()).step_by(2) {
            let (name, value) = (Item::parse(args.at(at)), Item::parse(args.at(at + 1)));
            if is_past {
                hash.remove(name);
                removed += 1;
            } else {
                hash.set(name, value, ttl, limits);
            }
        }
        removed
    }
}

fn hsetex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let (now, horizon) = (ctx.now_ms(), ctx.db.horizon_ms());
    let request = Request::parse(args, now)?;
    let key = args.key(1);
    if let Some(wanted) = request.exists
        && ctx.db.read::<Hash>(key)?.is_some() != wanted
    {
        ctx.reply.integer(0);
        return Ok(());
    }
    let removed = access::write_or_make(&mut ctx.db, key, |hash| {
        let allowed = request.is_allowed(hash, args);
        allowed.then(|| request.apply(hash, args, horizon, limits))
    })?;
    let Some(removed) = removed else {
        ctx.db.remove_if_empty::<Hash>(key);
        ctx.reply.integer(0);
        return Ok(());
    };
    match request.ttl {
        Some(Ttl::At(_)) if removed > 0 => {
            let names = args.iter_from(request.first).step_by(2);
            ctx.effects.instead_list(&[b"HDEL", args.at(1)], names);
        }
        Some(Ttl::At(at_ms)) if request.time > 0 => {
            logged::with_moment(ctx, args, request.time, at_ms);
        }
        _ => {}
    }
    let pairs = (args.len() - request.first) / 2;
    ctx.db.changed_by(pairs, key, KeyspaceEvents::HASH, "hset");
    if let Some(Ttl::At(deadline)) = request.ttl {
        ctx.db.note_member_deadline(key, deadline);
        let event = if removed > 0 { "hdel" } else { "hexpire" };
        ctx.db.changed_by(pairs, key, KeyspaceEvents::HASH, event);
    }
    access::remove_if_empty(&mut ctx.db, key);
    ctx.reply.integer(1);
    Ok(())
}
