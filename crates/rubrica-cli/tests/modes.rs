//! The sampling and scanning modes agree with redis-cli's.

mod support;

use support::{OURS, Server, THEIRS, agree, run, shown};

/// Runs both clients and compares their lines in any order: scans come in the server's order, and
/// types are listed in no particular one. What was the biggest meanwhile depends on that order, which changes
/// while the server resizes its table.
#[track_caller]
fn agree_in_any_order(server: &Server, preparation: &str, arguments: &[&str]) {
    let port = server.port.to_string();
    let mut all = vec!["-p", &port];
    all.extend(arguments);
    server.prepare(preparation);
    let [theirs, ours] = [THEIRS, OURS].map(|program| {
        let shown = shown(&run(program, &all, b""));
        let lasting = shown.lines().filter(|line| !line.contains("found so far"));
        let mut lines: Vec<String> = lasting.map(String::from).collect();
        lines.sort();
        lines
    });
    assert_eq!(ours, theirs, "{arguments:?}");
}

const KEYS: &str = r#"set "bin\x01\"key" v
set plain value
mset k:1 a k:2 bb k:3 ccc
rpush list a b c
sadd set a b
hset hash a 1
zadd zset 1 a 2 b 3 c
xadd stream * a 1"#;

#[test]
fn scans_list_every_key() {
    let Some(server) = Server::start(&[]) else { return };
    agree_in_any_order(&server, KEYS, &["--scan"]);
    agree_in_any_order(&server, KEYS, &["--no-raw", "--scan"]);
    agree_in_any_order(&server, KEYS, &["--scan", "--pattern", "k:*"]);
    agree_in_any_order(&server, KEYS, &["--no-raw", "--scan", "--quoted-pattern", r#""bin\x01*""#]);
    agree_in_any_order(&server, KEYS, &["--scan", "-n", "5"]);
    let many = "eval \"for i=1,1000 do redis.call('set', i, i) end\" 0";
    agree_in_any_order(&server, many, &["--scan", "-i", "0.001"]);
}

#[test]
fn scans_can_be_narrowed_to_a_type() {
    let Some(server) = Server::start(&[]) else { return };
    server.prepare(KEYS);
    let port = server.port.to_string();
    let output = run(OURS, &["-p", &port, "--scan", "--type", "zset", "--count", "1000"], b"");
    assert_eq!(output.stdout, b"zset\n");
}

#[test]
fn the_biggest_keys_are_found() {
    let Some(server) = Server::start(&[]) else { return };
    agree_in_any_order(&server, KEYS, &["--bigkeys"]);
    agree_in_any_order(&server, "", &["--bigkeys"]);
    agree_in_any_order(&server, KEYS, &["--bigkeys", "--pattern", "k:*"]);
    agree_in_any_order(&server, KEYS, &["--memkeys"]);
    agree_in_any_order(&server, KEYS, &["--memkeys-samples", "2"]);
}

#[test]
fn hot_keys_need_counters() {
    let Some(server) = Server::start(&[]) else { return };
    agree(&server, KEYS, &["--hotkeys"], b"");
    let Some(server) = Server::start(&["--maxmemory-policy", "allkeys-lfu"]) else { return };
    let port = server.port.to_string();
    server.prepare(KEYS);
    let output = run(OURS, &["-p", &port, "--hotkeys"], b"");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("Sampled 10 keys in the keyspace!"), "{text}");
    assert_eq!(text.matches("hot key found with counter: ").count(), 10, "{text}");
}

#[test]
fn mass_insertion_counts_replies_and_errors() {
    let Some(server) = Server::start(&[]) else { return };
    agree(&server, "", &["--pipe"], b"");
    agree(&server, "", &["--pipe"], b"SET a 1\r\nSET b 2\r\nGET a\r\n");
    agree(&server, "", &["--pipe"], b"SET a x\r\nINCR a\r\nNONSENSE\r\nGET a\r\n");
    agree(&server, "", &["--pipe"], b"*1\r\n$4\r\nPING\r\nPING");
    let mut many = Vec::new();
    for i in 0..50_000 {
        let value = "v".repeat(i % 100);
        let length = value.len();
        many.extend(format!("*3\r\n$3\r\nSET\r\n$5\r\n{i:05}\r\n${length}\r\n{value}\r\n").bytes());
    }
    agree(&server, "", &["--pipe"], &many);
    let port = server.port.to_string();
    assert_eq!(run(THEIRS, &["-p", &port, "dbsize"], b"").stdout, b"50000\n");
}

#[test]
fn unfinished_protocol_is_given_up_after_the_timeout() {
    let Some(server) = Server::start(&[]) else { return };
    let input = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$100\r\nshort";
    agree(&server, "", &["--pipe", "--pipe-timeout", "1"], input);
}

#[test]
fn latency_is_one_line_when_not_on_a_terminal() {
    let Some(server) = Server::start(&[]) else { return };
    let port = server.port.to_string();
    for (format, separator) in [("--raw", ' '), ("--csv", ',')] {
        let arguments = ["-p", &port, "--latency", "-i", "0.1", format];
        let output = run(OURS, &arguments, b"");
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.trim_end().split(separator).count(), 4, "{text}");
    }
}

#[test]
fn intrinsic_latency_ends_after_its_time() {
    let output = run(OURS, &["--intrinsic-latency", "1"], b"");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("total runs (avg latency: "), "{text}");
    assert_eq!(output.status.code(), Some(0));
}
