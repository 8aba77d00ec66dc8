use command::{Args, Ctx, Error, Flags, KeyFlags, KeyList, Outcome, Spec};

use super::info::key_flags;

/// `COMMAND GETKEYS`
pub const GETKEYS: Spec = Spec {
    name: "getkeys",
    container: Some("command"),
    arity: -4,
    since: "2.8.13",
    summary: "Finds the keys in a command.",
    complexity: "O(N) in the number of arguments",
    run: getkeys,
    ..super::COMMON
};

/// `COMMAND GETKEYSANDFLAGS`
pub const GETKEYSANDFLAGS: Spec = Spec {
    name: "getkeysandflags",
    container: Some("command"),
    arity: -4,
    since: "7.0.0",
    summary: "Finds the keys in a command, and what is done with them.",
    complexity: "O(N) in the number of arguments",
    run: getkeysandflags,
    ..super::COMMON
};

fn getkeys(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let words = args.tail(2);
    let keys = find(ctx, words)?;
    ctx.reply.array(keys.len());
    keys.iter().for_each(|(word, _)| ctx.reply.bulk(words.at(*word)));
    Ok(())
}

fn getkeysandflags(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let words = args.tail(2);
    let keys = find(ctx, words)?;
    ctx.reply.array(keys.len());
    for (word, flags) in keys {
        ctx.reply.array(2);
        ctx.reply.bulk(words.at(word));
        key_flags(&mut ctx.reply, flags);
    }
    Ok(())
}

/// The keys that the specifications find, if they can.
fn by_specification(spec: &Spec, words: Args<'_>) -> Option<KeyList> {
    let unreliable = KeyFlags::INCOMPLETE.union(KeyFlags::VARIABLE_FLAGS);
    let is_reliable = |key: &command::KeySpec| {
        !key.flags.intersects(unreliable) && !matches!(key.begin, command::Begin::Unknown)
    };
    if spec.keys.is_empty() || !spec.keys.iter().all(is_reliable) {
        return None;
    }
    let mut found = KeyList::new();
    spec.keys.iter().try_for_each(|key| key.find(words, &mut found)).ok()?;
    Some(found)
}

/// The keys of the command that `words` are.
fn find(ctx: &Ctx<'_>, words: Args<'_>) -> Result<Vec<(usize, KeyFlags)>, Error> {
    const INVALID: Error = Error::fixed("ERR Invalid arguments specified for command");
    const UNKNOWN: Error = Error::fixed("ERR Invalid command specified");
    let command = ctx.services.table.resolve(words).ok_or(UNKNOWN)?;
    if words.len() > 1 && !command.subcommands.is_empty() {
        return Err(UNKNOWN);
    }
    let is_key = |flags: KeyFlags| !flags.contains(KeyFlags::NOT_KEY);
    if command.find_keys.is_none() && !command.keys.iter().any(|spec| is_key(spec.flags)) {
        return Err(Error::fixed("ERR The command has no key arguments"));
    }
    if !command.accepts(words.len()) {
        return Err(Error::fixed("ERR Invalid number of arguments specified for command"));
    }
    // Specifications tell all places, where they tell; a command's own function those that count.
    let mut keys = match by_specification(command.spec(), words) {
        Some(keys) => keys,
        None => command.keys_of(words).unwrap_or_default(),
    };
    keys.retain(|(_, flags)| is_key(*flags));
    if keys.is_empty() && !command.flags.contains(Flags::NO_MANDATORY_KEYS) {
        return Err(INVALID);
    }
    Ok(keys.into_vec())
}
