use command::{Args, Close, Ctx, Error, Outcome, Spec};

use super::filter::{Filter, Ids, Known};

/// `CLIENT KILL ip-port | filter ...`
pub const KILL: Spec = Spec {
    name: "kill",
    arity: -3,
    flags: super::ADMIN,
    since: "2.4.0",
    summary: "Closes connections.",
    complexity: "O(N) where N is the number of client connections",
    syntax: "filter=(ip-port | new-format=([ID client-id:integer] | \
             [TYPE normal_master_slave_pubsub=(NORMAL | MASTER | SLAVE | REPLICA | PUBSUB)] | \
             [USER username] | [ADDR ip-port] | [LADDR ip-port] | [SKIPME yes/no]) ...)",
    history: &[
        ("2.8.12", "Filters, of which any number may be given."),
        ("2.8.12", "The filter ID."),
        ("3.2.0", "The type `master`."),
        ("5.0.0", "The type `replica`, which was called `slave`; both are understood."),
        ("6.2.0", "The filter LADDR."),
    ],
    run: kill,
    ..super::BASE
};

const NO_SUCH_CLIENT: Error = Error::fixed("ERR No such client");

fn kill(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let by_address = args.len() == 3;
    let is_user = |name: &[u8]| ctx.services.acl.user(name).is_some();
    let known = Known { databases: ctx.config.databases, is_user: &is_user };
    let filter = if by_address {
        Filter::by_address(args.at(2))
    } else {
        let mut filter = Filter::parse(args, Ids::Positive, known)?;
        filter.skip_me.get_or_insert(true);
        filter
    };
    let (now_ms, own) = (ctx.now_ms(), ctx.session.client.id);
    let mut killed = 0;
    for client in ctx.services.clients.all() {
        if !filter.admits(&client, now_ms, own) {
            continue;
        }
        if client.id == own {
            ctx.session.close = Close::AfterReply;
            killed += 1;
        } else if ctx.services.clients.kill(&client) {
            ctx.services.pubsub.leave(client.id);
            if let Some(tracker) = client.tracker() {
                ctx.services.tracking.leave(tracker);
            }
            killed += 1;
        }
    }
    match killed {
        0 if by_address => return Err(NO_SUCH_CLIENT),
        _ if by_address => ctx.reply.ok(),
        _ => ctx.reply.integer(killed),
    }
    Ok(())
}
