use std::fmt::Write as _;

use command::{Args, Command, Flags, Services, Session};

/// Shows a command to everybody who reads MONITOR's stream.
pub fn feed(services: &Services, session: &Session, command: Command, args: Args<'_>, now_us: i64) {
    if command.flags.intersects(Flags::SKIP_MONITOR | Flags::ADMIN) {
        return;
    }
    let client = &session.client;
    let source = if client.unix { "unix" } else { "" };
    let mut line = format!(
        "+{}.{:06} [{} {}{}]",
        now_us / 1_000_000,
        now_us % 1_000_000,
        session.database,
        if source.is_empty() { "" } else { "unix:" },
        if source.is_empty() { client.addr.as_str() } else { client.addr.trim_end_matches(":0") },
    );
    for (index, word) in args.iter().enumerate() {
        let word: &[u8] = if is_secret(command, args, index) { b"(redacted)" } else { word };
        let _ = write!(line, " {}", codec::quote::quote(word));
    }
    line.push_str("\r\n");
    let bytes: std::sync::Arc<[u8]> = line.into_bytes().into();
    for reader in services.clients.all() {
        if reader.figures.monitor.load(std::sync::atomic::Ordering::Relaxed) {
            reader.push(std::sync::Arc::clone(&bytes));
        }
    }
}

/// Whether a word of a command must not be shown: passwords, and what might be one.
pub fn is_secret(command: Command, args: Args<'_>, word: usize) -> bool {
    let follows = |option: &str, distance: usize| {
        (1..=distance).any(|back| back < word && args.is(word - back, option))
    };
    match (command.container, command.name) {
        (None, "auth") => word > 0,
        (None, "hello") => follows("auth", 2),
        (None, "migrate") => follows("auth", 1) || follows("auth2", 2),
        (Some("acl"), "setuser") => word > 1,
        (Some("config"), "set") => {
            word > 2
                && word % 2 == 1
                && config::find(args.at(word - 1)).is_some_and(|option| option.flags.sensitive)
        }
        _ => false,
    }
}
