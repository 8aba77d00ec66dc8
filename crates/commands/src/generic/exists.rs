use command::{Args, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};

/// `EXISTS key [key ...]`
pub const EXISTS: Spec = Spec {
    name: "exists",
    arity: -2,
    since: "1.0.0",
    summary: "Counts how many of the named keys there are; a key named twice counts twice.",
    complexity: "O(N) with N the number of keys.",
    history: &[("3.0.3", "Takes more than one key.")],
    run: exists,
    ..LOOKUPS
};

/// `TOUCH key [key ...]`
pub const TOUCH: Spec = Spec {
    name: "touch",
    arity: -2,
    since: "3.2.1",
    summary: "Notes an access to each of the keys, and counts those that exist.",
    complexity: "O(N) with N the number of keys.",
    run: touch,
    ..LOOKUPS
};

const LOOKUPS: Spec = Spec {
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::Generic,
    keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO)],
    syntax: "key [key ...]",
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    ..Spec::BASE
};

/// `TYPE key`
pub const TYPE: Spec = Spec {
    name: "type",
    arity: 2,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::Generic,
    keys: &[KeySpec::one(1, KeyFlags::RO)],
    since: "1.0.0",
    summary: "Says which type of value a key holds.",
    complexity: "O(1)",
    syntax: "key",
    run: kind,
    ..Spec::BASE
};

fn exists(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let found = (1..args.len()).filter(|word| ctx.db.inspect(args.key(*word)).is_some()).count();
    ctx.reply.integer(found as i64);
    Ok(())
}

fn touch(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let found = (1..args.len()).filter(|word| ctx.db.get(args.key(*word)).is_some()).count();
    ctx.reply.integer(found as i64);
    Ok(())
}

fn kind(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let name = ctx.db.inspect(args.key(1)).map_or("none", |entry| entry.kind().name());
    ctx.reply.simple(name);
    Ok(())
}
