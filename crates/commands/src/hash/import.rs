//! Many hashes with the same fields: a connection names the fields once, and then sends values only.

use command::{Args, Ctx, Deadline, Error, Flags, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Payload;
use value::hash::{Hash, Ttl};
use value::{Item, Object};

use super::{HASH, limits};

/// `HIMPORT <subcommand> ...`
pub const HIMPORT: Spec = Spec {
    name: "himport",
    arity: -2,
    since: "8.10.0",
    summary: "Holds the commands that make hashes of fields which the connection has named.",
    complexity: "Depends on the subcommand.",
    keys: &[],
    subcommands: &[&DISCARD, &DISCARDALL, &PREPARE, &SET],
    ..HASH
};

const BASE: Spec = Spec { container: Some("himport"), keys: &[], since: "8.10.0", ..HASH };

const PREPARE: Spec = Spec {
    name: "prepare",
    arity: -4,
    flags: Flags::DENYOOM,
    summary: "Gives a list of fields a name, for this connection.",
    complexity: "O(N*log(N)) with N fields",
    syntax: "fieldset-name field...",
    tips: &["request_policy:all_shards"],
    run: prepare,
    ..BASE
};

const SET: Spec = Spec {
    name: "set",
    arity: -5,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    keys: &[KeySpec::one(2, KeyFlags::OW.union(KeyFlags::UPDATE))],
    summary: "Makes a hash of the fields that have a name and of their values.",
    complexity: "O(N) with N fields",
    syntax: "key fieldset-name value...",
    run: set,
    ..BASE
};

const DISCARD: Spec = Spec {
    name: "discard",
    arity: 3,
    summary: "Forgets a list of fields.",
    complexity: "O(N) with N lists of fields",
    syntax: "fieldset-name",
    run: discard,
    ..BASE
};

const DISCARDALL: Spec = Spec {
    name: "discardall",
    arity: 2,
    summary: "Forgets all lists of fields of this connection.",
    complexity: "O(N) with N lists of fields",
    run: discard_all,
    ..BASE
};

const TWICE: Error = Error::fixed("ERR duplicate field name in fieldset");
const UNKNOWN: Error = Error::fixed("ERR no such fieldset");
const WRONG_NUMBER: Error = Error::fixed("ERR value count does not match the fieldset field count");

fn prepare(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut sorted: Vec<&[u8]> = args.iter_from(3).collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(TWICE);
    }
    let fields = args.iter_from(3).map(Box::from).collect();
    ctx.session.keep_fieldset(args.at(2), fields);
    ctx.reply.ok();
    Ok(())
}

fn set(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let fields = ctx.session.fieldsets.get(args.at(3)).cloned().ok_or(UNKNOWN)?;
    if fields.len() != args.len() - 4 {
        return Err(WRONG_NUMBER);
    }
    let key = args.key(2);
    // A hash is replaced; anything else is not.
    ctx.db.write::<Hash>(key)?;
    let limits = limits(ctx.config);
    let longest = args.iter_from(4).chain(fields.iter().map(|field| &**field)).map(<[u8]>::len);
    let mut hash = Hash::new();
    hash.before_growth(fields.len(), longest.max().unwrap_or(0), limits);
    for (field, value) in fields.iter().zip(args.iter_from(4)) {
        hash.set(Item::parse(field), Item::parse(value), Ttl::Clear, limits);
    }
    ctx.db.put(key, Payload::Object(Object::Hash(hash)), Deadline::None);
    // The names of the fields are known to this session only.
    ctx.effects.instead(&[b"DEL", key.bytes()]);
    let pairs = fields.iter().zip(args.iter_from(4)).flat_map(|(field, value)| [&**field, value]);
    ctx.effects.beside(&[&b"HSET"[..], key.bytes()].into_iter().chain(pairs).collect::<Vec<_>>());
    ctx.db.changed(key, KeyspaceEvents::HASH, "hset");
    ctx.reply.ok();
    Ok(())
}

fn discard(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let known = ctx.session.forget_fieldset(args.at(2));
    ctx.reply.integer(i64::from(known));
    Ok(())
}

fn discard_all(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    let known = std::mem::take(&mut ctx.session.fieldsets);
    ctx.session.fieldsets_bytes = 0;
    ctx.reply.integer(known.len() as i64);
    Ok(())
}
