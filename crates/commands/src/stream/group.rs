use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use value::stream::{Id, Stream};

use super::ids;
use crate::help;

/// `XGROUP <subcommand> ...`
pub const XGROUP: Spec = Spec {
    name: "xgroup",
    arity: -2,
    group: Group::Stream,
    since: "5.0.0",
    summary: "Holds the commands about groups of consumers.",
    complexity: "Depends on the subcommand.",
    subcommands: &[&CREATE, &CREATECONSUMER, &DELCONSUMER, &DESTROY, &HELP, &SETID],
    ..Spec::BASE
};

const INSERTS: &[KeySpec] = &[KeySpec::one(2, KeyFlags::RW.union(KeyFlags::INSERT))];
const DELETES: &[KeySpec] = &[KeySpec::one(2, KeyFlags::RW.union(KeyFlags::DELETE))];
const UPDATES: &[KeySpec] = &[KeySpec::one(2, KeyFlags::RW.union(KeyFlags::UPDATE))];

const BASE: Spec = Spec {
    container: Some("xgroup"),
    flags: Flags::WRITE,
    group: Group::Stream,
    since: "5.0.0",
    complexity: "O(1)",
    ..Spec::BASE
};

const CREATE: Spec = Spec {
    name: "create",
    arity: -5,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    keys: INSERTS,
    summary: "Makes a group of consumers.",
    syntax: "key groupname id=(id | new_id=$) [mkstream=MKSTREAM] [ENTRIESREAD entries_read:integer]",
    history: &[("7.0.0", "`ENTRIESREAD`.")],
    run: create,
    ..BASE
};

const CREATECONSUMER: Spec = Spec {
    name: "createconsumer",
    arity: 5,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    keys: INSERTS,
    since: "6.2.0",
    summary: "Makes a consumer in a group.",
    syntax: "key groupname consumername",
    run: create_consumer,
    ..BASE
};

const DELCONSUMER: Spec = Spec {
    name: "delconsumer",
    arity: 5,
    keys: DELETES,
    summary: "Removes a consumer with what it has pending.",
    syntax: "key groupname consumername",
    run: delete_consumer,
    ..BASE
};

const DESTROY: Spec = Spec {
    name: "destroy",
    arity: 4,
    keys: DELETES,
    summary: "Removes a group of consumers.",
    complexity: "O(N) with N entries pending in the group",
    syntax: "key groupname",
    run: destroy,
    ..BASE
};

const HELP: Spec = Spec {
    name: "help",
    arity: 2,
    flags: Flags::LOADING.union(Flags::STALE),
    summary: "Lists the subcommands.",
    run: |ctx, args| {
        help::reply(ctx, args, LINES);
        Ok(())
    },
    ..BASE
};

const SETID: Spec = Spec {
    name: "setid",
    arity: -5,
    keys: UPDATES,
    summary: "Sets the ID after which a group goes on.",
    syntax: "key groupname id=(id | new_id=$) [ENTRIESREAD entries_read:integer]",
    history: &[("7.0.0", "`ENTRIESREAD`.")],
    run: set_id,
    ..BASE
};

const LINES: &[&str] = &[
    "CREATE <key> <groupname> <id|$> [MKSTREAM] [ENTRIESREAD <count>]",
    "    Make a group that goes on after <id>.",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Make a consumer.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove a consumer.",
    "DESTROY <key> <groupname>",
    "    Remove a group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD <count>]",
    "    Let a group go on after <id>.",
];

const NO_KEY: Error = Error::fixed(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to \
     use the MKSTREAM option to create an empty stream automatically.",
);
const BUSY: Error = Error::fixed("BUSYGROUP Consumer Group name already exists");
const BAD_COUNT: Error = Error::fixed("ERR value for ENTRIESREAD must be positive or -1");

/// What stands behind the ID.
#[derive(Default)]
struct Options {
    make_stream: bool,
    entries_read: Option<u64>,
}

impl Options {
    fn parse(args: Args<'_>, creates: bool) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut word = 5;
        while word < args.len() {
            if creates && args.is(word, "MKSTREAM") {
                options.make_stream = true;
                word += 1;
            } else if args.is(word, "ENTRIESREAD") && word + 1 < args.len() {
                let count = args.integer(word + 1)?;
                if count < -1 {
                    return Err(BAD_COUNT);
                }
                options.entries_read = u64::try_from(count).ok();
                word += 2;
            } else {
                return Err(wrong_words(args));
            }
        }
        Ok(options)
    }
}

fn wrong_words(args: Args<'_>) -> Error {
    Error::new(format!(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
        args.text(1),
        args.text(0).to_uppercase()
    ))
}

fn no_group(args: Args<'_>) -> Error {
    Error::new(format!(
        "NOGROUP No such consumer group '{}' for key name '{}'",
        args.text(3),
        args.text(2)
    ))
}

fn create(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let options = Options::parse(args, true)?;
    let key = args.key(2);
    let last_id = match ctx.db.write::<Stream>(key)? {
        None if !options.make_stream => return Err(NO_KEY),
        stream => stream.map_or(Id::MIN, |stream| stream.last_id()),
    };
    if args.len() > 8 {
        return Err(wrong_words(args));
    }
    let id = if args.at(4) == b"$" { last_id } else { ids::strict(args, 4)? };
    let stream = ctx.db.write_or_make(key, Stream::new)?;
    if !stream.create_group(args.at(3), id, options.entries_read) {
        return Err(BUSY);
    }
    ctx.db.changed(key, KeyspaceEvents::STREAM, "xgroup-create");
    ctx.reply.ok();
    Ok(())
}

fn set_id(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let options = Options::parse(args, false)?;
    let key = args.key(2);
    let stream = ctx.db.write::<Stream>(key)?.ok_or(NO_KEY)?;
    let last_id = stream.last_id();
    let group = stream.group_mut(args.at(3)).ok_or_else(|| no_group(args))?;
    if args.len() > 7 {
        return Err(wrong_words(args));
    }
    group.last_id = if args.at(4) == b"$" { last_id } else { ids::open(args, 4)? };
    group.entries_read = options.entries_read;
    ctx.db.changed(key, KeyspaceEvents::STREAM, "xgroup-setid");
    ctx.reply.ok();
    Ok(())
}

fn destroy(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(2);
    let gone = ctx.db.write::<Stream>(key)?.ok_or(NO_KEY)?.destroy_group(args.at(3));
    if gone {
        ctx.db.changed(key, KeyspaceEvents::STREAM, "xgroup-destroy");
    }
    ctx.reply.integer(i64::from(gone));
    Ok(())
}

fn create_consumer(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(2);
    let now_ms = u64::try_from(ctx.now_ms()).unwrap_or_default();
    let stream = ctx.db.write::<Stream>(key)?.ok_or(NO_KEY)?;
    let group = stream.group_mut(args.at(3)).ok_or_else(|| no_group(args))?;
    let made = group.create_consumer(args.at(4), now_ms);
    if made {
        ctx.db.changed(key, KeyspaceEvents::STREAM, "xgroup-createconsumer");
    }
    ctx.reply.integer(i64::from(made));
    Ok(())
}

fn delete_consumer(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(2);
    let stream = ctx.db.write::<Stream>(key)?.ok_or(NO_KEY)?;
    let group = stream.group_mut(args.at(3)).ok_or_else(|| no_group(args))?;
    let pending = group.delete_consumer(args.at(4));
    if pending.is_some() {
        ctx.db.changed(key, KeyspaceEvents::STREAM, "xgroup-delconsumer");
    }
    ctx.reply.integer(pending.unwrap_or(0) as i64);
    Ok(())
}
