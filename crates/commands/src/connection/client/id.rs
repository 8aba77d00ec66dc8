use command::{Args, Ctx, Outcome, Spec};

/// `CLIENT ID`
pub const ID: Spec = Spec {
    name: "id",
    arity: 2,
    since: "5.0.0",
    summary: "The id of this connection.",
    run: id,
    ..super::BASE
};

fn id(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.reply.integer(ctx.session.client.id as i64);
    Ok(())
}
