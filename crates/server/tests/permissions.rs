//! Every command of the table is refused to users without it or without its keys, and let through for users with
//! them: by itself, in a transaction and from a script. The calls are made from the declarations.

mod common;

#[path = "../../commands/tests/call/mod.rs"]
mod call;

use std::os::unix::net::UnixStream;

use call::Call;
use command::{Command, Flags, Table};
use common::{Client, Running, start};

const SCRIPT: &str = "return redis.call(unpack(ARGV))";

struct Lab {
    server: Running,
    admin: Client<UnixStream>,
    user: Client<UnixStream>,
}

impl Lab {
    fn new() -> Self {
        let server = start(|_| {});
        let (admin, user) = (server.connect(), server.connect());
        let mut lab = Self { server, admin, user };
        lab.log_in();
        lab
    }

    /// A new connection of the user under test.
    fn log_in(&mut self) {
        assert_eq!(self.admin.ask("ACL SETUSER u reset on nopass +auth"), "+OK");
        self.user = self.server.connect();
        assert_eq!(self.user.ask("AUTH u x"), "+OK");
    }

    /// What the user may do from now on, whatever it could before.
    fn allow(&mut self, rules: &str) {
        let reply = self.admin.ask(&format!("ACL SETUSER u reset on nopass {rules}"));
        assert_eq!(reply, "+OK", "{rules}");
    }

    fn ask(&mut self, words: &[String]) -> String {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.user.send(request);
        self.user.line()
    }

    /// What the server says to a call within MULTI, and how EXEC ends.
    fn queue(&mut self, words: &[String]) -> String {
        assert_eq!(self.user.ask("MULTI"), "+OK");
        let reply = self.ask(words);
        match reply.as_str() {
            "+QUEUED" => assert_eq!(self.user.ask("DISCARD"), "+OK"),
            _ => assert!(self.user.ask("EXEC").starts_with("-EXECABORT"), "{words:?}: {reply}"),
        }
        reply
    }

    /// What a script gets that makes the call.
    fn script(&mut self, words: &[String]) -> String {
        let eval = ["EVAL", SCRIPT, "0"].map(str::to_owned);
        let reply = self.ask(&[&eval[..], words].concat());
        // The rest of a reply of several lines goes with its connection.
        if !reply.starts_with(['-', '+', ':']) {
            self.user = self.server.connect();
            assert_eq!(self.user.ask("AUTH u x"), "+OK");
        }
        reply
    }
}

/// What clients call.
fn called(table: &Table) -> Vec<Command> {
    table.all().iter().copied().filter(|command| command.subcommands.is_empty()).collect()
}

/// These are answered within a transaction, not queued.
fn is_queued(command: Command) -> bool {
    !matches!(
        command.full_name().as_str(),
        "multi" | "exec" | "discard" | "watch" | "quit" | "reset" | "unwatch"
    )
}

/// A call with as many words as the command takes at least.
fn call_of(command: Command) -> Call {
    let mut call = Call::of(command);
    while !command.accepts(call.words.len()) && call.words.len() < 10 {
        call.words.push("x".into());
    }
    call
}

/// What everything around the call under test needs.
const AROUND: &str = "+auth +multi +exec +discard +eval";

#[test]
fn a_command_that_is_not_allowed_is_refused_everywhere() {
    let mut lab = Lab::new();
    for command in called(&Table::new(commands::FAMILIES)) {
        let name = command.full_name();
        if command.flags.contains(Flags::NO_AUTH) || AROUND.split(" +").any(|one| one == name) {
            continue;
        }
        let words = call_of(command).words;
        lab.allow(&format!("+@all -{name} ~* &*"));
        let reply = lab.ask(&words);
        assert!(reply.starts_with("-NOPERM"), "{name}: {reply}");
        // Those that no transaction takes are refused for that first, as by Redis.
        if is_queued(command) && !command.flags.contains(Flags::NO_MULTI) {
            let reply = lab.queue(&words);
            assert!(reply.starts_with("-NOPERM"), "{name} in MULTI: {reply}");
        }
        if !command.flags.contains(Flags::NOSCRIPT) {
            let reply = lab.script(&words);
            let text = "The user executing the script can't run this command or subcommand";
            assert!(reply.contains(text), "{name} in a script: {reply}");
        }
    }
}

#[test]
fn a_key_that_is_not_allowed_is_refused_everywhere() {
    let mut lab = Lab::new();
    let mut checked = 0;
    for command in called(&Table::new(commands::FAMILIES)) {
        let name = command.full_name();
        let Call { words, keys } = call_of(command);
        for key in &keys {
            checked += 1;
            let others = keys.iter().filter(|other| *other != key);
            let others: String = others.map(|other| format!(" ~{}", words[*other])).collect();
            lab.allow(&format!("+@all &*{others}"));
            let reply = lab.ask(&words);
            // EXEC says what is wrong as it ends the transaction.
            let aborted = "-EXECABORT Transaction discarded because of: NOPERM";
            let wanted = if name == "exec" { aborted } else { "-NOPERM" };
            assert!(reply.starts_with(wanted), "{name}, key {key}: {reply}");
            if is_queued(command) {
                let reply = lab.queue(&words);
                assert!(reply.starts_with("-NOPERM"), "{name} in MULTI, key {key}: {reply}");
            }
            if !command.flags.contains(Flags::NOSCRIPT) {
                let reply = lab.script(&words);
                let text = "can't access at least one of the keys";
                assert!(reply.contains(text), "{name} in a script, key {key}: {reply}");
            }
        }
    }
    assert!(checked > 200, "{checked} keys were checked");
}

#[test]
fn a_command_that_is_allowed_with_its_keys_is_let_through() {
    let mut lab = Lab::new();
    for command in called(&Table::new(commands::FAMILIES)) {
        let name = command.full_name();
        let Call { words, keys } = call_of(command);
        let keys: String = keys.iter().map(|key| format!(" ~{}", words[*key])).collect();
        lab.allow(&format!("{AROUND} +{name} &x &*{keys}"));
        if is_queued(command) {
            let reply = lab.queue(&words);
            let is_let_through = match command.flags.contains(Flags::NO_MULTI) {
                true => !reply.starts_with("-NOPERM"),
                false => reply == "+QUEUED",
            };
            assert!(is_let_through, "{name} in MULTI: {reply}");
        }
        if !command.flags.contains(Flags::NOSCRIPT) {
            let reply = lab.script(&words);
            assert!(!reply.contains("The user executing"), "{name} in a script: {reply}");
        }
    }
}
