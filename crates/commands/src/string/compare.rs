use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeyList, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::{Digits, EntryRef};
use value::Kind;
use xxhash_rust::xxh3::xxh3_64;

/// `DELEX key [condition]`
pub const DELEX: Spec = Spec {
    name: "delex",
    arity: -2,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::DELETE).union(KeyFlags::VARIABLE_FLAGS))],
    find_keys: Some(delex_keys),
    since: "8.4.0",
    summary: "Deletes a key if its string, or the digest of it, is or is not the one given.",
    complexity: "O(1) with IFEQ and IFNE, O(N) for a string of N bytes with IFDEQ and IFDNE.",
    syntax: "key [condition=(IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest)]",
    run: delex,
    ..Spec::BASE
};

/// `DELIFEQ key value`
pub const DELIFEQ: Spec = Spec {
    name: "delifeq",
    arity: 3,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE))],
    since: "9.0.0",
    summary: "Deletes a key if it holds the string given.",
    complexity: "O(1)",
    syntax: "key value",
    run: delifeq,
    ..Spec::BASE
};

/// `DIGEST key`
pub const DIGEST: Spec = Spec {
    name: "digest",
    arity: 2,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "8.4.0",
    summary: "Returns the XXH3 digest of a string as hexadecimal digits.",
    complexity: "O(N) for a string of N bytes.",
    syntax: "key",
    run: digest,
    ..Spec::BASE
};

/// Hexadecimal digits of a digest.
const DIGEST_DIGITS: usize = 16;

const BAD_DIGEST: Error = Error::fixed("ERR must be exactly 16 hexadecimal characters");
const NOT_A_STRING: Error =
    Error::fixed("ERR Key should be of string type if conditions are specified");
const BAD_CONDITION: Error = Error::fixed("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");

/// What has to be true of a key for a command to go on.
#[derive(Clone, Copy, Debug)]
pub enum Condition<'a> {
    /// NX: there is no such key.
    Absent,
    /// XX: there is one.
    Present,
    /// IFEQ: it holds this string.
    Equal(&'a [u8]),
    /// IFNE: it does not hold this string.
    NotEqual(&'a [u8]),
    /// IFDEQ: its string has this digest.
    DigestEqual(&'a [u8]),
    /// IFDNE: its string does not have this digest.
    DigestNotEqual(&'a [u8]),
}

impl<'a> Condition<'a> {
    /// The condition on the value that `name` and its argument make.
    pub fn on_value(name: &[u8], operand: &'a [u8]) -> Option<Self> {
        let made =
            |text: &str, condition| name.eq_ignore_ascii_case(text.as_bytes()).then_some(condition);
        made("IFEQ", Self::Equal(operand))
            .or_else(|| made("IFNE", Self::NotEqual(operand)))
            .or_else(|| made("IFDEQ", Self::DigestEqual(operand)))
            .or_else(|| made("IFDNE", Self::DigestNotEqual(operand)))
    }

    /// Whether it is true of `entry`. Where there is none, nothing is equal.
    ///
    /// # Errors
    /// When a string has to be looked at and the key holds another type, or the digest given is
    /// none.
    pub fn holds(&self, entry: Option<EntryRef<'_>>) -> Result<bool, Error> {
        let operand = match (self, entry) {
            (Self::Absent, entry) => return Ok(entry.is_none()),
            (Self::Present, entry) => return Ok(entry.is_some()),
            (Self::Equal(_) | Self::DigestEqual(_), None) => return Ok(false),
            (Self::NotEqual(_) | Self::DigestNotEqual(_), None) => return Ok(true),
            (
                Self::Equal(operand)
                | Self::NotEqual(operand)
                | Self::DigestEqual(operand)
                | Self::DigestNotEqual(operand),
                Some(_),
            ) => *operand,
        };
        let mut digits = Digits::new();
        let text =
            entry.and_then(|entry| entry.value().text(&mut digits)).ok_or(Error::WRONG_TYPE)?;
        let is_digest = matches!(self, Self::DigestEqual(_) | Self::DigestNotEqual(_));
        let equal = if is_digest {
            if operand.len() != DIGEST_DIGITS {
                return Err(BAD_DIGEST);
            }
            digest_of(text).eq_ignore_ascii_case(operand)
        } else {
            text == operand
        };
        Ok(equal == matches!(self, Self::Equal(_) | Self::DigestEqual(_)))
    }
}

/// The digest's digits, in lower case and with leading zeros.
fn digest_of(text: &[u8]) -> [u8; DIGEST_DIGITS] {
    let hash = xxh3_64(text);
    std::array::from_fn(|at| {
        let nibble = (hash >> (60 - 4 * at)) as u8 & 15;
        if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
    })
}

fn digest(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut digits = Digits::new();
    match ctx.db.get_string(args.key(1))? {
        None => ctx.reply.null(),
        Some(entry) => {
            let text = entry.value().text(&mut digits).unwrap_or_default();
            ctx.reply.bulk(&digest_of(text));
        }
    }
    Ok(())
}

fn delex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        2 => return delete_if(ctx, args, None),
        4 => {}
        _ => return Err(Error::arity("delex")),
    }
    let key = args.key(1);
    match ctx.db.peek(key) {
        None => {
            ctx.reply.integer(0);
            return Ok(());
        }
        Some(entry) if entry.kind() != Kind::String => return Err(NOT_A_STRING),
        Some(_) => {}
    }
    let condition = Condition::on_value(args.at(2), args.at(3)).ok_or(BAD_CONDITION)?;
    delete_if(ctx, args, Some(condition))
}

fn delifeq(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    delete_if(ctx, args, Some(Condition::Equal(args.at(2))))
}

fn delete_if(ctx: &mut Ctx<'_>, args: Args<'_>, condition: Option<Condition<'_>>) -> Outcome {
    let key = args.key(1);
    let entry = ctx.db.peek(key);
    let deletes = entry.is_some()
        && match condition {
            Some(condition) => condition.holds(entry)?,
            None => true,
        };
    if deletes && ctx.db.remove(key) {
        ctx.db.changed(key, KeyspaceEvents::GENERIC, "del");
        if condition.is_some() {
            ctx.effects.instead(&[b"DEL", args.at(1)]);
        }
    }
    ctx.reply.integer(deletes.into());
    Ok(())
}

/// Without a condition the value is not looked at.
fn delex_keys(args: Args<'_>, found: &mut KeyList) -> Result<(), Error> {
    let flags = if args.len() == 2 {
        KeyFlags::RM | KeyFlags::DELETE
    } else {
        KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE
    };
    found.push((1, flags));
    Ok(())
}
