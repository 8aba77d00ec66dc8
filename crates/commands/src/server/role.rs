use command::{Args, Categories, Ctx, Flags, Group, Outcome, Spec};

/// `ROLE`
pub const ROLE: Spec = Spec {
    name: "role",
    arity: 1,
    flags: Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE).union(Flags::FAST),
    categories: Categories::ADMIN.union(Categories::DANGEROUS),
    group: Group::Server,
    since: "2.8.12",
    summary: "Returns the server's part in a replication.",
    complexity: "O(1)",
    run: role,
    ..Spec::BASE
};

/// A primary without replicas.
fn role(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.reply.array(3);
    ctx.reply.bulk(b"master");
    ctx.reply.integer(0);
    ctx.reply.array(0);
    Ok(())
}
