//! Users and roles as maps.

use acl::{Account, Selector};
use command::Ctx;

/// What COMMANDS, KEYS and CHANNELS of a selector are, and its databases if it does not allow all: so that
/// those who never heard of such rules find what they know.
fn selector(ctx: &mut Ctx<'_>, selector: &Selector) -> usize {
    let reply = &mut ctx.reply;
    reply.bulk(b"commands");
    reply.bulk(selector.describe_commands().as_bytes());
    reply.bulk(b"keys");
    reply.bulk(&selector.describe_keys());
    reply.bulk(b"channels");
    reply.bulk(&selector.describe_channels());
    if !selector.restricts_databases() {
        return 3;
    }
    reply.bulk(b"databases");
    reply.bulk(selector.describe_databases().as_bytes());
    4
}

/// The fields of all selectors; returns their number.
pub fn selectors(ctx: &mut Ctx<'_>, account: &Account) -> usize {
    let Some((root, others)) = account.selectors.split_first() else { return 0 };
    let fields = selector(ctx, root);
    ctx.reply.bulk(b"selectors");
    ctx.reply.array(others.len());
    for other in others {
        let map = ctx.reply.deferred();
        let fields = selector(ctx, other);
        ctx.reply.finish_map(map, fields);
    }
    fields + 1
}
