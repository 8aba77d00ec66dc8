//! Commands on large values leave other clients alone.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const ELEMENTS: usize = 300_000;

#[test]
fn others_are_served_while_a_command_takes_long() {
    let server = common::start(|config| config.workers = 1);
    let mut filler = server.connect();
    for first in (0..ELEMENTS).step_by(1000) {
        let words: String = (first..first + 1000).map(|number| format!(" {number}")).collect();
        filler.ask(&format!("RPUSH list{words}"));
    }
    for (command, reply) in
        [("SORT list DESC LIMIT 0 1", "*1"), ("SORT list ALPHA STORE sorted", ":300000")]
    {
        let done = AtomicBool::new(false);
        let served = thread::scope(|scope| {
            let mut client = server.connect();
            let done = &done;
            scope.spawn(move || {
                assert_eq!(client.ask(command), reply);
                done.store(true, Ordering::Release);
            });
            let mut other = server.connect();
            let mut served = 0;
            while !done.load(Ordering::Acquire) {
                assert_eq!(other.ask("SET other value"), "+OK");
                served += 1;
            }
            served
        });
        // With one worker there would be one or two if they had to wait for it.
        assert!(served > 20, "{served} commands were served during {command}");
    }
}

#[test]
fn whoever_needs_what_is_occupied_comes_after_it() {
    let server = common::start(|config| config.workers = 1);
    let mut filler = server.connect();
    for first in (0..ELEMENTS).step_by(1000) {
        let words: String = (first..first + 1000).map(|number| format!(" {number}")).collect();
        filler.ask(&format!("RPUSH list{words}"));
    }
    let mut sorter = server.connect();
    let mut other = server.connect();
    sorter.send("SORT list ALPHA STORE list\r\nLINDEX list 0\r\n");
    for _ in 0..20 {
        assert_eq!(other.ask("LLEN list"), ":300000");
    }
    assert_eq!(sorter.line(), ":300000");
    assert_eq!(sorter.line(), "$1");
    assert_eq!(sorter.line(), "0");
}
