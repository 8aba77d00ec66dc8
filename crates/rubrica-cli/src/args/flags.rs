//! Every option once: its names, its value, its help and what it does. [`usage`] is written from it.

use super::{Effect, Mode, Options, Protocol, StdinArgument, uri};
use crate::output::Format;
use std::time::Duration;

/// One option.
pub struct Flag {
    pub names: &'static [&'static str],
    pub help: &'static str,
    pub apply: Apply,
}

/// What an option does.
pub enum Apply {
    /// Takes no value.
    Switch(fn(&mut Options) -> Result<Effect, String>),
    /// Takes the next word, which the help names so.
    Value(&'static str, fn(&mut Options, Vec<u8>) -> Result<(), String>),
}

macro_rules! switch {
    ([$($name:literal),+], $help:literal, |$options:ident| $body:expr) => {
        Flag {
            names: &[$($name),+],
            help: $help,
            apply: Apply::Switch(|$options| { $body; Ok(Effect::Set) }),
        }
    };
}

macro_rules! value {
    ([$($name:literal),+], $what:literal, $help:literal, |$options:ident, $value:ident| $body:expr) => {
        Flag {
            names: &[$($name),+],
            help: $help,
            apply: Apply::Value($what, |$options, $value| { $body; Ok(()) }),
        }
    };
}

/// The flag of this name.
pub fn find(word: &[u8]) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.names.iter().any(|name| name.as_bytes() == word))
}

