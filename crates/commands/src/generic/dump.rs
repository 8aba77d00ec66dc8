//! `DUMP` and `RESTORE`: a value as bytes, to be carried to another server.

use std::sync::atomic::Ordering;

use command::{
    Args, Categories, Ctx, Deadline, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec,
};
use config::KeyspaceEvents;
use keyspace::{EntryRef, Payload, Value, access};

/// `DUMP key`
pub const DUMP: Spec = Spec {
    name: "dump",
    arity: 2,
    flags: Flags::READONLY.union(Flags::LINEAR),
    categories: Categories::KEYSPACE,
    group: Group::Generic,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "2.6.0",
    summary: "Returns the value of a key as bytes that RESTORE takes.",
    complexity: "O(N) with N the size of the value.",
    syntax: "key",
    tips: &["nondeterministic_output"],
    run: dump,
    ..Spec::BASE
};

/// `RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`
pub const RESTORE: Spec = Spec {
    name: "restore",
    arity: -4,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::LINEAR),
    categories: Categories::KEYSPACE.union(Categories::DANGEROUS),
    group: Group::Generic,
    keys: &[KeySpec::one(1, KeyFlags::OW.union(KeyFlags::UPDATE))],
    since: "2.6.0",
    summary: "Makes a key from the bytes that DUMP returned.",
    complexity: "O(N) with N the size of the value, O(N*log(N)) for sorted sets out of order.",
    syntax: "key ttl:integer serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:integer] \
             [FREQ frequency:integer]",
    history: &[
        ("3.0.0", "Added `REPLACE`."),
        ("5.0.0", "Added `ABSTTL`."),
        ("5.0.0", "Added `IDLETIME` and `FREQ`."),
    ],
    // About as many bytes are an element's.
    reach: Some(|args, _| args.get(3).map_or(0, <[u8]>::len) / 16),
    run: restore,
    ..Spec::BASE
};

/// `RESTORE-ASKING`: the same, for a slot that is being migrated here.
pub const RESTORE_ASKING: Spec = Spec {
    name: "restore-asking",
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::ASKING),
    group: Group::Server,
    since: "3.0.0",
    summary: "Makes a key of a slot that is being migrated from the bytes that DUMP returned.",
    ..RESTORE
};

/// A value as snapshots take it.
pub fn view(entry: EntryRef<'_>) -> rdb::View<'_> {
    match entry.value() {
        Value::Int(number) => rdb::View::Int(number),
        Value::Bytes(bytes) => rdb::View::Bytes(bytes),
        Value::Object(object) => rdb::View::Object(object),
    }
}

fn dump(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let compress = ctx.config.rdbcompression;
    match ctx.db.get(args.key(1)) {
        Some(entry) => ctx.reply.bulk(&rdb::dump(view(entry), compress)),
        None => ctx.reply.null(),
    }
    Ok(())
}

#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_s: Option<u64>,
    frequency: Option<u8>,
}

fn options(args: Args<'_>) -> Result<Options, Error> {
    let mut options = Options::default();
    let mut word = 4;
    while word < args.len() {
        let more = word + 1 < args.len();
        if args.is(word, "replace") {
            options.replace = true;
        } else if args.is(word, "absttl") {
            options.absolute = true;
        } else if args.is(word, "idletime") && more && options.frequency.is_none() {
            word += 1;
            let bad = Error::fixed("ERR Invalid IDLETIME value, must be >= 0");
            options.idle_s = Some(u64::try_from(args.integer(word)?).map_err(|_| bad)?);
        } else if args.is(word, "freq") && more && options.idle_s.is_none() {
            word += 1;
            let bad = Error::fixed("ERR Invalid FREQ value, must be >= 0 and <= 255");
            options.frequency = Some(u8::try_from(args.integer(word)?).map_err(|_| bad)?);
        } else {
            return Err(Error::SYNTAX);
        }
        word += 1;
    }
    Ok(options)
}

fn restore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let options = options(args)?;
    let key = args.key(1);
    if !options.replace && ctx.db.contains(key) {
        return Err(Error::fixed("BUSYKEY Target key name already exists."));
    }
    let ttl_ms = args.integer(2)?;
    if ttl_ms < 0 {
        return Err(Error::fixed("ERR Invalid TTL value, must be >= 0"));
    }
    let check = !ctx.services.persistence.skip_checksums.load(Ordering::Relaxed);
    let limits = crate::limits(ctx.config);
    let value = rdb::restore(args.at(3), &limits, check).map_err(|error| match error {
        None => Error::fixed("ERR DUMP payload version or checksum are wrong"),
        Some(error) => {
            tracing::warn!("RESTORE: {error}");
            Error::fixed("ERR Bad data format")
        }
    })?;
    ctx.services.persistence.sanitized.fetch_add(1, Ordering::Relaxed);
    let deleted = options.replace && ctx.db.remove(key);
    let deadline = match ttl_ms {
        0 => Deadline::None,
        at if options.absolute => Deadline::At(at),
        after => Deadline::At(ctx.now_ms().saturating_add(after)),
    };
    if matches!(deadline, Deadline::At(at) if at <= ctx.db.horizon_ms()) {
        if deleted {
            ctx.effects.instead(&[b"DEL", args.at(1)]);
            ctx.db.changed(key, KeyspaceEvents::GENERIC, "del");
        }
        ctx.reply.ok();
        return Ok(());
    }
    match value {
        rdb::Value::Int(number) => ctx.db.put(key, Payload::Int(number), deadline),
        rdb::Value::Bytes(bytes) => ctx.db.put(key, Payload::string(&bytes), deadline),
        rdb::Value::Object(object) => ctx.db.put(key, Payload::Object(*object), deadline),
    }
    if let Some(stamp) = stamp(ctx, &options) {
        ctx.db.set_access(key, stamp);
    }
    if let Deadline::At(at_ms) = deadline
        && !options.absolute
        && ctx.effects.wanted()
    {
        // As a moment, since it is not done again at once.
        let at_ms = at_ms.to_string();
        let words: Vec<&[u8]> = args
            .iter()
            .enumerate()
            .map(|(at, word)| if at == 2 { at_ms.as_bytes() } else { word })
            .chain([&b"ABSTTL"[..]])
            .collect();
        ctx.effects.instead(&words);
    }
    ctx.db.changed(key, KeyspaceEvents::GENERIC, "restore");
    ctx.reply.ok();
    Ok(())
}

/// What to stamp on the key, where the policy asks for what was given.
fn stamp(ctx: &Ctx<'_>, options: &Options) -> Option<u32> {
    let counts = crate::generic::object::counts_frequency(ctx.config);
    match (options.idle_s, options.frequency) {
        (_, Some(frequency)) if counts => Some(access::stamp_of_frequency(frequency, ctx.now_ms())),
        (Some(idle_s), _) if !counts => Some(access::stamp_of_idle(idle_s, ctx.now_ms())),
        _ => None,
    }
}
