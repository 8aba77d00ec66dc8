use command::{
    Args, Begin, Ctx, Database, Error, Find, Flags, Group, KeyFlags, KeyList, KeySpec, Outcome,
    Spec,
};
use keyspace::Value;
use value::ObjectRef;

const ANYWHERE: Flags =
    Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE).union(Flags::ALLOW_BUSY);

/// `MULTI`
pub const MULTI: Spec = Spec {
    name: "multi",
    arity: 1,
    flags: ANYWHERE.union(Flags::FAST),
    group: Group::Transactions,
    since: "1.2.0",
    summary: "Starts a transaction: the commands that follow are queued until EXEC.",
    complexity: "O(1)",
    run: multi,
    ..Spec::BASE
};

/// `EXEC [IFEQ key value | IFNE key value | NX key | XX key]...`
pub const EXEC: Spec = Spec {
    name: "exec",
    arity: -1,
    keys: &[KeySpec { flags: KeyFlags::READ, begin: Begin::Unknown, find: Find::Unknown }],
    find_keys: Some(find_keys),
    flags: Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE).union(Flags::SKIP_SLOWLOG),
    group: Group::Transactions,
    since: "1.2.0",
    summary: "Runs the queued commands of a transaction, all or none and with nobody in between.",
    complexity: "Depends on the commands in the transaction",
    syntax: "[condition=(IFEQ ifeq=(key:key@0 value) | IFNE ifne=(key:key@0 value) | NX nx:key@0 | \
             XX xx:key@0)]...",
    history: &[("9.2.0", "Valkey: conditions.")],
    run: exec,
    ..Spec::BASE
};

/// `DISCARD`
pub const DISCARD: Spec = Spec {
    name: "discard",
    arity: 1,
    flags: ANYWHERE.union(Flags::FAST),
    group: Group::Transactions,
    since: "2.0.0",
    summary: "Forgets the queued commands of a transaction and ends it.",
    complexity: "O(N), when N is the number of queued commands",
    run: discard,
    ..Spec::BASE
};

fn multi(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    if ctx.session.transaction.is_some() {
        return Err(Error::fixed("ERR MULTI calls can not be nested"));
    }
    ctx.session.transaction = Some(command::Transaction::default());
    ctx.session.client.figures.queued.set(1);
    ctx.reply.ok();
    Ok(())
}

fn find_keys(args: Args<'_>, keys: &mut KeyList) -> Result<(), Error> {
    let conditions = Condition::all(args)?;
    keys.extend(conditions.iter().map(|condition| (condition.key, KeyFlags::READ)));
    Ok(())
}

/// What must be so for EXEC to run the queued commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The word that is the key.
    pub key: usize,
    /// What is asked of it.
    pub test: Test,
}

/// A condition's test of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// It is there (`true`), or not.
    Exists(bool),
    /// It holds the string that is the next word (`true`), or not.
    Equals(bool),
}

impl Condition {
    /// The conditions of EXEC's words.
    ///
    /// # Errors
    /// When a word is none.
    pub fn all(args: Args<'_>) -> Result<Vec<Self>, Error> {
        let mut all = Vec::new();
        let mut word = 1;
        while word < args.len() {
            let (test, words) = match args.at(word) {
                name if name.eq_ignore_ascii_case(b"IFEQ") => (Test::Equals(true), 3),
                name if name.eq_ignore_ascii_case(b"IFNE") => (Test::Equals(false), 3),
                name if name.eq_ignore_ascii_case(b"NX") => (Test::Exists(false), 2),
                name if name.eq_ignore_ascii_case(b"XX") => (Test::Exists(true), 2),
                _ => return Err(Error::arity("exec")),
            };
            if args.len() - word < words {
                return Err(Error::SYNTAX);
            }
            all.push(Self { key: word + 1, test });
            word += words;
        }
        Ok(all)
    }

    /// Whether it is so. A value that is no string equals none.
    pub fn holds(&self, db: &mut Database<'_>, args: Args<'_>) -> bool {
        let entry = db.get(args.key(self.key));
        match self.test {
            Test::Exists(wanted) => entry.is_some() == wanted,
            Test::Equals(wanted) => {
                let wanted_value = args.at(self.key + 1);
                let equal = entry.is_some_and(|entry| match entry.value() {
                    Value::Bytes(bytes) => bytes == wanted_value,
                    Value::Int(int) => value::item::canonical_int(wanted_value) == Some(int),
                    Value::Object(ObjectRef::String(bytes)) => bytes == wanted_value,
                    Value::Object(_) => false,
                });
                equal == wanted
            }
        }
    }
}

/// Reached only outside of a transaction.
fn exec(_: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if let Err(error) = Condition::all(args) {
        // As for any command in the wrong form, which ends a transaction even where there is none.
        let why = error.line().strip_prefix("ERR ").unwrap_or(error.line()).to_owned();
        return Err(Error::new(format!("EXECABORT Transaction discarded because of: {why}")));
    }
    Err(Error::fixed("ERR EXEC without MULTI"))
}

fn discard(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    if ctx.session.transaction.take().is_none() {
        return Err(Error::fixed("ERR DISCARD without MULTI"));
    }
    ctx.session.client.figures.queued.set(0);
    super::watch::unwatch_all(ctx);
    ctx.reply.ok();
    Ok(())
}
