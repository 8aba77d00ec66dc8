use command::{
    Args, Ctx, Databases, Deadline, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec,
};
use config::KeyspaceEvents;
use keyspace::{Payload, Value};
use smallvec::SmallVec;

/// `COPY source destination [DB destination-db] [REPLACE]`
pub const COPY: Spec = Spec {
    name: "copy",
    arity: -3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::LINEAR),
    group: Group::Generic,
    keys: &[KeySpec::one(1, KeyFlags::READ), KeySpec::one(2, KeyFlags::OW.union(KeyFlags::UPDATE))],
    since: "6.2.0",
    summary: "Stores the value of a key under another key as well, with its time to live.",
    complexity: "O(N) with N the size of the value.",
    syntax: "source destination [DB destination-db:integer] [REPLACE]",
    databases: Databases::Named(named_databases),
    run: copy,
    ..Spec::BASE
};

/// `MOVE key db [REPLACE]`
pub const MOVE: Spec = Spec {
    name: "move",
    arity: -3,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::Generic,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))],
    since: "1.0.0",
    summary: "Moves a key to another database unless that has a key of this name.",
    complexity: "O(1)",
    syntax: "key db:integer [REPLACE]",
    history: &[("9.2.0", "Valkey: `REPLACE`.")],
    databases: Databases::Named(|_| SmallVec::from_slice(&[2])),
    run: move_key,
    ..Spec::BASE
};

/// A value on its way to another place, which borrows nothing.
enum Copied {
    Bytes(Vec<u8>),
    Int(i64),
    Object(value::Object),
}

impl Copied {
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            Value::Int(number) => Self::Int(number),
            Value::Object(object) => Self::Object(object.to_object()),
        }
    }
}

struct Options {
    database: usize,
    replace: bool,
}

/// The words that follow DB.
fn named_databases(args: Args<'_>) -> SmallVec<[usize; 2]> {
    (4..args.len()).filter(|word| args.is(word - 1, "db")).collect()
}

fn options(ctx: &Ctx<'_>, args: Args<'_>) -> Result<Options, Error> {
    let mut options = Options { database: ctx.db.number(), replace: false };
    let mut word = 3;
    while word < args.len() {
        if args.is(word, "replace") {
            options.replace = true;
        } else if args.is(word, "db") && word + 1 < args.len() {
            word += 1;
            options.database = database(ctx, args, word)?;
        } else {
            return Err(Error::SYNTAX);
        }
        word += 1;
    }
    Ok(options)
}

/// The word at `word` as the number of a database.
fn database(ctx: &Ctx<'_>, args: Args<'_>, word: usize) -> Result<usize, Error> {
    let number = args.int(word)?;
    let databases = ctx.services.keyspace.databases();
    usize::try_from(number).ok().filter(|number| *number < databases).ok_or(Error::DB_OUT_OF_RANGE)
}

fn copy(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let Options { database, replace } = options(ctx, args)?;
    let (from, to) = (args.key(1), args.key(2));
    if database == ctx.db.number() && from.bytes() == to.bytes() {
        return Err(Error::SAME_OBJECT);
    }
    // A big value is copied only when there is a place for it.
    if ctx.db.get(from).is_none() || (!replace && ctx.db.within(database, |db| db.contains(to))) {
        ctx.reply.integer(0);
        return Ok(());
    }
    let Some(entry) = ctx.db.peek(from) else { return Ok(()) };
    let deadline = entry.deadline_ms().map_or(Deadline::None, Deadline::At);
    let copied = Copied::of(entry.value());
    ctx.db.within(database, |db| {
        db.remove(to);
        match copied {
            Copied::Bytes(bytes) => db.put(to, Payload::Bytes(&bytes), deadline),
            Copied::Int(number) => db.put(to, Payload::Int(number), deadline),
            Copied::Object(object) => db.put(to, Payload::Object(object), deadline),
        }
        db.changed(to, KeyspaceEvents::GENERIC, "copy_to");
    });
    ctx.reply.integer(1);
    Ok(())
}

fn move_key(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let replace = match args.len() {
        3 => false,
        4 if args.is(3, "REPLACE") => true,
        _ => return Err(Error::arity("move")),
    };
    let target = database(ctx, args, 2)?;
    if target == ctx.db.number() {
        return Err(Error::SAME_OBJECT);
    }
    let absent = ctx.db.get_mut(key).is_none();
    if absent || (!replace && ctx.db.within(target, |db| db.contains(key))) {
        ctx.reply.integer(0);
        return Ok(());
    }
    if let Some(entry) = ctx.db.take(key) {
        ctx.db.changed_too(key, KeyspaceEvents::GENERIC, "move_from");
        ctx.db.within(target, |db| {
            db.remove(key);
            db.put_entry(key, entry);
            db.changed(key, KeyspaceEvents::GENERIC, "move_to");
        });
    }
    ctx.reply.integer(1);
    Ok(())
}
