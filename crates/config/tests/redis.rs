//! The defaults, error texts and rewritten values of the real server, where it is installed.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use config::{Caller, Config, Sources, Store};

const SERVER: &str = "redis-server";

/// Whether the real server is there; says so if it is not.
fn installed() -> bool {
    let found = Command::new(SERVER).arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: there is no {SERVER} on PATH");
    }
    found
}

/// A running server, ended when dropped.
struct Server {
    child: Child,
    stream: BufReader<TcpStream>,
}

impl Server {
    fn start(port: u16) -> Self {
        Self::start_with(port, None)
    }

    fn start_with(port: u16, file: Option<&str>) -> Self {
        let port_text = port.to_string();
        let child = Command::new(SERVER)
            .args(file)
            .args(["--port", &port_text, "--bind", "127.0.0.1", "--dir", "/"])
            .args(["--enable-protected-configs", "yes", "--syslog-ident", "rubrica"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => return Self { child, stream: BufReader::new(stream) },
                Err(error) => assert!(Instant::now() < end, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends a command; answers the status or error, or the elements of the array.
    fn ask(&mut self, args: &[&str]) -> Vec<String> {
        let mut request = format!("*{}\r\n", args.len());
        for arg in args {
            request.push_str(&format!("${}\r\n{arg}\r\n", arg.len()));
        }
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let head = self.line();
        match head.split_at(1) {
            ("*", count) => (0..count.parse::<usize>().unwrap()).map(|_| self.bulk()).collect(),
            (_, text) => vec![text.to_owned()],
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn bulk(&mut self) -> String {
        let length: usize = self.line()[1..].parse().unwrap();
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes.truncate(length);
        String::from_utf8(bytes).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Options whose defaults differ on purpose, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("syslog-ident", "set by this test to our own name"),
    ("port", "set by this test"),
    ("bind", "set by this test"),
    ("dir", "set by this test"),
    ("enable-protected-configs", "set by this test"),
];

#[test]
fn defaults_equal_those_of_the_real_server() {
    if !installed() {
        return;
    }
    let mut server = Server::start(21201);
    let theirs = server.ask(&["CONFIG", "GET", "*"]);
    let ours: BTreeMap<String, Vec<u8>> =
        Store::new(Config::default()).get(&["*"]).into_iter().collect();
    let mut hidden = Vec::new();
    for [name, value] in theirs.as_chunks::<2>().0 {
        if DIFFERENT.iter().any(|(different, _)| different == name) {
            continue;
        }
        match ours.get(name) {
            Some(our) => assert_eq!(&String::from_utf8_lossy(our), value, "{name}"),
            None => hidden.push(name.as_str()),
        }
    }
    // Newer versions hide it.
    assert_eq!(hidden, ["aof-disable-auto-gc"]);
    assert!(theirs.len() > 300, "{}", theirs.len());
}

/// Parts of messages that newer versions, and ours, write at greater length than 7.0.
const LONGER: &[(&str, &str)] =
    &[(", flush-before-load", ""), (", nothing", ""), ("zxeKEtmdnoc", "zxeKEtmdn")];

/// The message as version 7.0 words it.
fn as_before(message: &str) -> String {
    let shorten = |text: String, (ours, theirs): &(&str, &str)| text.replace(ours, theirs);
    LONGER.iter().fold(message.to_owned(), shorten)
}

/// Values that the real server takes for others: too large ones wrap around, empty ones count as 0.
const QUIRKS: &[(&str, &str)] = &[
    ("maxmemory-clients", "9223372036854775808"),
    ("maxmemory-clients", "18446744073709551615"),
    ("maxmemory-clients", "18446744073709551616"),
    ("cluster-link-sendbuf-limit", "18446744073709551616"),
    ("save", "1 "),
];

/// What CONFIG SET answers here, as the server would send it.
fn ours(store: &Store, pairs: &[(&str, &str)]) -> String {
    match store.set(pairs, Caller { local: true, loading: false }) {
        Ok(_) => "OK".to_owned(),
        Err(error) => format!("ERR {error}"),
    }
}

/// Values given to every option.
const VALUES: &[&str] = &[
    "",
    "0",
    "1",
    "-1",
    "-0",
    "01",
    "+1",
    " 1",
    "1 ",
    "yes",
    "No",
    "abc",
    "5%",
    "101%",
    "-5%",
    "1b",
    "1k",
    "1KB",
    "2mb",
    "1gb",
    "1tb",
    "1.5",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0777",
    "900 1",
    "900  1",
    "900",
    "900 -1",
    "0 1",
    "normal 0 0 0",
    "normal 0 0",
    "slave 1mb 1kb 60 pubsub 1 2 3",
    "replica 1x 1 1",
    "master 1 1 1",
    "1 2 3",
    "1 2 3000",
    "now force",
    "save nosave",
    "default",
    "KEA",
    "AKExgt",
    "q",
    "50 99.9",
    "101",
    "a/b",
    "a b",
    "{title}",
    "{x}",
    "allkeys-lru",
    "ALLKEYS-LRU",
    "debug",
    "swapdb",
    "ip",
    "relative",
    "clients",
    "optional",
    "allchannels",
    "panic",
];

/// Options whose setting has effects on the real server, whose answer depends on the machine, or that newer
/// versions bound lower.
const SKIPPED: &[&str] = &[
    "port",
    "bind",
    "dir",
    "maxclients",
    "tls-port",
    "oom-score-adj",
    "oom-score-adj-values",
    "appendonly",
    "replicaof",
    "slaveof",
    "tls-cluster",
    "tls-replication",
    "requirepass",
    "activedefrag",
    "maxmemory-samples",
    "maxmemory",
    "maxmemory-policy",
    "timeout",
];

#[test]
fn config_set_answers_as_the_real_server() {
    if !installed() {
        return;
    }
    let mut server = Server::start(21202);
    let config = Config { enable_protected_configs: config::AllowFrom::Yes, ..Config::default() };
    let store = Store::new(config);
    let names: Vec<String> = server
        .ask(&["CONFIG", "GET", "*"])
        .chunks(2)
        .map(|pair| pair[0].clone())
        .filter(|name| !SKIPPED.contains(&name.as_str()))
        .collect();
    let mut differences = Vec::new();
    for name in &names {
        for value in VALUES.iter().filter(|value| !QUIRKS.contains(&(name, value))) {
            let theirs = server.ask(&["CONFIG", "SET", name, value]).join(" ");
            let our = ours(&store, &[(name, value)]);
            if theirs != as_before(&our) {
                differences.push(format!("{name} {value:?}\n  theirs: {theirs}\n  ours:   {our}"));
                continue;
            }
            let theirs = server.ask(&["CONFIG", "GET", name]);
            let our = store.get(&[name]).remove(0).1;
            if theirs[1].as_bytes() != our {
                let our = String::from_utf8_lossy(&our);
                differences.push(format!("{name} {value:?}\n  {theirs:?}\n  {our:?}"));
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        differences[..differences.len().min(40)].join("\n")
    );
}

/// What the real server prints about wrong arguments, from the line number on.
fn their_refusal(args: &[&str]) -> String {
    let Output { stderr, .. } = Command::new(SERVER).args(args).output().unwrap();
    let text = String::from_utf8_lossy(&stderr).into_owned();
    text.trim_start().split_once('\n').map_or(String::new(), |(_, rest)| rest.trim_end().to_owned())
}

#[test]
fn a_wrong_command_line_is_refused_as_by_the_real_server() {
    if !installed() {
        return;
    }
    let cases: &[&[&str]] = &[
        &["--foo", "bar"],
        &["--port"],
        &["--port", "6380", "--loglevel"],
        &["--port", "6379", "6380"],
        &["--port", "--bla", "--loglevel", "notice"],
        &["--port", "abc"],
        &["--port", "70000"],
        &["--hz", "10", "--loglevel", "--bla"],
        &["--shutdown-on-sigint"],
        &["--shutdown-on-sigint", "now force", "--shutdown-on-sigterm"],
        &["--replicaof", "127.0.0.1", "abc"],
        &["--replicaof", "--127.0.0.1", "abc"],
        &["--replicaof", "--127.0.0.1", "--abc"],
        &["--appendonly", "maybe"],
        &["--maxmemory", "1x"],
        &["--maxmemory-clients", "200%"],
        &["--unixsocketperm", "999"],
        &["--unixsocketperm", "1000"],
        &["--save", "1"],
        &["--save", "a b"],
        &["--dbfilename", "a/b"],
        &["--dir", "/no/such/directory"],
        &["--client-output-buffer-limit", "x", "0", "0", "0"],
        &["--client-output-buffer-limit", "normal", "0"],
        &["--port \"1"],
        &["--rename-command", "GET"],
        &["--a.b"],
        &["--include"],
        &["--user"],
        &["--loadmodule"],
        &["--cluster-enabled", "yes", "--replicaof", "a", "1"],
    ];
    for args in cases {
        let bytes: Vec<Vec<u8>> = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
        let loaded = Config::load(&Sources::from_args(&bytes), &config::OsFiles);
        let text = loaded.expect_err(&args.join(" ")).to_string();
        // The first line names the program.
        let our = text.split_once('\n').map_or("", |(_, rest)| rest);
        assert_eq!(as_before(our), their_refusal(args), "{args:?}");
    }
}

#[test]
fn the_real_server_reads_what_is_written_here() {
    if !installed() {
        return;
    }
    let pairs = [
        ("requirepass", "a \"b\" \\ \n\u{1}'"),
        ("maxmemory", "104857600"),
        ("maxmemory-clients", "7%"),
        ("save", "900 1 30 2"),
        ("client-output-buffer-limit", "replica 1mb 1000 5"),
        ("latency-tracking-info-percentiles", "1.5 100"),
        ("notify-keyspace-events", "KEA"),
        ("shutdown-on-sigterm", "force nosave"),
        ("oom-score-adj-values", "1 2 3"),
        ("slowlog-log-slower-than", "-1"),
    ];
    let store = Store::new(Config::default());
    store.set(&pairs, Caller::default()).unwrap();
    let directory =
        std::env::temp_dir().join(format!("rubrica-config-{}-theirs", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("written.conf");
    config::Rewrite::default().file(&store.load(), &path).unwrap();
    let mut server = Server::start_with(21203, path.to_str());
    assert_eq!(server.ask(&["AUTH", pairs[0].1]), ["OK"]);
    for (name, _) in pairs {
        let theirs = server.ask(&["CONFIG", "GET", name]);
        assert_eq!(theirs[1].as_bytes(), store.get(&[name])[0].1, "{name}");
    }
    assert_eq!(server.ask(&["CONFIG", "SET", "timeout", "77"]), ["OK"]);
    assert_eq!(server.ask(&["CONFIG", "REWRITE"]), ["OK"]);
    drop(server);
    let sources = Sources { file: Some(path), ..Sources::default() };
    let config = Config::load(&sources, &config::OsFiles).unwrap();
    assert_eq!(config.timeout_s, 77);
    for name in pairs.map(|(name, _)| name) {
        assert_eq!(config.other(name), store.load().other(name), "{name}");
    }
    std::fs::remove_dir_all(&directory).unwrap();
}
