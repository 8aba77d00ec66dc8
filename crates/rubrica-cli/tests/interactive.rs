//! Commands read from standard input: as redis-cli does from a pipe, and with a line editor on a
//! terminal.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod support;

use nix::pty::openpty;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use support::{OURS, Server, agree};

#[test]
fn lines_from_a_pipe_run_as_commands() {
    let Some(server) = Server::start(&[]) else { return };
    let lines = br#"set "a b" 'c d'
get "a b"

3 incr n
multi
incr n
select 4
discard
get n
select 2
set x 1
exec
"open quote
multi
select 5
set y 2
exec
client getname
reset
get x
quit
ping
"#;
    agree(&server, "", &[], lines);
    agree(&server, "", &["--no-raw"], lines);
    agree(&server, "", &["--no-raw", "-n", "3"], lines);
    agree(&server, "", &["--json"], lines);
    agree(&server, "", &["-e"], b"incr\nping\n");
}

#[test]
fn a_lost_connection_is_opened_again_for_the_next_command() {
    let Some(server) = Server::start(&[]) else { return };
    let own = server.port.to_string();
    let lines = b"select 3\nset a 1\nclient kill type normal skipme no\nget a\nget a\n";
    // Unlike redis-cli, which forgets the database when it has lost the connection.
    let ended = support::run(OURS, &["-p", &own], lines);
    assert_eq!(ended.stdout, b"OK\nOK\n1\n1\n");
    assert!(ended.stderr.starts_with(b"Error: "));
    assert!(ended.status.success());
    let port = support::free_port().to_string();
    agree(&server, "", &["-p", &port], b"ping\nping\n");
    let connect = format!("ping\nconnect 127.0.0.1 {}\nping\n", server.port);
    agree(&server, "", &["-p", &port], connect.as_bytes());
}

#[test]
fn help_comes_from_the_server() {
    let Some(server) = Server::start(&[]) else { return };
    for topic in ["get", "set", "XADD", "config", "config set", "nonsense", "@string", "@STREAM"] {
        let mut arguments = vec!["help"];
        arguments.extend(topic.split(' '));
        agree(&server, "", &arguments, b"");
        agree(&server, "", &[], format!("help {topic}\n").as_bytes());
    }
    let groups = ["@generic", "@list", "@set", "@hash", "@pubsub", "@transactions", "@connection"];
    for group in groups.iter().chain(&["@server", "@scripting", "@geo", "@bitmap", "@cluster"]) {
        agree(&server, "", &["?", group], b"");
    }
    let port = support::free_port().to_string();
    let without = support::run(OURS, &["-p", &port, "help", "get"], b"");
    assert_eq!(support::shown(&without), "status Some(0)\nstdout \\r\n\nstderr ");
}

/// A client on a terminal of its own.
struct Terminal {
    child: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn start(arguments: &[&str], history: &str) -> Self {
        let pty = openpty(None, None).unwrap();
        let slave = || Stdio::from(pty.slave.try_clone().unwrap());
        let child = Command::new(OURS)
            .args(arguments)
            .env("TERM", "xterm")
            .env("RUBRICACLI_HISTFILE", history)
            .env("RUBRICACLI_RCFILE", "/dev/null")
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .unwrap();
        drop(pty.slave);
        let keys = File::from(pty.master);
        let mut output = keys.try_clone().unwrap();
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keys, screen, seen: String::new() }
    }

    fn type_keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until this is on the screen, and forgets everything up to it.
    #[track_caller]
    fn expect(&mut self, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(start) = self.seen.find(wanted) {
                self.seen.drain(..start + wanted.len());
                return;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("no {wanted:?} in {:?}", self.seen),
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_terminal_has_prompt_hints_completion_and_history() {
    let Some(server) = Server::start(&[]) else { return };
    let port = server.port.to_string();
    let history = std::env::temp_dir().join(format!("rubrica-cli-history-{port}"));
    let path = history.to_str().unwrap();
    let mut terminal = Terminal::start(&["-p", &port], path);
    terminal.expect(&format!("127.0.0.1:{port}> "));
    terminal.type_keys("set k ");
    terminal.expect("value [NX|XX]");
    terminal.type_keys("v\r");
    terminal.expect("OK");
    terminal.type_keys("select 1\r");
    terminal.expect(&format!("127.0.0.1:{port}[1]> "));
    terminal.type_keys("multi\r");
    terminal.expect("[1](TX)> ");
    terminal.type_keys("discard\r");
    terminal.expect(&format!("127.0.0.1:{port}[1]> "));
    terminal.type_keys("config g\t maxmemory\r");
    terminal.expect("CONFIG GET");
    terminal.expect("1) \"maxmemory\"\r\n2) \"0\"");
    // Typed ahead, as when lines are pasted.
    terminal.type_keys(":set nohints\rauth secret\r");
    terminal.expect("(error)");
    terminal.type_keys("quit\r");
    terminal.child.wait().unwrap();
    let remembered = std::fs::read_to_string(&history).unwrap();
    assert!(remembered.contains("set k v\n"), "{remembered}");
    assert!(!remembered.contains("secret"), "{remembered}");
    std::fs::remove_file(history).unwrap();
}

#[test]
fn ctrl_c_ends_a_subscription_but_not_the_client() {
    let Some(server) = Server::start(&[]) else { return };
    let port = server.port.to_string();
    let mut terminal = Terminal::start(&["-p", &port, "-n", "2"], "/dev/null");
    for (command, first) in [("subscribe news", "1) \"subscribe\""), ("monitor", "OK")] {
        terminal.expect("[2]> ");
        terminal.type_keys(&format!("{command}\r"));
        terminal.expect(first);
        support::run(support::THEIRS, &["-p", &port, "publish", "news", "flash"], b"");
        terminal.expect("\"flash\"");
        let pid = terminal.child.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status().unwrap();
    }
    terminal.expect("[2]> ");
    terminal.type_keys("ping\r");
    terminal.expect("PONG");
    // Keys that come between two prompts may be lost.
    terminal.expect("[2]> ");
    terminal.type_keys("\u{4}");
    assert!(terminal.child.wait().unwrap().success());
}
