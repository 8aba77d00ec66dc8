use std::sync::Arc;

use command::scripts::{Libraries, Library};
use command::{Args, Ctx, Error, Flags, Outcome, Services, Spec};
use script::{ShebangError, functions_shebang};

use super::BASE;
use crate::help;
use crate::script::engines;

pub const DELETE: Spec = Spec {
    name: "delete",
    arity: 3,
    flags: Flags::NOSCRIPT.union(Flags::WRITE).union(Flags::EXCLUSIVE),
    summary: "Takes a library and its functions away.",
    syntax: "library-name",
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: delete,
    ..BASE
};

pub const FLUSH: Spec = Spec {
    name: "flush",
    arity: -2,
    flags: Flags::NOSCRIPT.union(Flags::WRITE).union(Flags::EXCLUSIVE),
    summary: "Takes all libraries away.",
    complexity: "O(N) where N is the number of functions.",
    syntax: "[flush-type=(ASYNC | SYNC)]",
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: flush,
    ..BASE
};

pub const LOAD: Spec = Spec {
    name: "load",
    arity: -3,
    flags: Flags::NOSCRIPT.union(Flags::WRITE).union(Flags::DENYOOM).union(Flags::EXCLUSIVE),
    summary: "Adds a library of functions.",
    complexity: "O(1) beside compiling it.",
    syntax: "[REPLACE] function-code",
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: load,
    ..BASE
};

fn delete(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut libraries = Libraries::clone(&ctx.services.scripts.libraries());
    if libraries.remove(args.at(2)).is_none() {
        return Err(Error::fixed("ERR Library not found"));
    }
    ctx.services.scripts.set_libraries(libraries);
    ctx.db.add_changes(1);
    ctx.reply.ok();
    Ok(())
}

fn flush(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(help::wrong_number(args));
    }
    if args.len() == 3 && !args.is(2, "SYNC") && !args.is(2, "ASYNC") {
        return Err(Error::fixed("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"));
    }
    ctx.services.scripts.set_libraries(Libraries::default());
    ctx.db.add_changes(1);
    ctx.reply.ok();
    Ok(())
}

fn load(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut replace = false;
    for word in 2..args.len() - 1 {
        if !args.is(word, "REPLACE") {
            return Err(Error::new(format!("ERR Unknown option given: {}", args.text(word))));
        }
        replace = true;
    }
    let mut libraries = Libraries::clone(&ctx.services.scripts.libraries());
    let library = add(ctx.services, &mut libraries, args.at(args.len() - 1), replace)
        .map_err(|why| Error::new(format!("ERR {why}")))?;
    ctx.services.scripts.set_libraries(libraries);
    ctx.db.add_changes(1);
    ctx.reply.bulk(&library.name);
    Ok(())
}

/// Reads a library and adds it to `libraries`.
///
/// # Errors
/// What is wrong with it, or whose names it takes.
pub fn add(
    services: &Services,
    libraries: &mut Libraries,
    code: &[u8],
    replace: bool,
) -> Result<Arc<Library>, String> {
    let (engine, name, start) = functions_shebang(code).map_err(|ShebangError(why)| why)?;
    if !script::is_name(&name) {
        return Err(script::BAD_NAME.into());
    }
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(format!("Engine '{}' not found", shown(&engine)));
    }
    if libraries.by_name.contains_key(&name) && !replace {
        return Err(format!("Library '{}' already exists", shown(&name)));
    }
    let functions = engines::with_functions(services, |own| own.try_load(&code[start..]))?;
    if functions.is_empty() {
        return Err("No functions registered".into());
    }
    libraries.remove(&name);
    let library = Library { name, code: code.into(), start, functions };
    if let Some(taken) = libraries.taken(&library) {
        return Err(format!("Function {} already exists", shown(&taken.name)));
    }
    let library = Arc::new(library);
    libraries.add(Arc::clone(&library));
    Ok(library)
}
