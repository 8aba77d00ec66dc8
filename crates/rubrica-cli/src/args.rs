//! The command line: `rubrica-cli [OPTIONS] [cmd [arg ...]]`.
//!
//! Options end at the first word that does not begin with `-`; it and all that follows is the command.
//! Words are bytes: arguments of a command need not be UTF-8.

mod flags;
mod uri;

use crate::output::{Format, Style};
use std::io::IsTerminal;
use std::time::Duration;

pub use flags::{leading_integer, usage};

/// What to do instead of running one command or the interactive mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Sample the round-trip time; with `history`, start over every interval.
    Latency { history: bool },
    /// Show the distribution of round-trip times as a spectrum.
    LatencyDist,
    /// Send protocol from standard input and count the replies.
    Pipe,
    /// Find the keys with the most elements of each type.
    BigKeys,
    /// Find the keys with the most memory of each type, sampling so many elements (0: all).
    MemKeys { samples: u64 },
    /// Find the keys with the highest access counters.
    HotKeys,
    /// Print one line of the server's figures per interval.
    Stat,
    /// Print every key.
    Scan,
    /// Measure how long this process is kept from running.
    IntrinsicLatency { seconds: u64 },
}

/// Which protocol version a connection starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// What the server starts with.
    Default,
    /// RESP2, because the user said so.
    Two,
    /// RESP3, and nothing else will do.
    Three,
    /// RESP3 if the server has it.
    PreferThree,
}

/// Where an argument of the command comes from standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StdinArgument {
    /// One more argument at the end.
    Last,
    /// In place of the argument that equals this tag.
    Tag(Vec<u8>),
}

/// Everything the options set.
#[derive(Debug, Clone)]
pub struct Options {
    pub host: String,
    pub port: u16,
    pub socket: Option<Vec<u8>>,
    /// Whether the connection is encrypted, if it is one over TCP.
    pub encrypted: bool,
    /// How.
    pub tls: tls::ClientSettings,
    pub user: Option<Vec<u8>>,
    pub password: Option<Vec<u8>>,
    pub ask_password: bool,
    pub database: i64,
    /// How often to run the command; forever when negative.
    pub repeat: i64,
    pub interval: Duration,
    pub connect_timeout: Option<Duration>,
    /// `Some(true)`: try IPv4 addresses first; `Some(false)`: IPv6.
    pub prefer_ipv4: Option<bool>,
    pub protocol: Protocol,
    two_asked: bool,
    pub stdin_argument: Option<StdinArgument>,
    tag_and_last: bool,
    pub style: Style,
    /// Follow redirections of a cluster.
    pub cluster: bool,
    /// An error reply goes to standard error and fails the process.
    pub fail_on_error: bool,
    pub quoted_input: bool,
    pub show_pushes: bool,
    pub password_warning: bool,
    pub mode: Option<Mode>,
    pub pattern: Option<Vec<u8>>,
    pub key_type: Option<Vec<u8>>,
    pub scan_count: Option<u64>,
    pub first_cursor: u64,
    /// Script to run with EVAL.
    pub eval: Option<Vec<u8>>,
    pub pipe_timeout: Duration,
    /// The spectrum of [`Mode::LatencyDist`] in shades of grey.
    pub monochrome: bool,
}

impl Options {
    /// The defaults for a standard output that is a terminal or not.
    pub fn new(terminal: bool) -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 6379,
            socket: None,
            encrypted: false,
            tls: tls::ClientSettings::default(),
            user: None,
            password: None,
            ask_password: false,
            database: 0,
            repeat: 1,
            interval: Duration::ZERO,
            connect_timeout: None,
            prefer_ipv4: None,
            protocol: Protocol::Default,
            two_asked: false,
            stdin_argument: None,
            tag_and_last: false,
            style: Style {
                format: if terminal { Format::Standard } else { Format::Raw },
                element_delimiter: b"\n".to_vec(),
                reply_delimiter: b"\n".to_vec(),
            },
            cluster: false,
            fail_on_error: false,
            quoted_input: false,
            show_pushes: terminal,
            password_warning: true,
            mode: None,
            pattern: None,
            key_type: None,
            scan_count: None,
            first_cursor: 0,
            eval: None,
            pipe_timeout: Duration::from_secs(30),
            monochrome: false,
        }
    }

    /// Whether standard output counts as a terminal; the variable FAKETTY says yes for any.
    pub fn on_terminal() -> bool {
        std::io::stdout().is_terminal() || std::env::var_os("FAKETTY").is_some()
    }
}

