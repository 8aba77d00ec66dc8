//! MONITOR's stream.

use std::sync::Arc;

use command::{Args, Command, Flags, Services, Session};

use crate::redact::Secrets;

/// Who sent a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The client itself.
    Client,
    /// A script that it runs.
    Script,
}

/// Shows a command that has run to everybody who reads MONITOR's stream. The database is the one that it
/// left selected. Commands that run scripts show themselves, before those that the script calls.
#[inline]
pub fn feed(
    services: &Services,
    session: &Session,
    (command, args): (Command, &Args<'_>),
    now_us: i64,
    sender: Sender,
) {
    if services.clients.monitored() && !command.flags.intersects(Flags::SKIP_MONITOR | Flags::ADMIN)
    {
        feed_always(services, session, (command, args), now_us, sender);
    }
}

/// The same, whatever the command says of itself.
#[cold]
pub fn feed_always(
    services: &Services,
    session: &Session,
    (command, args): (Command, &Args<'_>),
    now_us: i64,
    sender: Sender,
) {
    if !services.clients.monitored() {
        return;
    }
    let mut line = prefix(session, now_us, sender);
    words(command, *args, &mut line);
    let line: Arc<[u8]> = line.into_bytes().into();
    for reader in services.clients.monitors() {
        reader.show(Arc::clone(&line));
    }
}

fn prefix(session: &Session, now_us: i64, sender: Sender) -> String {
    let client = &session.client;
    let (seconds, micros) = (now_us / 1_000_000, now_us % 1_000_000);
    let mut line = format!("+{seconds}.{micros:06} [{} ", session.database);
    match sender {
        Sender::Script => line.push_str("lua"),
        Sender::Client if client.unix => {
            line.push_str("unix:");
            line.push_str(client.addr.strip_suffix(":0").unwrap_or(&client.addr));
        }
        Sender::Client => line.push_str(&client.addr),
    }
    line.push(']');
    line
}

fn words(command: Command, args: Args<'_>, line: &mut String) {
    let secrets = Secrets::of(command, args);
    for (index, word) in args.iter().enumerate() {
        line.push(' ');
        codec::quote::quote_into(secrets.shown(index, word), line);
    }
    line.push_str("\r\n");
}
