//! Scripts that do not end are ended by others.

mod common;

use std::time::{Duration, Instant};

const LOOPS: [&str; 5] = [
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "while true do pcall(redis.call, 'get', 'k') end",
    "local s = ('x'):rep(5e6) while true do pcall(string.upper, s) end",
    "return ('a'):rep(1e5):find(('.-'):rep(30) .. 'b')",
];

#[test]
fn script_kill_ends_whatever_catches_errors() {
    for workers in [1, 2] {
        let server = common::start(|config| {
            config.workers = workers;
            config.busy_reply_threshold_ms = 50;
        });
        let (mut stuck, mut other) = (server.connect(), server.connect());
        for source in LOOPS {
            let length = source.len();
            stuck.send(format!("*3\r\n$4\r\nEVAL\r\n${length}\r\n{source}\r\n$1\r\n0\r\n"));
            // What one worker reads in the same turn as the script waits for its end.
            std::thread::sleep(Duration::from_millis(100));
            let start = Instant::now();
            while !other.ask("EXISTS k").starts_with("-BUSY") {
                assert!(start.elapsed() < Duration::from_secs(10), "{source} is not noticed");
            }
            assert_eq!(other.ask("SCRIPT KILL"), "+OK");
            let line = stuck.line();
            assert!(line.contains("Script killed by user with SCRIPT KILL"), "{source}: {line}");
            assert_eq!(other.ask("EXISTS k"), ":0");
            assert!(other.ask("SCRIPT KILL").starts_with("-NOTBUSY"));
        }
    }
}

#[test]
fn a_script_that_has_written_is_not_killed() {
    let mut server = common::start(|config| config.busy_reply_threshold_ms = 50);
    let (mut stuck, mut other) = (server.connect(), server.connect());
    stuck.send("EVAL \"redis.call('set','k',1) for i = 1, 3e7 do end return 7\" 1 k\r\n");
    while !other.ask("EXISTS k").starts_with("-BUSY") {}
    assert!(other.ask("SCRIPT KILL").starts_with("-UNKILLABLE"));
    assert_eq!(stuck.line(), ":7");
    assert_eq!(other.ask("EXISTS k"), ":1");
    server.stop();
}

#[test]
fn what_arrived_together_with_a_long_script_is_answered_while_it_runs() {
    let mut server = common::start(|config| {
        config.workers = 1;
        config.busy_reply_threshold_ms = 50;
        config.enable_debug_command = config::AllowFrom::Yes;
    });
    let (mut first, mut stuck, mut other) = (server.connect(), server.connect(), server.connect());
    // All that arrives meanwhile is one batch.
    first.send("DEBUG SLEEP 0.3\r\n");
    std::thread::sleep(Duration::from_millis(100));
    stuck.send("EVAL \"while true do end\" 0\r\n");
    other.send("EXISTS k\r\nECHO x\r\n");
    assert!(other.line().starts_with("-BUSY"));
    assert!(other.line().starts_with("-BUSY"));
    assert_eq!(other.ask("SCRIPT KILL"), "+OK");
    assert!(stuck.line().contains("Script killed by user"));
    assert_eq!(other.ask("EXISTS k"), ":0");
    server.stop();
}

#[test]
fn shutdown_without_saving_ends_the_server_while_a_script_runs() {
    let server = common::start(|config| config.busy_reply_threshold_ms = 50);
    let (mut stuck, mut other) = (server.connect(), server.connect());
    stuck.send("EVAL \"while true do end\" 0\r\n");
    while !other.ask("EXISTS k").starts_with("-BUSY") {}
    other.send("SHUTDOWN NOSAVE\r\n");
    let start = Instant::now();
    while server.socket.exists() {
        assert!(start.elapsed() < Duration::from_secs(10), "the server goes on");
    }
    // Its worker goes with the process.
    std::mem::forget(server);
}
