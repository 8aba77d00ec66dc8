use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::{Config, MaxmemoryPolicy};
use keyspace::access::{self, LfuScale};
use keyspace::{EntryRef, Value};
use value::ObjectRef;

use crate::help;

/// `OBJECT <subcommand> ...`
pub const OBJECT: Spec = Spec {
    name: "object",
    arity: -2,
    group: Group::Generic,
    since: "2.2.3",
    summary: "Holds the commands that show how a value is stored and used.",
    complexity: "Depends on the subcommand.",
    subcommands: &[&ENCODING, &FREQ, &HELP, &IDLETIME, &REFCOUNT],
    ..Spec::BASE
};

const ABOUT_A_KEY: Spec = Spec {
    container: Some("object"),
    arity: 3,
    flags: Flags::READONLY,
    group: Group::Generic,
    keys: &[KeySpec::one(2, KeyFlags::RO)],
    complexity: "O(1)",
    syntax: "key",
    tips: &["nondeterministic_output"],
    ..Spec::BASE
};

const ENCODING: Spec = Spec {
    name: "encoding",
    since: "2.2.3",
    summary: "Names the form in which a value is stored.",
    run: encoding,
    ..ABOUT_A_KEY
};

const FREQ: Spec = Spec {
    name: "freq",
    since: "4.0.0",
    summary: "Shows how often a key was used lately, on a logarithmic scale.",
    run: freq,
    ..ABOUT_A_KEY
};

const IDLETIME: Spec = Spec {
    name: "idletime",
    since: "2.2.3",
    summary: "Shows for how many seconds a key has not been used.",
    run: idle_time,
    ..ABOUT_A_KEY
};

const REFCOUNT: Spec = Spec {
    name: "refcount",
    since: "2.2.3",
    summary: "Shows the number of references that Redis would count to a value.",
    run: refcount,
    ..ABOUT_A_KEY
};

const HELP: Spec = Spec {
    name: "help",
    container: Some("object"),
    arity: 2,
    flags: Flags::LOADING.union(Flags::STALE),
    group: Group::Generic,
    since: "6.2.0",
    summary: "Lists the subcommands.",
    complexity: "O(1)",
    run: |ctx, _| {
        help::write(
            ctx,
            "OBJECT",
            &[
                "ENCODING <key>",
                "    Name the form in which the value of <key> is stored.",
                "FREQ <key>",
                "    Show how often <key> was used lately, on a logarithmic scale.",
                "IDLETIME <key>",
                "    Show for how many seconds <key> has not been used.",
                "REFCOUNT <key>",
                "    Show the number of references to the value of <key>.",
            ],
        )
    },
    ..Spec::BASE
};

/// Writes what `show` says of the key, or nil.
fn about(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    show: impl FnOnce(EntryRef<'_>) -> Result<i64, Error>,
) -> Outcome {
    match ctx.db.inspect_quietly(args.key(2)) {
        None => ctx.reply.null(),
        Some(entry) => ctx.reply.integer(show(entry)?),
    }
    Ok(())
}

fn encoding(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match ctx.db.inspect_quietly(args.key(2)) {
        None => ctx.reply.null(),
        Some(entry) => ctx.reply.bulk(encoding_name(entry.value()).as_bytes()),
    }
    Ok(())
}

/// The name that Redis gives to a value's form.
pub(crate) fn encoding_name(value: Value<'_>) -> &'static str {
    /// Strings up to this length share a block with their header, in Redis.
    const EMBEDDED_MAX: usize = 44;
    match value {
        Value::Int(_) => "int",
        Value::Bytes(bytes) if bytes.len() <= EMBEDDED_MAX => "embstr",
        Value::Bytes(_) => "raw",
        Value::Object(object) => match object {
            ObjectRef::String(_) => "raw",
            ObjectRef::List(list) => list.encoding(),
            ObjectRef::Set(set) => set.encoding(),
            ObjectRef::Hash(hash) => hash.encoding(),
            ObjectRef::SortedSet(zset) => zset.encoding(),
            ObjectRef::Stream(_) => "stream",
        },
    }
}

/// Whether the policy asks how often keys are used, not for how long they were not.
pub(crate) fn counts_frequency(config: &Config) -> bool {
    matches!(config.maxmemory_policy, MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu)
}

fn idle_time(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (now_ms, lfu) = (ctx.now_ms(), counts_frequency(ctx.config));
    about(ctx, args, |entry| {
        if lfu {
            return Err(Error::fixed(
                "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that \
                 when switching between policies at runtime LRU and LFU data will take some time to \
                 adjust.",
            ));
        }
        Ok(i64::from(access::idle_seconds(entry.access(), now_ms)))
    })
}

fn freq(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (now_ms, config) = (ctx.now_ms(), ctx.config);
    about(ctx, args, |entry| {
        if !counts_frequency(config) {
            return Err(Error::fixed(
                "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please \
                 note that when switching between policies at runtime LRU and LFU data will take \
                 some time to adjust.",
            ));
        }
        let scale = LfuScale {
            log_factor: config.lfu_log_factor,
            decay_minutes: config.lfu_decay_time_min,
        };
        Ok(i64::from(access::frequency(entry.access(), now_ms, scale)))
    })
}

fn refcount(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    use MaxmemoryPolicy::{AllkeysLfu, AllkeysLru, VolatileLfu, VolatileLru};
    /// Redis shares small integers between keys, unless each needs an access clock of its own.
    const SHARED: std::ops::Range<i64> = 0..10_000;
    let config = ctx.config;
    let own_clocks = config.maxmemory > 0
        && matches!(config.maxmemory_policy, AllkeysLru | VolatileLru | AllkeysLfu | VolatileLfu);
    about(ctx, args, |entry| match entry.value() {
        Value::Int(number) if SHARED.contains(&number) && !own_clocks => Ok(i64::from(i32::MAX)),
        _ => Ok(1),
    })
}
