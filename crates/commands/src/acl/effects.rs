//! What a change of users does to those that are connected.

use acl::{Change, Rights, Standing};
use command::clients::Client;
use command::{Args, Close, Ctx, Error, Outcome, Services, permission};
use config::Applied;
use pubsub::Kind;

const WRONG_PASSWORD: Error =
    Error::fixed("WRONGPASS invalid username-password pair or user is disabled.");

/// Makes the client `user`, if that is the user's password. `args` is the command that asks for it.
///
/// # Errors
/// The same when the user does not exist as when the password is wrong.
pub fn login(ctx: &mut Ctx<'_>, user: &[u8], password: &[u8], args: Args<'_>) -> Outcome {
    let standing = ctx.services.acl.authenticate(user, password);
    let Standing::Admitted(found) = standing else {
        permission::note_failed_login(ctx.services, ctx.session, user, args);
        return Err(WRONG_PASSWORD);
    };
    ctx.session.become_user(found);
    if ctx.session.user.is_deleted() {
        // Whoever deleted the user may have looked for its connections before this was one.
        ctx.session.become_user(ctx.services.acl.default_user().clone());
        ctx.session.authenticated = false;
        return Err(WRONG_PASSWORD);
    }
    ctx.session.authenticated = true;
    Ok(())
}

/// Acts on options about users that have changed.
pub(crate) fn follow_options(services: &Services, applied: &Applied) {
    let after = &applied.after;
    if applied.has("requirepass") {
        let password = Some(after.requirepass.as_slice()).filter(|password| !password.is_empty());
        services.acl.set_default_password(password, services.acl_defaults());
    }
}

/// Ends connections whose subscriptions are not allowed any more.
pub fn follow(ctx: &mut Ctx<'_>, changes: &[Change]) {
    for change in changes {
        let rights = change.user.rights();
        if !rights.has_fewer_channels_than(&change.before) {
            continue;
        }
        let lost = |client: &Client| has_forbidden(ctx, client, &rights);
        let clients = of_user(ctx, change.user.name());
        let clients: Vec<_> = clients.into_iter().filter(|client| lost(client)).collect();
        clients.iter().for_each(|client| end(ctx, client));
    }
}

/// Ends the connections of users that are no more.
pub fn disconnect(ctx: &mut Ctx<'_>, users: &[Vec<u8>]) {
    for user in users {
        of_user(ctx, user).iter().for_each(|client| end(ctx, client));
    }
}

fn of_user(ctx: &Ctx<'_>, user: &[u8]) -> Vec<std::sync::Arc<Client>> {
    let mut clients = ctx.services.clients.all();
    clients.retain(|client| client.names.lock().user == user);
    clients
}

fn has_forbidden(ctx: &Ctx<'_>, client: &Client, rights: &Rights) -> bool {
    if !client.figures.is_subscriber() {
        return false;
    }
    [Kind::Channel, Kind::Pattern, Kind::ShardChannel].into_iter().any(|kind| {
        let topics = ctx.services.pubsub.topics_of(kind, client.id);
        topics.iter().any(|topic| !rights.allows_channel(topic, kind == Kind::Pattern))
    })
}

fn end(ctx: &mut Ctx<'_>, client: &Client) {
    if client.id != ctx.session.client.id {
        if ctx.services.clients.kill(client) {
            ctx.services.pubsub.leave(client.id);
        }
        return;
    }
    // It still gets its reply.
    ctx.session.close = Close::AfterReply;
    if ctx.session.user.is_deleted() {
        ctx.session.become_user(ctx.services.acl.default_user().clone());
        ctx.session.authenticated = false;
    }
}
