//! One command per run: the client prints and ends as redis-cli does.

mod support;

use support::{Server, agree};

const DATA: &str = r#"set text "hello world"
set binary "\x00\x01\xff\"\\\r\n\t\a\b\x7f caf\xc3\xa9"
set number 42
set empty ""
rpush list a b c
rpush long 1 2 3 4 5 6 7 8 9 10 11 12
hset hash f1 v1 f2 v2
sadd one-member x
zadd scores 1 one 2.5 two 1e100 big
xadd stream 1-1 field value
xadd stream 2-1 a 1 b 2
xgroup create stream group 0
geoadd places 13.361389 38.115556 Palermo
"#;

const FORMATS: [&[&str]; 10] = [
    &[],
    &["--raw"],
    &["--no-raw"],
    &["--csv"],
    &["--json"],
    &["--quoted-json"],
    &["--no-raw", "-3"],
    &["--raw", "-3"],
    &["--csv", "-3"],
    &["--json", "-2"],
];

const COMMANDS: [&[&str]; 34] = [
    &["ping"],
    &["get", "text"],
    &["get", "binary"],
    &["get", "empty"],
    &["get", "missing"],
    &["incr", "number"],
    &["incr", "text"],
    &["nonsense", "a"],
    &["lrange", "list", "0", "-1"],
    &["lrange", "long", "0", "-1"],
    &["lrange", "missing", "0", "-1"],
    &["hgetall", "hash"],
    &["hgetall", "missing"],
    &["smembers", "one-member"],
    &["smembers", "missing"],
    &["zrange", "scores", "0", "-1", "withscores"],
    &["zscore", "scores", "two"],
    &["xrange", "stream", "-", "+"],
    &["xread", "streams", "stream", "0"],
    &["xinfo", "stream", "stream", "full"],
    &["geopos", "places", "Palermo", "missing"],
    &["geodist", "places", "Palermo", "Palermo"],
    &["mget", "text", "missing", "number"],
    &["config", "get", "maxmemory*"],
    &["command", "docs", "get", "set", "xadd", "client|kill"],
    &["command", "info", "get", "nonsense"],
    &["command", "getkeysandflags", "set", "a", "b"],
    &["client", "tracking", "on"],
    &["eval", "return {1,{2,{3,'x'},{}},{},false,redis.error_reply('ERR inner')}", "0"],
    &["eval", "redis.setresp(3) return {map={a={map={b=1}},[1]={set={}}}}", "0"],
    &["eval", "return {double=3.5}", "0"],
    &["eval", "redis.setresp(3) return redis.call('zrange', 'scores', 0, -1, 'withscores')", "0"],
    &["memory", "doctor"],
    &["latency", "doctor"],
];

#[test]
fn every_reply_looks_the_same_in_every_format() {
    let Some(server) = Server::start(&["--enable-debug-command", "yes"]) else { return };
    for command in COMMANDS {
        for format in FORMATS {
            let arguments: Vec<&str> = format.iter().chain(command).copied().collect();
            // Times differ from run to run.
            if command.contains(&"full") && !format.is_empty() {
                continue;
            }
            agree(&server, DATA, &arguments, b"");
        }
    }
}

#[test]
fn every_type_of_resp3_looks_the_same() {
    let Some(server) = Server::start(&["--enable-debug-command", "yes"]) else { return };
    let types =
        ["string", "integer", "double", "null", "array", "set", "map", "verbatim", "true", "false"];
    for name in types {
        for format in FORMATS {
            let mut arguments = format.to_vec();
            arguments.extend(["debug", "protocol", name]);
            agree(&server, "", &arguments, b"");
        }
    }
}

#[test]
fn an_error_fails_the_process_only_when_asked_to() {
    let Some(server) = Server::start(&[]) else { return };
    agree(&server, "", &["incr"], b"");
    agree(&server, "", &["-e", "incr"], b"");
    agree(&server, "", &["-e", "--json", "incr"], b"");
    agree(&server, "", &["-e", "ping"], b"");
}

#[test]
fn an_argument_comes_from_standard_input() {
    let Some(server) = Server::start(&[]) else { return };
    agree(&server, "", &["-x", "echo"], b"a\x00b\xff\n");
    agree(&server, "", &["-x", "set", "key"], b"");
    agree(&server, "", &["-X", "tag", "mset", "a", "1", "b", "tag"], b"two words");
    agree(&server, "", &["-X", "tag", "set", "a", "b"], b"");
    agree(&server, "", &["-x", "-X", "tag", "set", "a", "b"], b"");
}

