use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec, Target};
use config::KeyspaceEvents;
use keyspace::Digits;

use super::append::{check_length, string_for};
use crate::reach;

/// `GETRANGE key start end`
pub const GETRANGE: Spec = Spec {
    name: "getrange",
    arity: 4,
    flags: Flags::READONLY.union(Flags::LINEAR),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "2.4.0",
    summary: "Returns a part of the string that a key holds.",
    complexity: "O(N) for a part of N bytes.",
    syntax: "key start:integer end:integer",
    reach: Some(|args, string| {
        let bytes = reach::ranks(args, Target::Unknown, 2);
        (bytes / 1024).min(string.elements())
    }),
    run: getrange,
    ..Spec::BASE
};

/// `SUBSTR key start end`
pub const SUBSTR: Spec = Spec {
    name: "substr",
    since: "1.0.0",
    summary: "Returns a part of the string that a key holds.",
    deprecated: Some(("2.0.0", "`GETRANGE`")),
    ..GETRANGE
};

/// `SETRANGE key offset value`
pub const SETRANGE: Spec = Spec {
    name: "setrange",
    arity: 4,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    since: "2.2.0",
    summary: "Overwrites a string from an offset on; fills a gap with zero bytes.",
    complexity: "O(N) for N bytes written, and for what has to be filled.",
    syntax: "key offset:integer value",
    run: setrange,
    ..Spec::BASE
};

fn getrange(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (start, end) = (args.integer(2)?, args.integer(3)?);
    let mut digits = Digits::new();
    let entry = ctx.db.get_string(args.key(1))?;
    let text = entry.and_then(|entry| entry.value().text(&mut digits)).unwrap_or_default();
    ctx.reply.bulk(part(text, start, end));
    Ok(())
}

/// The bytes from `start` to `end`, both included and counted from the end when negative.
fn part(text: &[u8], start: i64, end: i64) -> &[u8] {
    if start < 0 && end < 0 && start > end {
        return &[];
    }
    let len = text.len() as i64;
    let from_start = |at: i64| if at < 0 { (len + at).max(0) } else { at };
    let (start, end) = (from_start(start), from_start(end).min(len - 1));
    text.get(start as usize..(end + 1).max(0) as usize).unwrap_or_default()
}

fn setrange(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (key, text) = (args.key(1), args.at(3));
    let offset = usize::try_from(args.integer(2)?)
        .map_err(|_| Error::fixed("ERR offset is out of range"))?;
    if text.is_empty() {
        let mut digits = Digits::new();
        let len = match ctx.db.get_mut(key) {
            None => 0,
            Some(entry) => entry.value().text(&mut digits).ok_or(Error::WRONG_TYPE)?.len(),
        };
        ctx.reply.integer(len as i64);
        return Ok(());
    }
    if let Some(entry) = ctx.db.peek(key)
        && entry.kind() != value::Kind::String
    {
        return Err(Error::WRONG_TYPE);
    }
    check_length(ctx, offset, text.len())?;
    let end = offset + text.len();
    let string = string_for(&mut ctx.db, ctx.may_leave, key, end)?;
    if string.len() < end {
        string.resize(end, 0);
    }
    if let Some(room) = string.get_mut(offset..end) {
        room.copy_from_slice(text);
    }
    let len = string.len();
    ctx.db.changed(key, KeyspaceEvents::STRING, "setrange");
    ctx.reply.integer(len as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn parts_are_cut_as_redis_does() {
        let text = b"Hello World";
        for (start, end, expected) in [
            (0, 3, "Hell"),
            (0, -1, "Hello World"),
            (-4, -1, "orld"),
            (5, 3, ""),
            (5, 5000, " World"),
            (-5000, 10000, "Hello World"),
            (0, -100, "H"),
            (i64::MIN, i64::MAX, "Hello World"),
            (i64::MAX, i64::MAX, ""),
            (-1, -5, ""),
            (11, 11, ""),
        ] {
            assert_eq!(part(text, start, end), expected.as_bytes(), "{start} {end}");
        }
        assert_eq!(part(b"", 0, 0), b"");
        assert_eq!(part(b"", 0, -1), b"");
    }
}
