use command::{Args, Ctx, Error, Flags, Group, Outcome, Spec};

use crate::acl::login;

/// `AUTH [username] password`
pub const AUTH: Spec = Spec {
    name: "auth",
    arity: -2,
    flags: Flags::NOSCRIPT
        .union(Flags::LOADING)
        .union(Flags::STALE)
        .union(Flags::FAST)
        .union(Flags::NO_AUTH)
        .union(Flags::ALLOW_BUSY),
    group: Group::Connection,
    since: "1.0.0",
    summary: "Proves who the client is.",
    complexity: "O(N) where N is the number of the user's passwords",
    syntax: "[username] password",
    history: &[("6.0.0", "Takes a user's name as well.")],
    run: auth,
    ..Spec::BASE
};

const NO_PASSWORD: Error = Error::fixed(
    "ERR AUTH <password> called without any password configured for the default user. \
     Are you sure your configuration is correct?",
);
fn auth(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        2 if ctx.services.acl.default_is_open() => return Err(NO_PASSWORD),
        2 => login(ctx, acl::DEFAULT_USER, args.at(1), args)?,
        3 => login(ctx, args.at(1), args.at(2), args)?,
        _ => return Err(Error::SYNTAX),
    }
    ctx.reply.ok();
    Ok(())
}
