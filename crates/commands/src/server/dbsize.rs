use command::{Args, Categories, Ctx, Flags, Group, Outcome, Spec};

/// `DBSIZE`
pub const DBSIZE: Spec = Spec {
    name: "dbsize",
    arity: 1,
    flags: Flags::READONLY.union(Flags::FAST).union(Flags::WALK),
    categories: Categories::KEYSPACE,
    group: Group::Server,
    since: "1.0.0",
    summary: "Counts the keys of the database.",
    complexity: "O(1)",
    tips: &["request_policy:all_shards", "response_policy:agg_sum"],
    run: dbsize,
    ..Spec::BASE
};

fn dbsize(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let keys = ctx.db.len();
    ctx.reply.integer(keys as i64);
    Ok(())
}
