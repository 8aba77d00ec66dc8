use std::sync::Arc;

use command::client_line::{Running, describe};
use command::clients::Client;
use command::{Args, Ctx, Error, Outcome, Spec};

use super::filter::{Filter, Ids, Known};

/// `CLIENT LIST [filter ...]`
pub const LIST: Spec = Spec {
    name: "list",
    arity: -2,
    flags: super::ADMIN,
    since: "2.4.0",
    summary: "The connected clients.",
    complexity: "O(N) where N is the number of client connections",
    syntax: "[TYPE normal_master_replica_pubsub=(NORMAL | MASTER | REPLICA | PUBSUB)] \
             [ID id=(client-id:integer...)]",
    history: &[
        ("2.8.12", "The field `id`."),
        ("5.0.0", "The filter TYPE."),
        ("6.0.0", "The field `user`."),
        ("6.2.0", "The fields `argv-mem`, `tot-mem`, `laddr` and `redir`, and the filter ID."),
        ("7.0.0", "The fields `resp`, `multi-mem`, `rbs` and `rbp`."),
        ("7.0.3", "The field `ssub`."),
    ],
    tips: &["nondeterministic_output"],
    run: list,
    ..super::BASE
};

/// `CLIENT INFO`
pub const INFO: Spec = Spec {
    name: "info",
    arity: 2,
    since: "6.2.0",
    summary: "This connection, as CLIENT LIST shows it.",
    tips: &["nondeterministic_output"],
    run: info,
    ..super::BASE
};

fn list(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() == 3 {
        return Err(Error::SYNTAX);
    }
    let is_user = |name: &[u8]| ctx.services.acl.user(name).is_some();
    let known = Known { databases: ctx.config.databases, is_user: &is_user };
    let filter = Filter::parse(args, Ids::Any, known)?;
    let (now_ms, caller) = (ctx.now_ms(), ctx.session.client.id);
    let clients = &ctx.services.clients;
    let candidates: Vec<Arc<Client>> = match &filter.ids {
        // In the order in which they were asked for, as often as they were.
        Some(ids) => ids.iter().filter_map(|id| clients.get(*id)).collect(),
        None => clients.all(),
    };
    let mut text = Vec::new();
    for client in candidates.iter().filter(|client| filter.admits(client, now_ms, caller)) {
        describe(&mut text, client, &ctx.services.table, now_ms, running(ctx, args));
        text.push(b'\n');
    }
    ctx.reply.verbatim("txt", &text);
    Ok(())
}

fn info(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut text = Vec::new();
    let client = &ctx.session.client;
    describe(&mut text, client, &ctx.services.table, ctx.now_ms(), running(ctx, args));
    text.push(b'\n');
    ctx.reply.verbatim("txt", &text);
    Ok(())
}

fn running(ctx: &Ctx<'_>, args: Args<'_>) -> Running {
    Running {
        client: ctx.session.client.id,
        argument_bytes: args.iter().map(|word| word.len() as u64).sum(),
    }
}
