use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec, Target};
use config::{Config, KeyspaceEvents};
use value::stream::{References, Stream, Trim, TrimTo};

use super::ids;

/// `XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]`
pub const XTRIM: Spec = Spec {
    name: "xtrim",
    arity: -4,
    flags: Flags::WRITE.union(Flags::LINEAR),
    reach: Some(reach),
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::DELETE))],
    since: "5.0.0",
    summary: "Removes entries from the start of a stream.",
    complexity: "O(N) with N entries removed; whole blocks of entries go at once",
    syntax: "key trim=(strategy=(MAXLEN | MINID) [operator=(equal== | approximately=~)] \
             threshold [LIMIT count:integer]) [condition=(KEEPREF | DELREF | ACKED)]",
    history: &[("6.2.0", "`MINID` and `LIMIT`."), ("8.2.0", "`KEEPREF`, `DELREF` and `ACKED`.")],
    tips: &["nondeterministic_output"],
    run: xtrim,
    ..Spec::BASE
};

/// The entries that go, at most.
fn reach(args: Args<'_>, stream: Target<'_>) -> usize {
    let operators = usize::from(matches!(args.at(3), b"=" | b"~"));
    let kept = match args.is(2, "MAXLEN") && 3 + operators < args.len() {
        true => args.integer(3 + operators).map_or(i64::MAX, |kept| kept.max(0)),
        false => 0,
    };
    stream.elements().saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX))
}

const TWO_STRATEGIES: Error =
    Error::fixed("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
const NO_STRATEGY: Error =
    Error::fixed("ERR syntax error, XTRIM must be called with a trimming strategy");
const LIMIT_ALONE: Error =
    Error::fixed("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
const LIMIT_OF_EXACT: Error =
    Error::fixed("ERR syntax error, LIMIT cannot be used without the special ~ option");
const NEGATIVE_MAXLEN: Error = Error::fixed("ERR The MAXLEN argument must be >= 0.");
const NEGATIVE_LIMIT: Error = Error::fixed("ERR The LIMIT argument must be >= 0.");

/// The options about trimming, as far as they have been read.
#[derive(Debug, Default)]
pub struct Options {
    to: Option<TrimTo>,
    approx: bool,
    limit: Option<u64>,
    references: Option<References>,
    /// The words of an inexact trimming that are logged otherwise: `~`, and the threshold.
    inexact: Option<(usize, usize)>,
}

/// The words that are logged otherwise than they were sent, and what instead.
pub type Replaced = Vec<(usize, Vec<u8>)>;

impl Options {
    /// Reads the option at `word` and gives the number of words that it takes; `None` if it is not
    /// about trimming.
    ///
    /// # Errors
    /// When its value is wrong, or it has been given before.
    pub fn read(&mut self, args: Args<'_>, word: usize) -> Result<Option<usize>, Error> {
        if let Some(references) = references(args.at(word)) {
            if self.references.replace(references).is_some() {
                return Err(Error::SYNTAX);
            }
            return Ok(Some(1));
        }
        if word + 1 >= args.len() {
            return Ok(None);
        }
        if args.is(word, "LIMIT") {
            let limit = args.integer(word + 1)?;
            self.limit = Some(u64::try_from(limit).map_err(|_| NEGATIVE_LIMIT)?);
            return Ok(Some(2));
        }
        let by_length = args.is(word, "MAXLEN");
        if !by_length && !args.is(word, "MINID") {
            return Ok(None);
        }
        if self.to.is_some() {
            return Err(TWO_STRATEGIES);
        }
        let operator = match args.at(word + 1) {
            sign @ (b"~" | b"=") if word + 2 < args.len() => {
                self.approx = sign == b"~";
                1
            }
            _ => 0,
        };
        let threshold = word + 1 + operator;
        self.inexact = self.approx.then_some((word + 1, threshold));
        self.to = Some(if by_length {
            let length = args.integer(threshold)?;
            TrimTo::MaxLen(u64::try_from(length).map_err(|_| NEGATIVE_MAXLEN)?)
        } else {
            TrimTo::MinId(ids::strict(args, threshold)?)
        });
        Ok(Some(2 + operator))
    }

    /// How far an inexact trimming went is chance, so an exact one to what is left is logged.
    pub fn log(&self, stream: &Stream, replaced: &mut Replaced) {
        let (Some((operator, threshold)), Some(to)) = (self.inexact, &self.to) else { return };
        replaced.push((operator, b"=".to_vec()));
        let threshold_now = match to {
            TrimTo::MaxLen(_) => stream.len().to_string(),
            TrimTo::MinId(_) => stream.first_id().to_string(),
        };
        replaced.push((threshold, threshold_now.into_bytes()));
    }

    /// The trimming that the options ask for together, if any. A client that `obeys` sends what was logged, with
    /// limits that have done their work.
    ///
    /// # Errors
    /// When a limit stands alone or with an exact trimming, or nothing says what XTRIM is to leave.
    pub fn finish(
        &self,
        config: &Config,
        required: bool,
        obeys: bool,
    ) -> Result<Option<Trim>, Error> {
        if self.to.is_none() && self.limit.is_some_and(|limit| limit > 0) {
            return Err(LIMIT_ALONE);
        }
        if self.to.is_none() && required {
            return Err(NO_STRATEGY);
        }
        if self.limit.is_some() && !self.approx && !obeys {
            return Err(LIMIT_OF_EXACT);
        }
        let limit = match self.limit {
            Some(_) if obeys => 0,
            Some(limit) => limit,
            None if self.approx => default_limit(config.stream_node_max_entries),
            None => 0,
        };
        let references = self.references.unwrap_or_default();
        Ok(self.to.map(|to| Trim { to, approx: self.approx, limit, references }))
    }
}

/// The policy that a word names.
pub fn references(word: &[u8]) -> Option<References> {
    match word {
        _ if word.eq_ignore_ascii_case(b"KEEPREF") => Some(References::Keep),
        _ if word.eq_ignore_ascii_case(b"DELREF") => Some(References::Delete),
        _ if word.eq_ignore_ascii_case(b"ACKED") => Some(References::Acked),
        _ => None,
    }
}

/// A hundred blocks, so that no trimming takes long.
fn default_limit(block_entries: u64) -> u64 {
    match block_entries.saturating_mul(100) {
        0 => 10_000,
        limit => limit.min(1_000_000),
    }
}

fn xtrim(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut options = Options::default();
    let mut word = 2;
    while word < args.len() {
        word += options.read(args, word)?.ok_or(Error::SYNTAX)?;
    }
    let trim = options.finish(ctx.config, true, ctx.session.obeys)?;
    let key = args.key(1);
    let mut replaced = Replaced::new();
    let removed = match (ctx.db.write::<Stream>(key)?, trim) {
        (Some(stream), Some(trim)) => {
            let removed = stream.trim(trim);
            options.log(stream, &mut replaced);
            removed
        }
        _ => 0,
    };
    if removed > 0 {
        log(ctx, args, &replaced);
        ctx.db.add_changes(removed - 1);
        ctx.db.changed(key, KeyspaceEvents::STREAM, "xtrim");
    }
    ctx.reply.integer(removed as i64);
    Ok(())
}

/// Logs the command with some words replaced, if any are.
pub fn log(ctx: &mut Ctx<'_>, args: Args<'_>, replaced: &Replaced) {
    if !replaced.is_empty() {
        let replaced: Vec<(usize, &[u8])> =
            replaced.iter().map(|(at, word)| (*at, word.as_slice())).collect();
        ctx.effects.instead_with(args, &replaced);
    }
}
