use command::{Args, Ctx, Error, Outcome, Spec, permission};

/// `ACL DRYRUN username command [arg ...]`
pub const DRYRUN: Spec = Spec {
    name: "dryrun",
    arity: -4,
    since: "7.0.0",
    summary: "Tells whether a user may run a command, without running it.",
    complexity: "O(1).",
    syntax: "username command [arg ...]",
    run: dryrun,
    ..super::BASE
};

fn dryrun(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let user = ctx
        .services
        .acl
        .user(args.at(2))
        .ok_or_else(|| Error::new(format!("ERR User '{}' not found", args.text(2))))?;
    let asked = args.tail(3);
    let command = ctx.services.table.resolve(asked);
    // A container does nothing itself, so as a command there is none.
    let command = command.filter(|command| command.subcommands.is_empty() || asked.len() == 1);
    let command =
        command.ok_or_else(|| Error::new(format!("ERR Command '{}' not found", asked.text(0))))?;
    if !command.accepts(asked.len()) {
        return Err(Error::arity(&command.full_name()));
    }
    match permission::check(&user, command, asked, ctx.db.number()) {
        Ok(()) => ctx.reply.ok(),
        Err(denied) => ctx.reply.bulk(&permission::explain(command, asked, denied)),
    }
    Ok(())
}
