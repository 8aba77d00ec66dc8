use command::{Args, Begin, Categories, Ctx, Find, Flags, KeyFlags, KeySpec, Outcome, Spec};
use resp::Writer;

/// `COMMAND INFO`
pub const INFO: Spec = Spec {
    name: "info",
    container: Some("command"),
    arity: -2,
    since: "2.8.13",
    summary: "Describes some commands, or all.",
    complexity: "O(N) in the number of commands asked for",
    syntax: "[command-name]...",
    history: &[("7.0.0", "Without arguments it describes all commands.")],
    tips: &["nondeterministic_output_order"],
    run: info,
    ..super::COMMON
};

fn info(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() == 2 {
        reply_all(ctx);
        return Ok(());
    }
    ctx.reply.array(args.len() - 2);
    for name in args.iter_from(2) {
        match ctx.services.table.by_full_name(name) {
            Some(command) => describe(&mut ctx.reply, command.spec()),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}

/// Answers with every command's description.
pub fn reply_all(ctx: &mut Ctx<'_>) {
    ctx.reply.array(ctx.services.table.commands().count());
    for command in ctx.services.table.commands() {
        describe(&mut ctx.reply, command.spec());
    }
}

fn describe(reply: &mut Writer<'_>, spec: &Spec) {
    let (first, last, step) = legacy_range(spec.keys);
    reply.array(10);
    reply.bulk(spec.full_name().as_bytes());
    reply.integer(i64::from(spec.arity));
    flags(reply, spec);
    reply.integer(i64::from(first));
    reply.integer(i64::from(last));
    reply.integer(i64::from(step));
    let categories = spec.all_categories();
    let named: Vec<_> =
        Categories::named().filter(|(_, category)| categories.contains(*category)).collect();
    reply.set(named.len());
    named.iter().for_each(|(name, _)| reply.simple(&format!("@{name}")));
    reply.set(spec.tips.len());
    spec.tips.iter().for_each(|tip| reply.bulk(tip.as_bytes()));
    reply.set(spec.keys.len());
    spec.keys.iter().for_each(|spec| key_spec(reply, spec));
    if spec.subcommands.is_empty() {
        reply.set(0);
    } else {
        reply.array(spec.subcommands.len());
        spec.subcommands.iter().for_each(|sub| describe(reply, sub));
    }
}

fn flags(reply: &mut Writer<'_>, spec: &Spec) {
    let mut names: Vec<&str> = spec.flags.names().collect();
    if has_movable_keys(spec) {
        let busy = usize::from(spec.flags.contains(Flags::ALLOW_BUSY));
        names.insert(names.len() - busy, "movablekeys");
    }
    reply.set(names.len());
    names.into_iter().for_each(|name| reply.simple(name));
}

/// Where a run of consecutive single keys lies: first, last (from the end when negative) and step; what
/// COMMAND told before there were key specifications.
fn legacy_range(keys: &[KeySpec]) -> (i32, i32, i32) {
    if let [KeySpec { begin: Begin::Index(first), find: Find::Range { last, step, .. }, .. }] = keys
    {
        return (*first, absolute(*first, *last), *step);
    }
    let mut range: Option<(i32, i32)> = None;
    for (first, last) in keys.iter().filter_map(single_step) {
        match range {
            None => range = Some((first, last)),
            Some((begin, end)) if follows(end, first) => {
                // A negative end reaches farther than any positive one.
                range = Some((begin, if last < 0 || end < 0 { last.min(-1) } else { last }));
            }
            Some(_) => {}
        }
    }
    range.map_or((0, 0, 0), |(first, last)| (first, last, 1))
}

fn absolute(first: i32, last: i32) -> i32 {
    if last >= 0 { first + last } else { last }
}

/// First and last key of a specification that is a range of adjacent words.
fn single_step(spec: &KeySpec) -> Option<(i32, i32)> {
    match (spec.begin, spec.find) {
        (Begin::Index(first), Find::Range { last, step: 1, .. }) => {
            Some((first, absolute(first, last)))
        }
        _ => None,
    }
}

fn follows(end: i32, first: i32) -> bool {
    end == first - 1
}

/// Whether the legacy range misses keys.
fn has_movable_keys(spec: &Spec) -> bool {
    let incomplete = |key: &KeySpec| key.flags.contains(KeyFlags::INCOMPLETE);
    match spec.keys {
        [] => false,
        [only @ KeySpec { begin: Begin::Index(_), find: Find::Range { .. }, .. }] => {
            incomplete(only)
        }
        several => {
            let mut end = None;
            let mut missed = false;
            for key in several {
                match single_step(key) {
                    Some((first, last)) if end.is_none_or(|end| follows(end, first)) => {
                        missed |= incomplete(key);
                        end = Some(last);
                    }
                    _ => missed = true,
                }
            }
            missed
        }
    }
}

fn key_spec(reply: &mut Writer<'_>, spec: &KeySpec) {
    reply.map(3);
    reply.bulk(b"flags");
    key_flags(reply, spec.flags);
    reply.bulk(b"begin_search");
    match spec.begin {
        Begin::Index(index) => {
            typed(reply, "index", 1);
            number(reply, "index", index);
        }
        Begin::Keyword(word, from) => {
            typed(reply, "keyword", 2);
            reply.bulk(b"keyword");
            reply.bulk(word.as_bytes());
            number(reply, "startfrom", from);
        }
        Begin::Unknown => typed(reply, "unknown", 0),
    }
    reply.bulk(b"find_keys");
    match spec.find {
        Find::Range { last, step, limit } => {
            typed(reply, "range", 3);
            number(reply, "lastkey", last);
            number(reply, "keystep", step);
            number(reply, "limit", limit);
        }
        Find::KeyNum { count, first, step } => {
            typed(reply, "keynum", 3);
            number(reply, "keynumidx", count);
            number(reply, "firstkey", first);
            number(reply, "keystep", step);
        }
        Find::Unknown => typed(reply, "unknown", 0),
    }
}

/// What is done with a key, as a set of names.
pub fn key_flags(reply: &mut Writer<'_>, flags: KeyFlags) {
    reply.set(flags.names().count());
    flags.names().for_each(|name| reply.simple(name));
}

/// The beginning of a search step: its type, and the header of its parameters.
fn typed(reply: &mut Writer<'_>, kind: &str, parameters: usize) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(parameters);
}

fn number(reply: &mut Writer<'_>, name: &str, value: i32) {
    reply.bulk(name.as_bytes());
    reply.integer(i64::from(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_specifications_make_one_legacy_range() {
        let one = |at| KeySpec::one(at, KeyFlags::RO);
        assert_eq!(legacy_range(&[one(1)]), (1, 1, 1));
        assert_eq!(legacy_range(&[one(1), one(2)]), (1, 2, 1));
        assert_eq!(legacy_range(&[one(1), KeySpec::range(2, -1, 1, KeyFlags::RO)]), (1, -1, 1));
        assert_eq!(legacy_range(&[one(1), KeySpec::counted(2, KeyFlags::RO)]), (1, 1, 1));
        assert_eq!(legacy_range(&[KeySpec::counted(1, KeyFlags::RO)]), (0, 0, 0));
        assert_eq!(legacy_range(&[KeySpec::range(1, -1, 2, KeyFlags::OW)]), (1, -1, 2));
    }
}
