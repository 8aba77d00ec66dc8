use command::{Args, Ctx, Error, Flags, Group, Outcome, REDIS_VERSION, Spec};
use resp::Protocol;

use super::client::set_name;
use crate::acl::login;

/// `HELLO [protover [AUTH username password] [SETNAME clientname]]`
pub const HELLO: Spec = Spec {
    name: "hello",
    arity: -1,
    flags: Flags::NOSCRIPT
        .union(Flags::LOADING)
        .union(Flags::STALE)
        .union(Flags::FAST)
        .union(Flags::NO_AUTH)
        .union(Flags::ALLOW_BUSY),
    group: Group::Connection,
    since: "6.0.0",
    summary: "Agrees on the protocol and tells what the server is.",
    complexity: "O(1)",
    syntax: "[arguments=(protover:integer [AUTH username_password=(username password)] \
             [SETNAME clientname])]",
    history: &[("6.2.0", "Without arguments, tells how the connection stands.")],
    run: hello,
    ..Spec::BASE
};

const NOT_A_VERSION: Error = Error::fixed("ERR Protocol version is not an integer or out of range");
const NO_SUCH_PROTOCOL: Error = Error::fixed("NOPROTO unsupported protocol version");
const NO_AUTH: Error = Error::fixed(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH \
     <user> <pass> option can be used to authenticate the client and select the RESP protocol \
     version at the same time",
);

fn hello(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let protocol = match args.get(1) {
        None => None,
        Some(_) => Some(match args.integer(1).map_err(|_| NOT_A_VERSION)? {
            2 => Protocol::Resp2,
            3 => Protocol::Resp3,
            _ => return Err(NO_SUCH_PROTOCOL),
        }),
    };
    // Of several options of a kind the last counts.
    let (mut user, mut name) = (None, None);
    let mut next = 2;
    while let Some(option) = args.get(next) {
        let after = args.len() - next - 1;
        if args.is(next, "AUTH") && after >= 2 {
            user = Some((args.at(next + 1), args.at(next + 2)));
            next += 3;
        } else if args.is(next, "SETNAME") && after >= 1 {
            name = Some(args.at(next + 1));
            next += 2;
        } else {
            let option = String::from_utf8_lossy(option);
            return Err(Error::new(format!("ERR Syntax error in HELLO option '{option}'")));
        }
    }
    if let Some((user, password)) = user {
        login(ctx, user, password, args)?;
    }
    if !ctx.session.authenticated {
        return Err(NO_AUTH);
    }
    if let Some(name) = name {
        set_name(ctx, name)?;
    }
    if let Some(protocol) = protocol {
        ctx.session.speak(protocol);
        ctx.reply.set_protocol(protocol);
    }
    describe(ctx);
    Ok(())
}

fn describe(ctx: &mut Ctx<'_>) {
    let id = ctx.session.client.id as i64;
    let reply = &mut ctx.reply;
    reply.map(7);
    // Clients look for this name before they use what its version promises.
    for (field, text) in [("server", "redis"), ("version", REDIS_VERSION)] {
        reply.bulk(field.as_bytes());
        reply.bulk(text.as_bytes());
    }
    let version = if ctx.session.protocol == Protocol::Resp3 { 3 } else { 2 };
    for (field, number) in [("proto", version), ("id", id)] {
        reply.bulk(field.as_bytes());
        reply.integer(number);
    }
    for (field, text) in [("mode", "standalone"), ("role", "master")] {
        reply.bulk(field.as_bytes());
        reply.bulk(text.as_bytes());
    }
    reply.bulk(b"modules");
    reply.array(0);
}
