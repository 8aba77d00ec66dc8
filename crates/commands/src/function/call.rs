use command::{Args, Ctx, Error, Group, Outcome, Spec};

use crate::script::run::{self, Plan, Subject};
use crate::script::{FLAGS, FLAGS_RO, KEYS, KEYS_RO};

/// `FCALL function numkeys [key ...] [arg ...]`
pub const FCALL: Spec = Spec {
    name: "fcall",
    arity: -3,
    group: Group::Scripting,
    flags: FLAGS,
    keys: KEYS,
    since: "7.0.0",
    summary: "Runs a function.",
    complexity: "Depends on the function that is executed.",
    syntax: "function numkeys:integer [key ...] [arg ...]",
    run: |ctx, args| fcall(ctx, args, false),
    ..Spec::BASE
};

/// `FCALL_RO function numkeys [key ...] [arg ...]`
pub const FCALL_RO: Spec = Spec {
    name: "fcall_ro",
    flags: FLAGS_RO,
    keys: KEYS_RO,
    summary: "Runs a function that writes nothing.",
    run: |ctx, args| fcall(ctx, args, true),
    ..FCALL
};

fn fcall(ctx: &mut Ctx<'_>, args: Args<'_>, read_only: bool) -> Outcome {
    run::show(ctx, args);
    let name = args.at(1);
    let libraries = ctx.services.scripts.libraries();
    let library = libraries.functions.get(&name.to_ascii_lowercase());
    let function = library.and_then(|library| {
        library.functions.iter().find(|function| function.name.eq_ignore_ascii_case(name))
    });
    let function = function.ok_or(Error::fixed("ERR Function not found"))?;
    let keys = codec::number::parse_i64(args.at(2))
        .ok_or(Error::fixed("ERR Bad number of keys provided"))?;
    if keys > args.len() as i64 - 3 {
        return Err(Error::fixed("ERR Number of keys can't be greater than number of args"));
    }
    let keys =
        usize::try_from(keys).map_err(|_| Error::fixed("ERR Number of keys can't be negative"))?;
    let plan = Plan { args, keys, flags: Some(function.flags), read_only };
    run::run(ctx, plan, Subject::Function { name: &function.name })
}
