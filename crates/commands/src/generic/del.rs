use command::{Args, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;

/// `DEL key [key ...]`
pub const DEL: Spec = Spec {
    name: "del",
    arity: -2,
    flags: Flags::WRITE,
    since: "1.0.0",
    summary: "Removes keys with their values.",
    complexity: "O(N) with N the number of keys; values with many elements are freed in the background.",
    ..REMOVAL
};

/// `UNLINK key [key ...]`: the same as DEL, which leaves big values to a thread of their own too.
pub const UNLINK: Spec = Spec {
    name: "unlink",
    arity: -2,
    flags: Flags::WRITE.union(Flags::FAST),
    since: "4.0.0",
    summary: "Removes keys; their values are freed in the background.",
    complexity: "O(N) with N the number of keys, whatever the size of their values.",
    ..REMOVAL
};

const REMOVAL: Spec = Spec {
    group: Group::Generic,
    keys: &[KeySpec::range(1, -1, 1, KeyFlags::RM.union(KeyFlags::DELETE))],
    syntax: "key [key ...]",
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    run: del,
    ..Spec::BASE
};

fn del(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut removed = 0;
    for word in 1..args.len() {
        let key = args.key(word);
        if ctx.db.remove(key) {
            ctx.db.changed(key, KeyspaceEvents::GENERIC, "del");
            removed += 1;
        }
    }
    ctx.reply.integer(removed);
    Ok(())
}