#[test]
fn arguments_may_be_quoted_literals() {
    let Some(server) = Server::start(&[]) else { return };
    agree(&server, "", &["--no-raw", "--quoted-input", "echo", r#""a\x00b\n""#], b"");
    agree(&server, "", &["--no-raw", "--quoted-input", "echo", "'it\\'s'"], b"");
    agree(&server, "", &["--quoted-input", "echo", "\"open"], b"");
    agree(&server, "", &["--quoted-input", "echo", "two words"], b"");
}

#[test]
fn commands_repeat_and_delimiters_change() {
    let Some(server) = Server::start(&[]) else { return };
    agree(&server, "", &["-r", "3", "incr", "n"], b"");
    agree(&server, "", &["-r", "2", "-i", "0.01", "incr", "n"], b"");
    agree(&server, "", &["-r", "0", "incr", "n"], b"");
    agree(&server, DATA, &["-d", ";", "-D", "|", "-r", "2", "lrange", "list", "0", "-1"], b"");
    agree(&server, DATA, &["-d", "", "-D", "", "lrange", "list", "0", "-1"], b"");
    agree(&server, DATA, &["-3", "-d", ";", "hgetall", "hash"], b"");
}

#[test]
fn databases_are_selected() {
    let Some(server) = Server::start(&[]) else { return };
    agree(&server, "select 3\nset here 3", &["-n", "3", "get", "here"], b"");
    agree(&server, "", &["-n", "99", "get", "here"], b"");
    let uri = format!("redis://127.0.0.1:{}/3", server.port);
    agree(&server, "select 3\nset here 3", &["-u", &uri, "get", "here"], b"");
}

#[test]
fn a_unix_socket_will_do() {
    let Some(server) = Server::start(&[]) else { return };
    let socket = server.socket();
    agree(&server, "", &["-s", &socket, "ping"], b"");
    agree(&server, "", &["-s", "/nonexistent/socket", "ping"], b"");
    agree(&server, "", &["-c", "-s", &socket, "ping"], b"");
}

#[test]
fn passwords_and_users_are_checked() {
    let Some(server) = Server::start(&["--requirepass", "s3cret"]) else { return };
    let users = "acl setuser me on >mine ~* +@all";
    agree(&server, "", &["ping"], b"");
    agree(&server, "", &["-a", "s3cret", "ping"], b"");
    agree(&server, "", &["-a", "wrong", "ping"], b"");
    agree(&server, "", &["--no-auth-warning", "--pass", "wrong", "ping"], b"");
    agree(&server, "", &["-a", "s3cret", "acl", "setuser", "me", "on", ">mine", "+@all"], b"");
    agree(&server, users, &["--user", "me", "-a", "mine", "acl", "whoami"], b"");
    agree(&server, users, &["--user", "me", "-a", "other", "acl", "whoami"], b"");
    let uri = format!("redis://me:m%69ne@127.0.0.1:{}", server.port);
    agree(&server, users, &["-u", &uri, "acl", "whoami"], b"");
    agree(&server, "", &["-a", "wrong", "--scan"], b"");
    agree(&server, "", &["-3", "--no-auth-warning", "-a", "wrong", "ping"], b"");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let Some(server) = Server::start(&[]) else { return };
    let port = support::free_port().to_string();
    agree(&server, "", &["-p", &port, "ping"], b"");
    agree(&server, "", &["-p", &port, "--scan"], b"");
    agree(&server, "", &["-p", &port, "--eval", "/nonexistent"], b"");
    agree(&server, "", &["-h", "no-such-host.invalid", "ping"], b"");
}

#[test]
fn wrong_options_are_refused() {
    let Some(server) = Server::start(&[]) else { return };
    agree(&server, "", &["--nonsense"], b"");
    agree(&server, "", &["-2", "-3", "ping"], b"");
    agree(&server, "", &["-n"], b"");
    agree(&server, "", &["-u", "http://x", "ping"], b"");
    agree(&server, "", &["-u", "redis://a%4@127.0.0.1", "ping"], b"");
    agree(&server, "", &["--show-pushes", "perhaps", "ping"], b"");
    agree(&server, "", &["--quoted-pattern", "\"", "--scan"], b"");
}

#[test]
fn scripts_run_from_files() {
    let Some(server) = Server::start(&[]) else { return };
    let path = std::env::temp_dir().join(format!("rubrica-cli-test-{}.lua", server.port));
    std::fs::write(&path, "return {KEYS, ARGV, 1.5}").unwrap();
    let file = path.to_str().unwrap();
    agree(&server, "", &["--no-raw", "--eval", file], b"");
    agree(&server, "", &["--no-raw", "--eval", file, "k1", "k2", ",", "a1", ",", "a2"], b"");
    agree(&server, "", &["--no-raw", "--eval", file, ",", "a1"], b"");
    agree(&server, "", &["--no-raw", "--eval", file, "k1,", "a1"], b"");
    agree(&server, "", &["--eval", "/nonexistent/file"], b"");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn push_messages_are_printed_when_wanted() {
    let Some(server) = Server::start(&[]) else { return };
    let lines = b"client tracking on\nget a\nset a 1\nget a\nget b\nmset a 2 b 2\nping\n";
    for wanted in ["yes", "no"] {
        for format in ["--raw", "--no-raw", "--json", "--csv"] {
            agree(&server, "", &["-3", format, "--show-pushes", wanted], lines);
        }
    }
}

#[test]
fn a_closed_connection_is_an_error_and_a_shutdown_is_not() {
    let Some(server) = Server::start(&[]) else { return };
    agree(&server, "", &["client", "kill", "type", "normal", "skipme", "no"], b"");
    agree(&server, "", &["quit"], b"");
    let port = server.port.to_string();
    let ended = support::run(support::OURS, &["-p", &port, "shutdown", "nosave"], b"");
    assert_eq!(support::shown(&ended), "status Some(0)\nstdout \nstderr ");
}