/// All options in the order of the help.
pub const FLAGS: &[Flag] = &[
    value!(["-h"], "host", "Host to connect to (127.0.0.1).", |o, v| o.host = text(&v)),
    value!(["-p"], "port", "Port to connect to (6379).", |o, v| o.port = port(&v)?),
    value!(["-s"], "path", "Unix socket to connect to instead.", |o, v| o.socket = Some(v)),
    value!(["-u"], "uri", "redis://[[user:]password@][host[:port]][/db]", |o, v| uri::apply(
        o, &v
    )?),
    value!(["-t"], "seconds", "Give up connecting after so long.", |o, v| {
        o.connect_timeout = timeout(&v)?
    }),
    switch!(["-4"], "Prefer IPv4 addresses of a host.", |o| o.prefer_ipv4 = Some(true)),
    switch!(["-6"], "Prefer IPv6 addresses of a host.", |o| o.prefer_ipv4 = Some(false)),
    value!(
        ["-a", "--pass"],
        "password",
        "Authenticate; the variable REDISCLI_AUTH is safer.",
        |o, v| { o.password = Some(v) }
    ),
    value!(["--user"], "name", "Authenticate as this user; needs a password.", |o, v| {
        o.user = Some(v)
    }),
    switch!(["--askpass"], "Ask for the password.", |o| o.ask_password = true),
    switch!(["--no-auth-warning"], "Say nothing about a password on the command line.", |o| {
        o.password_warning = false
    }),
    value!(["-n"], "db", "Database number.", |o, v| o.database = leading_integer(&v)),
    switch!(["-2"], "Stay with RESP2.", |o| o.two_asked = true),
    switch!(["-3"], "Switch to RESP3.", |o| o.protocol = Protocol::Three),
    value!(["-r"], "times", "Run the command so often; forever when negative.", |o, v| {
        o.repeat = leading_integer(&v)
    }),
    value!(["-i"], "seconds", "Wait between repetitions, cycles of a scan or samples.", |o, v| {
        o.interval = seconds(&v)
    }),
    switch!(["-x"], "Take the last argument from standard input.", |o| {
        o.tag_and_last |= matches!(o.stdin_argument, Some(StdinArgument::Tag(_)));
        o.stdin_argument = Some(StdinArgument::Last)
    }),
    value!(["-X"], "tag", "Take the argument that equals <tag> from standard input.", |o, v| {
        o.tag_and_last |= matches!(o.stdin_argument, Some(StdinArgument::Last));
        o.stdin_argument = Some(StdinArgument::Tag(v))
    }),
    switch!(["--quoted-input"], "Read the arguments as quoted literals.", |o| {
        o.quoted_input = true
    }),
    switch!(["-c"], "Follow the redirections of a cluster.", |o| o.cluster = true),
    switch!(["-e"], "Fail when the reply is an error.", |o| o.fail_on_error = true),
    switch!(["--raw"], "Print payloads only (the default when not on a terminal).", |o| {
        o.style.format = Format::Raw
    }),
    switch!(["--no-raw"], "Print types and numbers even when not on a terminal.", |o| {
        o.style.format = Format::Standard
    }),
    switch!(["--csv"], "Print comma-separated literals.", |o| o.style.format = Format::Csv),
    switch!(["--json"], "Print JSON; prefers RESP3 (see -2).", |o| json(o, Format::Json)),
    switch!(["--quoted-json"], "Print JSON with strings as ASCII literals.", |o| {
        json(o, Format::QuotedJson)
    }),
    value!(["-d"], "text", "Between the elements of a raw reply (line feed).", |o, v| {
        o.style.element_delimiter = v
    }),
    value!(["-D"], "text", "After each raw reply (line feed).", |o, v| o.style.reply_delimiter = v),
    value!(
        ["--show-pushes"],
        "yes|no",
        "Print push messages (the default on a terminal).",
        |o, v| { show_pushes(o, &v) }
    ),
    value!(["--eval"], "file", "Run a script: --eval file key ... , arg ...", |o, v| o.eval =
        Some(v)),
    switch!(["--pipe"], "Send protocol from standard input, count the replies.", |o| {
        o.mode = Some(Mode::Pipe)
    }),
    value!(
        ["--pipe-timeout"],
        "seconds",
        "Wait so long for the last replies (30; 0: forever).",
        |o, v| { o.pipe_timeout = Duration::from_secs(unsigned(&v)) }
    ),
    switch!(["--scan"], "Print all keys.", |o| o.mode = Some(Mode::Scan)),
    value!(["--pattern"], "glob", "Only these keys in scans.", |o, v| o.pattern = Some(v)),
    value!(["--quoted-pattern"], "glob", "The same as a quoted literal.", |o, v| {
        o.pattern = Some(
            crate::quoting::unquote(&v)
                .ok_or("Invalid quoted string specified for --quoted-pattern.")?,
        )
    }),
    value!(["--count"], "n", "Keys to look at per step of a scan.", |o, v| {
        o.scan_count = Some(unsigned(&v))
    }),
    value!(["--type"], "name", "Only keys of this type in scans.", |o, v| o.key_type = Some(v)),
    value!(["--cursor"], "n", "Where a scan starts.", |o, v| o.first_cursor = unsigned(&v)),
    switch!(["--bigkeys"], "Find the keys with the most elements.", |o| {
        o.mode = Some(Mode::BigKeys)
    }),
    switch!(["--memkeys"], "Find the keys with the most memory.", |o| {
        o.mode = Some(Mode::MemKeys { samples: 0 })
    }),
    value!(["--memkeys-samples"], "n", "The same, sampling n elements of each key.", |o, v| {
        o.mode = Some(Mode::MemKeys { samples: unsigned(&v) })
    }),
    switch!(["--hotkeys"], "Find the most used keys; needs an LFU maxmemory-policy.", |o| {
        o.mode = Some(Mode::HotKeys)
    }),
    switch!(["--stat"], "Print the server's figures, a line per interval.", |o| {
        o.mode = Some(Mode::Stat)
    }),
    switch!(
        ["--latency"],
        "Sample the round-trip time: for one second when not on a terminal.",
        |o| { o.mode = Some(Mode::Latency { history: false }) }
    ),
    switch!(["--latency-history"], "The same, starting over every 15 seconds (see -i).", |o| {
        o.mode = Some(Mode::Latency { history: true })
    }),
    switch!(["--latency-dist"], "Draw round-trip times as a spectrum (256 colours).", |o| {
        o.mode = Some(Mode::LatencyDist)
    }),
    switch!(["--mono"], "The spectrum in shades of grey.", |o| o.monochrome = true),
    value!(
        ["--intrinsic-latency"],
        "seconds",
        "Measure the latency of this machine itself.",
        |o, v| { o.mode = Some(Mode::IntrinsicLatency { seconds: unsigned(&v) }) }
    ),
    switch!(["--tls"], "Encrypt the connection.", |o| o.encrypted = true),
    value!(["--sni"], "host", "Name that the server is asked for.", |o, v| o.tls.server_name =
        text(&v)),
    value!(["--cacert"], "file", "Authorities to trust (those of the system).", |o, v| {
        o.tls.ca_file = text(&v)
    }),
    value!(["--cacertdir"], "directory", "Directory of authorities to trust.", |o, v| {
        o.tls.ca_dir = text(&v)
    }),
    switch!(["--insecure"], "Accept any certificate of the server.", |o| o.tls.insecure = true),
    value!(["--cert"], "file", "Certificate to show the server.", |o, v| o.tls.cert_file =
        text(&v)),
    value!(["--key"], "file", "Key of that certificate.", |o, v| o.tls.key_file = text(&v)),
    value!(["--tls-ciphers"], "list", "Ciphers of TLS 1.2, as OpenSSL names them.", |o, v| {
        o.tls.ciphers = text(&v)
    }),
    value!(["--tls-ciphersuites"], "list", "Ciphers of TLS 1.3.", |o, v| o.tls.suites = text(&v)),
    Flag {
        names: &["--verbose"],
        help: "Accepted for compatibility.",
        apply: Apply::Switch(|_| Ok(Effect::Set)),
    },
    Flag {
        names: &["--help"],
        help: "Print this.",
        apply: Apply::Switch(|_| Ok(Effect::Print(usage()))),
    },
    Flag {
        names: &["-v", "--version"],
        help: "Print the version.",
        apply: Apply::Switch(|_| {
            Ok(Effect::Print(format!("rubrica-cli {}\n", env!("CARGO_PKG_VERSION"))))
        }),
    },
];

