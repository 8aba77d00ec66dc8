use command::scripts::Library;
use command::{Args, Ctx, Error, Flags, Outcome, Spec};

use super::BASE;

pub const LIST: Spec = Spec {
    name: "list",
    arity: -2,
    summary: "Describes libraries and their functions.",
    complexity: "O(N) where N is the number of functions.",
    syntax: "[LIBRARYNAME library-name-pattern] [WITHCODE]",
    tips: &["nondeterministic_output_order"],
    run: list,
    ..BASE
};

pub const STATS: Spec = Spec {
    name: "stats",
    arity: 2,
    flags: Flags::NOSCRIPT.union(Flags::ALLOW_BUSY),
    summary: "Tells which function runs, and how many functions there are.",
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    run: stats,
    ..BASE
};

fn list(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (mut with_code, mut pattern) = (false, None);
    let mut word = 2;
    while word < args.len() {
        if !with_code && args.is(word, "WITHCODE") {
            with_code = true;
        } else if pattern.is_none() && args.is(word, "LIBRARYNAME") {
            word += 1;
            pattern = Some(
                args.get(word).ok_or(Error::fixed("ERR library name argument was not given"))?,
            );
        } else {
            return Err(Error::new(format!("ERR Unknown argument {}", args.text(word))));
        }
        word += 1;
    }
    let libraries = ctx.services.scripts.libraries();
    let wanted = |library: &Library| {
        pattern.is_none_or(|pattern| codec::glob::matches(pattern, &library.name, true))
    };
    let shown: Vec<_> = libraries.by_name.values().filter(|library| wanted(library)).collect();
    ctx.reply.array(shown.len());
    for library in shown {
        describe(ctx, library, with_code);
    }
    Ok(())
}

fn describe(ctx: &mut Ctx<'_>, library: &Library, with_code: bool) {
    let reply = &mut ctx.reply;
    reply.map(if with_code { 4 } else { 3 });
    reply.bulk(b"library_name");
    reply.bulk(&library.name);
    reply.bulk(b"engine");
    reply.bulk(b"LUA");
    reply.bulk(b"functions");
    reply.array(library.functions.len());
    for function in &library.functions {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(&function.name);
        reply.bulk(b"description");
        match &function.description {
            Some(description) => reply.bulk(description),
            None => reply.null(),
        }
        reply.bulk(b"flags");
        reply.set(function.flags.names().count());
        function.flags.names().for_each(|name| reply.simple(name));
    }
    if with_code {
        reply.bulk(b"library_code");
        reply.bulk(&library.code);
    }
}

fn stats(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let running = ctx.services.scripts.running();
    if running.as_ref().is_some_and(|running| running.is_script) {
        return Err(crate::script::busy_error(true));
    }
    let now_ns = ctx.services.clock.monotonic_ns();
    let libraries = ctx.services.scripts.libraries();
    let reply = &mut ctx.reply;
    reply.map(2);
    reply.bulk(b"running_script");
    match running {
        None => reply.null(),
        Some(running) => {
            reply.map(3);
            reply.bulk(b"name");
            reply.bulk(&running.name);
            reply.bulk(b"command");
            let words = running.words.view();
            reply.array(words.len());
            words.iter().for_each(|word| reply.bulk(word));
            reply.bulk(b"duration_ms");
            reply.integer((now_ns.saturating_sub(running.start_ns) / 1_000_000) as i64);
        }
    }
    reply.bulk(b"engines");
    reply.map(1);
    reply.bulk(b"LUA");
    reply.map(2);
    reply.bulk(b"libraries_count");
    reply.integer(libraries.by_name.len() as i64);
    reply.bulk(b"functions_count");
    reply.integer(libraries.functions.len() as i64);
    Ok(())
}
