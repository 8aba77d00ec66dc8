use command::{Args, Ctx, Outcome, Spec};

/// `ACL WHOAMI`
pub const WHOAMI: Spec = Spec {
    name: "whoami",
    arity: 2,
    flags: super::COMMON,
    summary: "Tells which user the connection is.",
    complexity: "O(1)",
    run: whoami,
    ..super::BASE
};

fn whoami(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    ctx.reply.bulk(ctx.session.user.name());
    Ok(())
}
