use codec::glob;
use command::{Args, Ctx, Cursor, Error, Flags, Group, Outcome, Spec, Stint};
use value::Kind;

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
pub const SCAN: Spec = Spec {
    name: "scan",
    arity: -2,
    flags: Flags::READONLY.union(Flags::WALK),
    group: Group::Generic,
    since: "2.8.0",
    summary: "Lists the keys of the database a few at a time.",
    complexity: "O(1) for each call, O(N) for a whole walk with N the number of keys.",
    syntax: "cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [TYPE type]",
    history: &[("6.0.0", "Added `TYPE`.")],
    tips: &["nondeterministic_output", "request_policy:special"],
    run: scan,
    ..Spec::BASE
};

/// What to do for one call.
struct Options<'a> {
    pattern: Option<&'a [u8]>,
    kind: Option<Kind>,
    count: u64,
}

impl<'a> Options<'a> {
    fn parse(args: Args<'a>) -> Result<Self, Error> {
        let mut options = Self { pattern: None, kind: None, count: 10 };
        let mut word = 2;
        while word < args.len() {
            let value = args.get(word + 1).ok_or(Error::SYNTAX)?;
            if args.is(word, "count") {
                options.count =
                    u64::try_from(args.integer(word + 1)?).map_err(|_| Error::SYNTAX)?;
                if options.count == 0 {
                    return Err(Error::SYNTAX);
                }
            } else if args.is(word, "match") {
                options.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else if args.is(word, "type") {
                options.kind = Some(kind(value)?);
            } else {
                return Err(Error::SYNTAX);
            }
            word += 2;
        }
        Ok(options)
    }
}

/// The type that a word names.
fn kind(word: &[u8]) -> Result<Kind, Error> {
    const KINDS: [Kind; 6] =
        [Kind::String, Kind::List, Kind::Set, Kind::SortedSet, Kind::Hash, Kind::Stream];
    let named = |kind: &Kind| word.eq_ignore_ascii_case(kind.name().as_bytes());
    KINDS.into_iter().find(named).ok_or_else(|| {
        Error::new(format!("ERR unknown type name '{}'", String::from_utf8_lossy(word)))
    })
}

fn scan(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let cursor = cursor(args.at(1))?;
    let Options { pattern, kind, count } = Options::parse(args)?;
    // Filters make replies shorter, not calls longer; many empty places end a call too.
    let stint = Stint { places: count.saturating_mul(10), keys: count, expires: true };
    let mut found = Vec::new();
    let next = ctx.db.walk(Cursor::from_number(cursor), stint, |entry| {
        let wanted = pattern.is_none_or(|pattern| glob::matches(pattern, entry.key(), false))
            && kind.is_none_or(|kind| kind == entry.kind());
        if wanted {
            found.push(entry.key().to_vec());
        }
    });
    ctx.reply.array(2);
    let next = if next.is_end() { 0 } else { next.number() };
    ctx.reply.bulk(next.to_string().as_bytes());
    ctx.reply.array(found.len());
    found.iter().for_each(|key| ctx.reply.bulk(key));
    Ok(())
}

/// A cursor as clients send it. Read as C's `strtoul` reads numbers, since Redis does: a sign may stand
/// before it (a negative one wraps), an empty word is 0, and a zero byte ends it.
pub(crate) fn cursor(word: &[u8]) -> Result<u64, Error> {
    const INVALID: Error = Error::fixed("ERR invalid cursor");
    let text = word.split(|byte| *byte == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if text.is_empty() {
        return Ok(0);
    }
    if digits.is_empty() {
        return Err(INVALID);
    }
    let magnitude = digits
        .iter()
        .try_fold(0u64, |value, byte| {
            let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
            value.checked_mul(10)?.checked_add(digit)
        })
        .ok_or(INVALID)?;
    Ok(if negative { magnitude.wrapping_neg() } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_strtoul_reads_them() {
        for (word, number) in [
            (&b""[..], 0),
            (b"0", 0),
            (b"007", 7),
            (b"+5", 5),
            (b"-1", u64::MAX),
            (b"18446744073709551615", u64::MAX),
            (b"12\0abc", 12),
        ] {
            assert_eq!(cursor(word), Ok(number), "{word:?}");
        }
        for word in [&b"-"[..], b"+", b" 1", b"1 ", b"a", b"1a", b"18446744073709551616", b"--1"] {
            assert!(cursor(word).is_err(), "{word:?}");
        }
    }
}
