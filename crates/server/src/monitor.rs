use std::sync::Arc;

use command::{Args, Command, Flags, Services, Session};

use crate::redact::Secrets;

/// Shows a command that has run to everybody who reads MONITOR's stream. The database is the one that it
/// left selected.
pub fn feed(services: &Services, session: &Session, command: Command, args: Args<'_>, now_us: i64) {
    let is_script = command.group == command::Group::Scripting;
    if command.flags.intersects(Flags::SKIP_MONITOR | Flags::ADMIN) && !is_script {
        return;
    }
    let line: Arc<[u8]> = line(session, command, args, now_us).into_bytes().into();
    for reader in services.clients.monitors() {
        reader.show(Arc::clone(&line));
    }
}

fn line(session: &Session, command: Command, args: Args<'_>, now_us: i64) -> String {
    let client = &session.client;
    let (seconds, micros) = (now_us / 1_000_000, now_us % 1_000_000);
    let mut line = format!("+{seconds}.{micros:06} [{} ", session.database);
    if client.unix {
        line.push_str("unix:");
        line.push_str(client.addr.strip_suffix(":0").unwrap_or(&client.addr));
    } else {
        line.push_str(&client.addr);
    }
    line.push(']');
    let secrets = Secrets::of(command, args);
    for (index, word) in args.iter().enumerate() {
        line.push(' ');
        codec::quote::quote_into(secrets.shown(index, word), &mut line);
    }
    line.push_str("\r\n");
    line
}
