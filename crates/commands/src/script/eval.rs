use std::sync::Arc;

use command::scripts::{Sha, Source};
use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use script::{ShebangError, script_shebang, sha1_hex};

use super::engines;
use super::run::{self, Plan, Subject};

/// What scripts and functions that may write have in common.
pub(crate) const FLAGS: Flags = Flags::NOSCRIPT
    .union(Flags::SKIP_MONITOR)
    .union(Flags::MAY_REPLICATE)
    .union(Flags::NO_MANDATORY_KEYS)
    .union(Flags::STALE)
    .union(Flags::EXCLUSIVE);
/// The same of those that may not.
pub(crate) const FLAGS_RO: Flags = FLAGS.difference(Flags::MAY_REPLICATE).union(Flags::READONLY);
/// Nobody can tell what is done with the keys.
pub(crate) const KEYS: &[KeySpec] =
    &[KeySpec::counted(2, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))];
/// The same where they are only read.
pub(crate) const KEYS_RO: &[KeySpec] = &[KeySpec::counted(2, KeyFlags::READ)];

const BASE: Spec = Spec {
    arity: -3,
    group: Group::Scripting,
    flags: FLAGS,
    keys: KEYS,
    since: "2.6.0",
    complexity: "Depends on the script that is executed.",
    ..Spec::BASE
};

/// `EVAL script numkeys [key ...] [arg ...]`
pub const EVAL: Spec = Spec {
    name: "eval",
    summary: "Runs a script in Lua.",
    syntax: "script numkeys:integer [key ...] [arg ...]",
    run: eval,
    ..BASE
};

/// `EVAL_RO script numkeys [key ...] [arg ...]`
pub const EVAL_RO: Spec = Spec {
    name: "eval_ro",
    flags: FLAGS_RO,
    keys: KEYS_RO,
    since: "7.0.0",
    summary: "Runs a script in Lua that writes nothing.",
    syntax: "script numkeys:integer [key ...] [arg ...]",
    run: eval_ro,
    ..BASE
};

/// `EVALSHA sha1 numkeys [key ...] [arg ...]`
pub const EVALSHA: Spec = Spec {
    name: "evalsha",
    summary: "Runs a script in Lua that the server knows by its SHA-1.",
    syntax: "sha1 numkeys:integer [key ...] [arg ...]",
    run: evalsha,
    ..BASE
};

/// `EVALSHA_RO sha1 numkeys [key ...] [arg ...]`
pub const EVALSHA_RO: Spec = Spec {
    name: "evalsha_ro",
    flags: FLAGS_RO,
    keys: KEYS_RO,
    since: "7.0.0",
    summary: "Runs a script in Lua that the server knows by its SHA-1, and that writes nothing.",
    syntax: "sha1 numkeys:integer [key ...] [arg ...]",
    run: evalsha_ro,
    ..BASE
};

pub(crate) const NO_SCRIPT: Error = Error::fixed("NOSCRIPT No matching script. Please use EVAL.");

fn eval(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    by_text(ctx, args, false)
}

fn eval_ro(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    by_text(ctx, args, true)
}

fn evalsha(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    by_sha(ctx, args, false)
}

fn evalsha_ro(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    by_sha(ctx, args, true)
}

fn by_text(ctx: &mut Ctx<'_>, args: Args<'_>, read_only: bool) -> Outcome {
    run::show(ctx, args);
    let keys = number_of_keys(args)?;
    let sha = sha1_hex(args.at(1));
    let source = match ctx.services.scripts.find(&sha) {
        Some(source) => source,
        None => {
            let source = compile(ctx, sha, args.at(1))?;
            ctx.services.scripts.add(sha, Arc::clone(&source), true);
            source
        }
    };
    run(ctx, args, keys, (sha, source), read_only)
}

fn by_sha(ctx: &mut Ctx<'_>, args: Args<'_>, read_only: bool) -> Outcome {
    run::show(ctx, args);
    let sha = sha_of(args.at(1)).ok_or(NO_SCRIPT)?;
    let keys = number_of_keys(args)?;
    let source = ctx.services.scripts.find(&sha).ok_or(NO_SCRIPT)?;
    run(ctx, args, keys, (sha, source), read_only)
}

/// A script's name as a client gives it.
pub(crate) fn sha_of(word: &[u8]) -> Option<Sha> {
    let mut sha: Sha = word.try_into().ok()?;
    sha.make_ascii_lowercase();
    Some(sha)
}

/// Compiles a script that is new to the server.
pub(crate) fn compile(ctx: &Ctx<'_>, sha: Sha, text: &[u8]) -> Result<Arc<Source>, Error> {
    let (flags, start) =
        script_shebang(text).map_err(|ShebangError(why)| Error::new(format!("ERR {why}")))?;
    let source = Arc::new(Source { text: text.into(), flags, start });
    engines::with_scripts(ctx.services, |scripts| scripts.compile(sha, &source)).map_err(
        |why| {
            let why = String::from_utf8_lossy(&why).into_owned();
            Error::new(format!("ERR Error compiling script (new function): {why}"))
        },
    )?;
    Ok(source)
}

fn number_of_keys(args: Args<'_>) -> Result<usize, Error> {
    let keys = args.integer(2)?;
    if keys > args.len() as i64 - 3 {
        return Err(Error::fixed("ERR Number of keys can't be greater than number of args"));
    }
    usize::try_from(keys).map_err(|_| Error::fixed("ERR Number of keys can't be negative"))
}

fn run(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    keys: usize,
    (sha, source): (Sha, Arc<Source>),
    read_only: bool,
) -> Outcome {
    let plan = Plan { args, keys, flags: source.flags, read_only };
    run::run(ctx, plan, Subject::Script { sha, source })
}
