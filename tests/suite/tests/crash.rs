//! A server that crashes says in its log what happened, and dies as it would have without that.
#![forbid(unsafe_code)]

use std::os::unix::process::ExitStatusExt as _;

use suite::server::{Program, Server};

const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

/// Has a server end itself by a command; gives back the signal that it died of, and its log.
fn crash(command: &str, options: &[&str]) -> (Option<i32>, String) {
    let program = Program::tested().expect("a server");
    let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
    let mut server = Server::start(&program, &options).expect("it starts");
    let words: Vec<&str> = command.split(' ').collect();
    let answer = server.client().expect("it accepts").call(&words);
    assert!(answer.is_err(), "{command} is answered: {answer:?}");
    let status = server.wait().expect("it ends");
    (status.signal(), server.log())
}

fn assert_in_order(log: &str, parts: &[&str]) {
    let mut rest = log;
    for part in parts {
        let place = rest.find(part).unwrap_or_else(|| panic!("{part:?} is missing in {log}"));
        rest = &rest[place + part.len()..];
    }
}

#[test]
fn a_signal_is_reported_with_the_thread_and_where_it_was() {
    let (signal, log) = crash("DEBUG SEGFAULT", &[]);
    assert_eq!(signal, Some(SIGSEGV));
    let parts = [
        "=== REDIS BUG REPORT START",
        "crashed by signal: 11 (SIGSEGV)",
        "(worker-",
        "------ STACK TRACE ------",
        "frames: 0x",
        "segfault",
        "run_batch",
        "------ INFO OUTPUT ------",
        "redis_version:",
        "=== REDIS BUG REPORT END",
    ];
    assert_in_order(&log, &parts);
}

#[test]
fn a_panic_is_reported_once_with_its_message() {
    let (signal, log) = crash("DEBUG PANIC", &[]);
    assert_eq!(signal, Some(SIGABRT));
    let parts = [
        "=== REDIS BUG REPORT START",
        "panicked in thread worker-",
        "DEBUG was asked for it",
        "------ STACK TRACE ------",
        "panic_on_purpose",
        "=== REDIS BUG REPORT END",
    ];
    assert_in_order(&log, &parts);
    assert_eq!(log.matches("BUG REPORT START").count(), 1, "{log}");
}

#[test]
fn no_crash_is_reported_where_that_is_turned_off() {
    for (command, signal) in [("DEBUG SEGFAULT", SIGSEGV), ("DEBUG PANIC", SIGABRT)] {
        let (died, log) = crash(command, &["--crash-log-enabled", "no"]);
        assert_eq!(died, Some(signal));
        assert!(!log.contains("BUG REPORT"), "{log}");
    }
}
