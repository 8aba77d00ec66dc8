//! Which words of a command are passwords, to be shown neither by MONITOR nor in the logs.

use command::{Args, Command};

/// What stands in a password's place.
const REDACTED: &[u8] = b"(redacted)";

/// The places of the passwords in one command.
pub struct Secrets(Vec<usize>);

impl Secrets {
    /// Finds them by the command's syntax; where that is broken, rather too many than too few.
    pub fn of(command: Command, args: Args<'_>) -> Self {
        let all_from = |start: usize| (start..args.len()).collect();
        Self(match (command.container, command.name) {
            (None, "auth") => all_from(1),
            (None, "hello") => in_hello(args),
            (None, "migrate") => in_migrate(args),
            (Some("acl"), "setuser" | "getuser" | "deluser") => all_from(2),
            (Some("config"), "set") => in_config_set(args),
            _ => Vec::new(),
        })
    }

    /// A word as it may be shown.
    pub fn shown<'a>(&self, index: usize, word: &'a [u8]) -> &'a [u8] {
        if self.0.contains(&index) { REDACTED } else { word }
    }
}

/// `HELLO protover [AUTH username password] [SETNAME clientname]`
fn in_hello(args: Args<'_>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut next = 2;
    while next < args.len() {
        if args.is(next, "AUTH") {
            found.extend([next + 1, next + 2]);
            next += 3;
        } else {
            next += 2;
        }
    }
    found
}

/// `MIGRATE host port key db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password] [KEYS ...]`
fn in_migrate(args: Args<'_>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut next = 6;
    while next < args.len() && !args.is(next, "KEYS") {
        let words = match () {
            () if args.is(next, "AUTH") => 1,
            () if args.is(next, "AUTH2") => 2,
            () => 0,
        };
        found.extend(next + 1..=next + words);
        next += 1 + words;
    }
    found
}

/// `CONFIG SET name value [name value ...]`
fn in_config_set(args: Args<'_>) -> Vec<usize> {
    let is_sensitive = |index: &usize| {
        args.get(index - 1).and_then(config::find).is_some_and(|option| option.flags.sensitive)
    };
    (3..args.len()).step_by(2).filter(is_sensitive).collect()
}

#[cfg(test)]
mod tests {
    use command::{OwnedArgs, Spec, Table};

    use super::Secrets;

    const CONFIG: Spec = Spec {
        name: "config",
        subcommands: &[&Spec { name: "set", container: Some("config"), ..Spec::BASE }],
        ..Spec::BASE
    };
    const MIGRATE: Spec = Spec { name: "migrate", ..Spec::BASE };

    fn shown(line: &str) -> String {
        let table = Table::new(&[&[&CONFIG, &MIGRATE]]);
        let served = Table::new(crate::FAMILIES);
        let owned = OwnedArgs::new(line.split(' '));
        let args = owned.view();
        let command = table.resolve(args).or_else(|| served.resolve(args)).expect("a command");
        let secrets = Secrets::of(command, args);
        let words = args.iter().enumerate().map(|(index, word)| secrets.shown(index, word));
        words.map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn passwords_are_hidden_and_nothing_else() {
        for (line, expected) in [
            ("AUTH pw", "AUTH (redacted)"),
            ("auth user pw", "auth (redacted) (redacted)"),
            ("HELLO 3 AUTH u p SETNAME n", "HELLO 3 AUTH (redacted) (redacted) SETNAME n"),
            ("HELLO 3 SETNAME auth AUTH u p", "HELLO 3 SETNAME auth AUTH (redacted) (redacted)"),
            ("CONFIG SET timeout 1 requirepass p", "CONFIG SET timeout 1 requirepass (redacted)"),
            (
                "MIGRATE h 1 k 0 9 COPY AUTH p KEYS a",
                "MIGRATE h 1 k 0 9 COPY AUTH (redacted) KEYS a",
            ),
            ("MIGRATE h 1 k 0 9 AUTH2 u p", "MIGRATE h 1 k 0 9 AUTH2 (redacted) (redacted)"),
            ("GET auth", "GET auth"),
        ] {
            assert_eq!(shown(line), expected);
        }
    }
}
