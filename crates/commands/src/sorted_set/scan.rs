use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use resp::Writer;
use value::zset::Zset;

/// `ZSCAN key cursor [MATCH pattern] [COUNT count]`
pub const ZSCAN: Spec = Spec {
    name: "zscan",
    arity: -3,
    flags: Flags::READONLY,
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "2.8.0",
    summary: "Walks the members and scores of a sorted set, some at each call.",
    complexity: "O(1) per call, O(N) for a whole walk over N members",
    syntax: "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]",
    tips: &["nondeterministic_output"],
    run: zscan,
    ..Spec::BASE
};

/// A step shows about seven members at most, and may show none.
const STEPS_PER_COUNT: u64 = 10;

struct Options<'a> {
    pattern: Option<&'a [u8]>,
    count: u64,
}

fn zscan(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut cursor = parse_cursor(args.at(2)).ok_or(Error::fixed("ERR invalid cursor"))?;
    let Some(zset) = ctx.db.read::<Zset>(args.key(1))? else {
        ctx.reply.array(2);
        ctx.reply.bulk(b"0");
        ctx.reply.array(0);
        return Ok(());
    };
    let options = Options::parse(args)?;
    let mut found = Vec::new();
    let mut texts = Writer::new(&mut found, ctx.reply.protocol());
    let mut shown = 0;
    let mut seen = 0;
    let mut steps = options.count.saturating_mul(STEPS_PER_COUNT);
    let mut text = Vec::new();
    loop {
        cursor = zset.scan(cursor, |member, score| {
            seen += 1;
            if options.pattern.is_none_or(|p| codec::glob::matches(p, member, false)) {
                shown += 1;
                texts.bulk(member);
                text.clear();
                codec::number::format_f64(score, &mut text);
                texts.bulk(&text);
            }
        });
        steps -= 1;
        if cursor == 0 || steps == 0 || seen >= options.count {
            break;
        }
    }
    ctx.reply.array(2);
    ctx.reply.bulk(cursor.to_string().as_bytes());
    ctx.reply.array(shown * 2);
    ctx.reply.raw(&found);
    Ok(())
}

impl<'a> Options<'a> {
    fn parse(args: Args<'a>) -> Result<Self, Error> {
        let mut options = Self { pattern: None, count: 10 };
        let mut word = 3;
        while word < args.len() {
            let has_value = word + 1 < args.len();
            if has_value && args.is(word, "COUNT") {
                let count = args.integer(word + 1)?;
                options.count =
                    u64::try_from(count).ok().filter(|n| *n > 0).ok_or(Error::SYNTAX)?;
            } else if has_value && args.is(word, "MATCH") {
                options.pattern = Some(args.at(word + 1)).filter(|pattern| *pattern != b"*");
            } else {
                return Err(Error::SYNTAX);
            }
            word += 2;
        }
        Ok(options)
    }
}

/// A cursor by the rules of `strtoul`: a sign is let through, and nothing at all is 0.
fn parse_cursor(word: &[u8]) -> Option<u64> {
    let (negative, digits) = match word {
        [] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })?;
    Some(if negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_by_strtoul() {
        assert_eq!(parse_cursor(b""), Some(0));
        assert_eq!(parse_cursor(b"+007"), Some(7));
        assert_eq!(parse_cursor(b"-1"), Some(u64::MAX));
        assert_eq!(parse_cursor(b"18446744073709551615"), Some(u64::MAX));
        for word in [&b"18446744073709551616"[..], b" 1", b"1 ", b"-", b"x"] {
            assert_eq!(parse_cursor(word), None);
        }
    }
}
