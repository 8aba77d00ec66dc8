use command::syntax::{self, Arg, ArgKind};
use command::{Args, Ctx, Outcome, Spec};
use resp::Writer;

/// `COMMAND DOCS`
pub const DOCS: Spec = Spec {
    name: "docs",
    container: Some("command"),
    arity: -2,
    since: "7.0.0",
    summary: "Documents some commands, or all.",
    complexity: "O(N) in the number of commands asked for",
    syntax: "[command-name]...",
    tips: &["nondeterministic_output_order"],
    run: docs,
    ..super::COMMON
};

/// Commands that servers and their tests send, which documentation for people leaves out.
const SYSTEM: [&str; 5] = ["debug", "pfdebug", "pfselftest", "replconf", "restore-asking"];

fn docs(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let table = &ctx.services.table;
    let found: Vec<_> = if args.len() == 2 {
        table.commands().collect()
    } else {
        args.iter_from(2).filter_map(|name| table.by_full_name(name)).collect()
    };
    ctx.reply.map(found.len());
    for command in found {
        document(&mut ctx.reply, command.spec());
    }
    Ok(())
}

/// A command's full name and its documentation.
fn document(reply: &mut Writer<'_>, spec: &Spec) {
    reply.bulk(spec.full_name().as_bytes());
    // A test makes sure that every syntax can be read.
    let arguments = syntax::parse(spec.syntax, spec.keys.len()).unwrap_or_default();
    let fields = reply.deferred();
    let mut pairs = 0;
    let mut text = |reply: &mut Writer<'_>, name: &str, value: &str| {
        if !value.is_empty() {
            reply.bulk(name.as_bytes());
            reply.bulk(value.as_bytes());
            pairs += 1;
        }
    };
    text(reply, "summary", spec.summary);
    text(reply, "since", spec.since);
    text(reply, "group", spec.group.name());
    text(reply, "complexity", spec.complexity);
    let (since, instead) = spec.deprecated.unwrap_or_default();
    let is_system = SYSTEM.contains(&spec.full_name().as_str());
    let marks: &[&str] = match (spec.deprecated.is_some(), is_system) {
        (true, true) => &["deprecated", "syscmd"],
        (true, false) => &["deprecated"],
        (false, true) => &["syscmd"],
        (false, false) => &[],
    };
    let mut more = 0;
    if !marks.is_empty() {
        reply.bulk(b"doc_flags");
        reply.set(marks.len());
        marks.iter().for_each(|mark| reply.simple(mark));
        more += 1;
    }
    text(reply, "deprecated_since", since);
    text(reply, "replaced_by", instead);
    if !spec.history.is_empty() {
        reply.bulk(b"history");
        reply.set(spec.history.len());
        for (version, change) in spec.history {
            reply.array(2);
            reply.bulk(version.as_bytes());
            reply.bulk(change.as_bytes());
        }
        more += 1;
    }
    if !arguments.is_empty() {
        reply.bulk(b"arguments");
        argument_list(reply, &arguments);
        more += 1;
    }
    if !spec.subcommands.is_empty() {
        reply.bulk(b"subcommands");
        reply.map(spec.subcommands.len());
        spec.subcommands.iter().for_each(|sub| document(reply, sub));
        more += 1;
    }
    reply.finish_map(fields, pairs + more);
}

fn argument_list(reply: &mut Writer<'_>, arguments: &[Arg]) {
    reply.array(arguments.len());
    arguments.iter().for_each(|arg| argument(reply, arg));
}

fn argument(reply: &mut Writer<'_>, arg: &Arg) {
    let flags: Vec<&str> = [
        (arg.optional, "optional"),
        (arg.multiple, "multiple"),
        (arg.multiple_token, "multiple_token"),
    ]
    .into_iter()
    .filter_map(|(set, name)| set.then_some(name))
    .collect();
    let inner = match &arg.kind {
        ArgKind::OneOf(inner) | ArgKind::Block(inner) => Some(inner),
        _ => None,
    };
    let optional =
        [arg.key_spec.is_some(), arg.token.is_some(), !flags.is_empty(), inner.is_some()];
    reply.map(2 + optional.into_iter().filter(|there| *there).count());
    reply.bulk(b"name");
    reply.bulk(arg.name.as_bytes());
    reply.bulk(b"type");
    reply.bulk(arg.kind.name().as_bytes());
    if let Some(index) = arg.key_spec {
        reply.bulk(b"key_spec_index");
        reply.integer(i64::try_from(index).unwrap_or(i64::MAX));
    }
    if let Some(token) = arg.token {
        reply.bulk(b"token");
        reply.bulk(token.as_bytes());
    }
    if !flags.is_empty() {
        reply.bulk(b"flags");
        reply.set(flags.len());
        flags.into_iter().for_each(|flag| reply.simple(flag));
    }
    if let Some(inner) = inner {
        reply.bulk(b"arguments");
        argument_list(reply, inner);
    }
}
