//! Commands on large values leave other clients alone.

mod common;

use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::Client;

const ELEMENTS: usize = 300_000;

/// How many commands of another client are served while `work` is done.
fn served_beside(other: &mut Client<UnixStream>, work: impl FnOnce() + Send) -> usize {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            work();
            done.store(true, Ordering::Release);
        });
        let mut served = 0;
        while !done.load(Ordering::Acquire) {
            assert_eq!(other.ask("SET other value"), "+OK");
            served += 1;
        }
        served
    })
}

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
        let (mut client, mut other) = (server.connect(), server.connect());
        let served = served_beside(&mut other, || assert_eq!(client.ask(command), reply));
        // With one worker there would be one or two if they had to wait for it.
        assert!(served > 20, "{served} commands were served during {command}");
    }
}

#[test]
fn a_large_string_is_copied_beside_the_worker() {
    let server = common::start(|config| config.workers = 1);
    let mut client = server.connect();
    let mut other = server.connect();
    const LENGTH: usize = 50_000_000;
    assert_eq!(client.ask(&format!("SETRANGE s {} x", LENGTH - 1)), format!(":{LENGTH}"));
    for (command, replies) in [
        ("BITCOUNT s", vec![":4"]),
        ("SETRANGE s 75000000 y", vec![":75000001"]),
        ("APPEND s z", vec![":75000002"]),
        ("SETBIT s 800000000 1", vec![":0"]),
        ("BITFIELD s SET u8 880000000 255", vec!["*1", ":0"]),
        ("SETRANGE s 0 a", vec![":110000001"]),
    ] {
        client.send(format!("{command}\r\n"));
        for reply in replies {
            assert_eq!(client.line(), reply, "{command}");
        }
    }
    // It is counted once, though it was begun twice.
    assert_eq!(client.ask("CONFIG RESETSTAT"), "+OK");
    for command in ["GET s", "MGET s", "GETEX s PERSIST", "GETDEL s"] {
        let served = served_beside(&mut other, || {
            client.send(format!("{command}\r\n"));
            if command == "MGET s" {
                assert_eq!(client.line(), "*1");
            }
            assert_eq!(client.line(), "$110000001");
            assert_eq!(client.read(110_000_003).first(), Some(&b'a'));
        });
        assert!(served > 20, "{served} commands were served during {command}");
    }
    assert_eq!(client.ask("EXISTS s"), ":0");
    let figures = client.ask_bulk("INFO commandstats");
    for command in ["get", "mget", "getex", "getdel"] {
        assert!(figures.contains(&format!("cmdstat_{command}:calls=1,")), "{figures}");
    }
}

#[test]
fn a_large_part_of_a_stream_is_read_beside_the_worker() {
    let server = common::start(|config| config.workers = 1);
    let mut client = server.connect();
    let mut other = server.connect();
    const ENTRIES: usize = 100_000;
    for _ in 0..ENTRIES / 1000 {
        client.send("XADD s * f v\r\n".repeat(1000));
        for _ in 0..2 * 1000 {
            client.line();
        }
    }
    assert_eq!(client.ask("XGROUP CREATE s g 0"), "+OK");
    for command in [
        "XREAD STREAMS s 0",
        "XREAD BLOCK 0 STREAMS s 0",
        "XREADGROUP GROUP g c STREAMS s >",
        "XREADGROUP GROUP g c STREAMS s 0",
    ] {
        let mut reader = server.connect();
        let served = served_beside(&mut other, || {
            reader.send(format!("{command}\r\n"));
            let head = ["*1", "*2", "$1", "s", "*100000"];
            assert_eq!(head.map(|_| reader.line()), head, "{command}");
        });
        assert!(served > 20, "{served} commands were served during {command}");
    }
    assert_eq!(client.ask("XPENDING s g - + 1 nobody"), "*0");
    let figures = client.ask_bulk("INFO commandstats");
    for command in ["xread", "xreadgroup"] {
        assert!(figures.contains(&format!("cmdstat_{command}:calls=2,")), "{figures}");
    }
}

#[test]
fn long_words_are_stored_beside_the_worker_and_what_is_behind_them_comes_after_that() {
    let server = common::start(|config| config.workers = 1);
    let mut client = server.connect();
    let mut other = server.connect();
    let word = |length: usize| format!("${length}\r\n{}\r\n", "x".repeat(length));
    let (long, longer) = (word(5_000_000), word(20_000_000));
    let requests = [
        format!("*3\r\n$3\r\nSET\r\n$1\r\ns\r\n{longer}PING\r\n"),
        format!("*3\r\n$6\r\nAPPEND\r\n$1\r\ns\r\n{long}STRLEN s\r\n"),
        format!("*3\r\n$5\r\nRPUSH\r\n$1\r\nl\r\n{longer}LLEN l\r\nLLEN s\r\n"),
        format!("*4\r\n$3\r\nSET\r\n$1\r\nt\r\n{long}$2\r\nNO\r\nEXISTS t\r\n"),
        format!("MULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nt\r\n{long}STRLEN t\r\nEXEC\r\n"),
        format!("*4\r\n$4\r\nEVAL\r\n$15\r\nreturn #ARGV[1]\r\n$1\r\n0\r\n{long}PING\r\n"),
    ];
    let replies: [&[&str]; 6] = [
        &["+OK", "+PONG"],
        &[":25000000", ":25000000"],
        &[":1", ":1", "-WRONGTYPE Operation against a key holding the wrong kind of value"],
        &["-ERR syntax error", ":0"],
        &["+OK", "+QUEUED", "+QUEUED", "*2", "+OK", ":5000000"],
        &[":5000000", "+PONG"],
    ];
    for (request, replies) in requests.iter().zip(replies) {
        let served = served_beside(&mut other, || {
            client.send(request);
            for reply in replies {
                assert_eq!(client.line(), *reply);
            }
        });
        assert!(served > 0);
    }
    assert_eq!(client.ask("GETRANGE s 24999999 -1"), "$1");
    assert_eq!(client.line(), "x");
    // Its end comes while the buffer for it grows.
    let mut gone = server.connect();
    gone.send(format!("*2\r\n$4\r\nECHO\r\n$50000000\r\n{long}"));
    drop(gone);
    assert_eq!(other.ask("PING"), "+PONG");
}

#[test]
fn in_a_transaction_or_a_script_a_large_string_is_copied_where_it_is() {
    let server = common::start(|config| config.workers = 1);
    let mut client = server.connect();
    client.send("MULTI\r\nSETRANGE s 9999999 x\r\nGET s\r\nEXEC\r\n");
    for reply in ["+OK", "+QUEUED", "+QUEUED", "*2", ":10000000", "$10000000"] {
        assert_eq!(client.line(), reply);
    }
    assert_eq!(client.read(10_000_002).get(9_999_999..), Some(&b"x\r\n"[..]));
    assert_eq!(client.ask("EVAL \"return #redis.call('get', 's')\" 0"), ":10000000");
}

#[test]
fn a_flush_that_frees_all_before_it_answers_leaves_others_alone() {
    let server = common::start(|config| config.workers = 1);
    let mut client = server.connect();
    let mut other = server.connect();
    for command in ["FLUSHALL", "FLUSHALL SYNC", "FLUSHDB SYNC", "FLUSHALL ASYNC"] {
        assert_eq!(client.ask("SET k v"), "+OK");
        client.send(format!("{command}\r\nEXISTS k\r\n"));
        assert_eq!(other.ask("PING"), "+PONG");
        assert_eq!([client.line(), client.line()], ["+OK", ":0"], "{command}");
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