/// What the command line asks for.
pub enum Parsed {
    /// Run with these options and this command (which may be empty).
    Run(Box<Options>, Vec<Vec<u8>>),
    /// Print this and succeed.
    Print(String),
}

/// What one option did.
enum Effect {
    Set,
    Print(String),
}

/// Reads the words that follow the program's name. An error is a line for standard error.
pub fn parse(words: Vec<Vec<u8>>, terminal: bool) -> Result<Parsed, String> {
    let mut options = Options::new(terminal);
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next_if(|word| word.starts_with(b"-")) {
        let refused = || {
            let word = String::from_utf8_lossy(&word).into_owned();
            format!("Unrecognized option or bad number of args for: '{word}'")
        };
        if word == b"-h" && words.peek().is_none() {
            return Ok(Parsed::Print(usage()));
        }
        let flag = flags::find(&word).ok_or_else(refused)?;
        let effect = match flag.apply {
            flags::Apply::Switch(apply) => apply(&mut options)?,
            flags::Apply::Value(_, apply) => {
                let value = words.next().ok_or_else(refused)?;
                apply(&mut options, value)?;
                Effect::Set
            }
        };
        if let Effect::Print(text) = effect {
            return Ok(Parsed::Print(text));
        }
    }
    check(&mut options)?;
    Ok(Parsed::Run(Box::new(options), words.collect()))
}

/// Refuses options that exclude each other and settles those that depend on another.
fn check(options: &mut Options) -> Result<(), String> {
    if options.socket.is_some() && options.cluster {
        return Err("Options -c and -s are mutually exclusive.".into());
    }
    if options.two_asked {
        if options.protocol == Protocol::Three {
            return Err("Options -2 and -3 are mutually exclusive.".into());
        }
        options.protocol = Protocol::Two;
    }
    if options.tag_and_last {
        return Err("Options -x and -X are mutually exclusive.".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str]) -> (Options, Vec<Vec<u8>>) {
        let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        match parse(words, false) {
            Ok(Parsed::Run(options, command)) => (*options, command),
            Ok(Parsed::Print(text)) => panic!("printed {text}"),
            Err(error) => panic!("refused: {error}"),
        }
    }

    fn refusal(words: &[&str]) -> String {
        let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        parse(words, false).err().unwrap()
    }

    #[test]
    fn options_end_at_the_first_other_word() {
        let (options, command) = run(&["-p", "7000", "get", "-p", "--raw"]);
        assert_eq!(options.port, 7000);
        assert_eq!(command, [&b"get"[..], b"-p", b"--raw"]);
    }

    #[test]
    fn unknown_options_and_missing_values_are_refused() {
        assert!(refusal(&["--nonsense"]).contains("'--nonsense'"));
        assert!(refusal(&["-p"]).contains("'-p'"));
        assert!(refusal(&["-p", "70000"]).contains("port"));
        assert!(refusal(&["--cert"]).contains("'--cert'"));
    }

    #[test]
    fn exclusive_options_are_refused() {
        assert!(refusal(&["-2", "-3"]).contains("mutually"));
        assert!(refusal(&["-c", "-s", "x"]).contains("mutually"));
        assert!(refusal(&["-x", "-X", "tag"]).contains("mutually"));
    }

    #[test]
    fn json_prefers_resp3_unless_told_otherwise() {
        assert_eq!(run(&["--json"]).0.protocol, Protocol::PreferThree);
        assert_eq!(run(&["--json", "-3"]).0.protocol, Protocol::Three);
        assert_eq!(run(&["-2", "--json"]).0.protocol, Protocol::Two);
    }

    #[test]
    fn an_uri_sets_every_part_of_the_address() {
        let (options, _) = run(&["-u", "redis://me:p%40ss@example.org:7001/3"]);
        assert_eq!((options.host.as_str(), options.port), ("example.org", 7001));
        assert_eq!(options.user.unwrap(), b"me");
        assert_eq!(options.password.unwrap(), b"p@ss");
        assert_eq!(options.database, 3);
    }

    #[test]
    fn help_names_every_option_once() {
        let text = usage();
        for flag in flags::FLAGS {
            for name in flag.names {
                assert!(text.contains(name), "{name}");
            }
        }
    }
}