/// The text of `--help`.
pub fn usage() -> String {
    let mut out = format!(
        "rubrica-cli {}\n\nUsage: rubrica-cli [OPTIONS] [command [argument ...]]\n\n",
        env!("CARGO_PKG_VERSION")
    );
    for flag in FLAGS {
        let mut head = flag.names.join(", ");
        if let Apply::Value(what, _) = flag.apply {
            head.push_str(&format!(" <{what}>"));
        }
        // A head too long for its column stands on a line of its own.
        if head.len() > 24 {
            out.push_str(&format!("  {head}\n  {:24}  {}\n", "", flag.help));
        } else {
            out.push_str(&format!("  {head:24}  {}\n", flag.help));
        }
    }
    out.push_str("\nWithout a command it reads commands from standard input.\n");
    out
}

fn json(options: &mut Options, format: Format) {
    if options.protocol == Protocol::Default {
        options.protocol = Protocol::PreferThree;
    }
    options.style.format = format;
}

fn show_pushes(options: &mut Options, value: &[u8]) {
    match value.first().map(u8::to_ascii_lowercase) {
        Some(b'y') => options.show_pushes = true,
        Some(b'n') => options.show_pushes = false,
        _ => eprintln!(
            "Unknown --show-pushes value '{}' (valid: '[y]es', '[n]o')",
            String::from_utf8_lossy(value)
        ),
    }
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// The integer at the start of `value`; 0 when there is none, as C's `atoi` has it.
pub fn leading_integer(value: &[u8]) -> i64 {
    let value = value.trim_ascii_start();
    let signed = usize::from(matches!(value.first(), Some(b'-' | b'+')));
    let digits = value.iter().skip(signed).take_while(|byte| byte.is_ascii_digit()).count();
    let number = value.get(..signed + digits).unwrap_or_default();
    let saturated = if value.starts_with(b"-") { i64::MIN } else { i64::MAX };
    let number = text(number);
    if digits == 0 { 0 } else { number.parse().unwrap_or(saturated) }
}

fn unsigned(value: &[u8]) -> u64 {
    u64::try_from(leading_integer(value)).unwrap_or(0)
}

/// A port from 0 to 65535.
pub fn port(value: &[u8]) -> Result<u16, String> {
    u16::try_from(leading_integer(value)).map_err(|_| "Invalid server port.".into())
}

/// Seconds with decimals; what is no number or negative is none.
fn seconds(value: &[u8]) -> Duration {
    let seconds = text(value).trim().parse::<f64>().unwrap_or(0.0);
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}

fn timeout(value: &[u8]) -> Result<Option<Duration>, String> {
    let seconds = text(value).trim().parse::<f64>().ok();
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timeout = timeout.ok_or("Invalid connection timeout for -t.")?;
    Ok(Some(timeout).filter(|timeout| !timeout.is_zero()))
}
