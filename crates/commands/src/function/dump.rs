use std::sync::atomic::Ordering;

use command::scripts::Libraries;
use command::{Args, Ctx, Error, Flags, Outcome, Spec};

use super::{BASE, library};
use crate::help;

pub const DUMP: Spec = Spec {
    name: "dump",
    arity: 2,
    summary: "Gives all libraries in a form that FUNCTION RESTORE takes.",
    complexity: "O(N) where N is the number of functions.",
    run: dump,
    ..BASE
};

pub const RESTORE: Spec = Spec {
    name: "restore",
    arity: -3,
    flags: Flags::NOSCRIPT.union(Flags::WRITE).union(Flags::DENYOOM).union(Flags::EXCLUSIVE),
    summary: "Adds libraries that FUNCTION DUMP gave.",
    complexity: "O(N) where N is the number of functions.",
    syntax: "serialized-value [policy=(FLUSH | APPEND | REPLACE)]",
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: restore,
    ..BASE
};

fn dump(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let libraries = ctx.services.scripts.libraries();
    let sources = libraries.by_name.values().map(|library| &*library.code);
    ctx.reply.bulk(&rdb::dump_functions(sources, ctx.config.rdbcompression));
    Ok(())
}

fn restore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 4 {
        return Err(help::wrong_number(args));
    }
    let (flush, replace) = match args.len() {
        3 => (false, false),
        _ if args.is(3, "APPEND") => (false, false),
        _ if args.is(3, "REPLACE") => (false, true),
        _ if args.is(3, "FLUSH") => (true, false),
        _ => {
            return Err(Error::fixed(
                "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ));
        }
    };
    let check = !ctx.services.persistence.skip_checksums.load(Ordering::Relaxed);
    let sources = rdb::restore_functions(args.at(2), check).map_err(|error| {
        Error::fixed(match error {
            None => "ERR DUMP payload version or checksum are wrong",
            Some(rdb::Error::UnknownType(_)) => "ERR given type is not a function",
            Some(_) => "ERR failed loading the given functions payload",
        })
    })?;
    let failed = |why: String| Error::new(format!("ERR {why}"));
    let mut restored = Libraries::default();
    for source in sources {
        library::add(ctx.services, &mut restored, &source, false).map_err(failed)?;
    }
    let joined = if flush {
        restored
    } else {
        let mut all = Libraries::clone(&ctx.services.scripts.libraries());
        for library in restored.by_name.values() {
            let name = String::from_utf8_lossy(&library.name).into_owned();
            if all.by_name.contains_key(&library.name) {
                if !replace {
                    return Err(failed(format!("Library {name} already exists")));
                }
                all.remove(&library.name);
            }
        }
        for library in restored.by_name.into_values() {
            if let Some(taken) = all.taken(&library) {
                let name = String::from_utf8_lossy(&taken.name).into_owned();
                return Err(failed(format!("Function {name} already exists")));
            }
            all.add(library);
        }
        all
    };
    ctx.services.scripts.set_libraries(joined);
    ctx.db.add_changes(1);
    ctx.reply.ok();
    Ok(())
}
