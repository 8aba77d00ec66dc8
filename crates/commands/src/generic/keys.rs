use codec::glob;
use command::{Args, Categories, Ctx, Cursor, Flags, Group, Outcome, Spec, Stint};
use env::RngCore;

/// `KEYS pattern`
pub const KEYS: Spec = Spec {
    name: "keys",
    arity: 2,
    flags: Flags::READONLY.union(Flags::WALK),
    categories: Categories::DANGEROUS,
    group: Group::Generic,
    since: "1.0.0",
    summary: "Lists all keys that match a pattern.",
    complexity: "O(N) with N the number of keys in the database.",
    syntax: "pattern:pattern",
    tips: &["request_policy:all_shards", "nondeterministic_output_order"],
    run: keys,
    ..Spec::BASE
};

/// `RANDOMKEY`
pub const RANDOMKEY: Spec = Spec {
    name: "randomkey",
    arity: 1,
    flags: Flags::READONLY.union(Flags::WALK),
    group: Group::Generic,
    since: "1.0.0",
    summary: "Names a key, each with the same probability.",
    complexity: "O(1)",
    tips: &["request_policy:all_shards", "nondeterministic_output"],
    run: random_key,
    ..Spec::BASE
};

fn keys(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let pattern = args.at(1);
    let all = pattern == b"*";
    let (reply, mut found) = (ctx.reply.deferred(), 0);
    ctx.db.walk(Cursor::default(), Stint::ALL, |entry| {
        if all || glob::matches(pattern, entry.key(), false) {
            ctx.reply.bulk(entry.key());
            found += 1;
        }
    });
    ctx.reply.finish_array(reply, found);
    Ok(())
}

fn random_key(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    match ctx.db.random_key(|| ctx.random.next_u64()) {
        Some(key) => ctx.reply.bulk(&key),
        None => ctx.reply.null(),
    }
    Ok(())
}
