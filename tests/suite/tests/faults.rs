//! The disk fails at the N-th call, for every N up to 50: nothing is acknowledged that is not durable, a failed
//! fsync is never taken for a success, reads go on, and what is wrong is said.
//!
//! `SUITE_FAULTS` says up to which call; what is needed to make calls fail is `strace`.
#![forbid(unsafe_code)]

use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use suite::client::{Client, Got};
use suite::durable::{Durable, Folder};
use suite::faults::{self, Fault};
use suite::journal::Journals;
use suite::reply::{Parts, Reply};
use suite::server::Program;

/// Servers that run at a time.
const SIDE_BY_SIDE: usize = 4;

/// Works for every number up to the budget, some at a time.
fn for_every_call(work: impl Fn(u64) + Sync) {
    let budget = std::env::var("SUITE_FAULTS").ok().and_then(|text| text.parse().ok());
    let next = Mutex::new(1..=budget.unwrap_or(50));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let Some(number) = next.lock().expect("nobody fails").next() else { return };
                    work(number);
                }
            });
        }
    });
}

/// What a client knows of its counter.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    acknowledged: i64,
    sent: i64,
}

/// What ended a client's series.
#[derive(Debug)]
enum Ended {
    Refused(String),
    Closed,
    Done,
}

/// Counts up to `target`, or until it is told that it cannot be done.
fn count(client: &mut Client, known: &mut Known, target: i64) -> Ended {
    while known.sent < target {
        known.sent += 1;
        client.send(&[b"INCR".to_vec(), b"count".to_vec()]);
        match client.reply(Duration::from_secs(10)) {
            Ok(Got::Reply(Reply::Integer(number))) => {
                assert_eq!(number, known.sent, "{known:?}");
                known.acknowledged = number;
            }
            Ok(Got::Reply(Reply::Error(error))) => {
                // It was not done.
                known.sent -= 1;
                return Ended::Refused(String::from_utf8_lossy(&error).into_owned());
            }
            Ok(Got::Closed) | Err(_) => return Ended::Closed,
            other => panic!("{other:?} after {known:?}"),
        }
    }
    Ended::Done
}

/// Restarts what has failed, on a disk that works, and compares the counter with what the client knows.
fn check_after_restart(folder: &Folder, known: Known, number: u64) {
    let server = Durable::start(&Program::tested().expect("a server"), folder, &[]);
    let found = server.ask("GET count").as_text().map_or(0, |text| text.parse().expect("one"));
    assert!(
        (known.acknowledged..=known.sent).contains(&found),
        "call {number}: {found} was found, {known:?}; {}",
        folder.log()
    );
}

#[test]
fn no_write_that_fails_at_any_call_is_acknowledged_and_the_next_one_goes_on() {
    if !faults::possible() {
        return;
    }
    for_every_call(|number| {
        let folder = Folder::new();
        let fault = Fault { calls: "write", what: "error=ENOSPC", when: number.to_string() };
        let server = faults::start(&folder, &fault, &["--appendfsync", "always"]);
        let server = server.expect("it starts: the file is written to by commands only");
        let target = i64::try_from(number).expect("a small number") + 5;
        let mut known = Known::default();
        let mut failures = 0;
        let deadline = Instant::now() + Duration::from_secs(20);
        while known.acknowledged < target {
            assert!(Instant::now() < deadline, "call {number}: {known:?}");
            match count(&mut server.client(), &mut known, target) {
                Ended::Done => break,
                Ended::Refused(why) => {
                    assert_eq!(
                        why,
                        "MISCONF Errors writing to the AOF file: No space left on device"
                    );
                }
                Ended::Closed => {
                    failures += 1;
                    // Its last step is done or not, which only reading tells; reads go on.
                    let found = server.ask("GET count").as_text();
                    known.sent = found.map_or(0, |text| text.parse().expect("a number"));
                    assert!(known.sent >= known.acknowledged, "call {number}: {known:?}");
                }
            }
        }
        assert_eq!(failures, 1, "call {number}: the connection whose write failed is closed");
        assert!(folder.log().contains("Error writing to the AOF file"), "{}", folder.log());
        server.kill();
        check_after_restart(&folder, known, number);
    });
}

#[test]
fn no_fsync_that_fails_at_any_call_is_taken_for_a_success() {
    if !faults::possible() {
        return;
    }
    for_every_call(|number| {
        let folder = Folder::new();
        let fault = Fault { calls: "fdatasync", what: "error=EIO", when: number.to_string() };
        let options = ["--appendfsync", "always"];
        let mut known = Known::default();
        match faults::start(&folder, &fault, &options) {
            Err(status) => assert_eq!(status.code(), Some(1), "call {number}"),
            Ok(server) => {
                let ended = count(&mut server.client(), &mut known, i64::MAX);
                assert!(matches!(ended, Ended::Closed), "call {number}: {ended:?}");
                assert_eq!(server.wait_for_end().code(), Some(1), "call {number}");
            }
        }
        assert!(known.acknowledged < i64::try_from(number).expect("small"), "{number}: {known:?}");
        assert!(folder.log().contains("fsync error"), "call {number}: {}", folder.log());
        check_after_restart(&folder, known, number);
    });
}

#[test]
fn what_pipelines_were_promised_survives_fsyncs_and_writes_that_fail() {
    if !faults::possible() {
        return;
    }
    for_every_call(|number| {
        let folder = Folder::new();
        let (calls, what) = match number % 2 {
            0 => ("fdatasync", "error=EIO"),
            _ => ("write", "error=ENOSPC"),
        };
        // For good: the server is not to recover before it is killed.
        let fault = Fault { calls, what, when: format!("{number}+") };
        let mut journals = Journals::default();
        let mut random = SmallRng::seed_from_u64(number);
        let options = ["--appendfsync", "always"];
        if let Ok(server) = faults::start(&folder, &fault, &options) {
            journals.write(server, &mut random, Durable::kill);
        }
        let program = Program::tested().expect("a server");
        journals.check(&Durable::start(&program, &folder, &[]));
    });
}

#[test]
fn a_write_that_is_cut_short_at_any_byte_is_made_whole_or_not_acknowledged() {
    let program = Program::tested().expect("a server");
    for_every_call(|number| {
        let folder = Folder::new();
        // Every byte of a command's record, some commands behind the first.
        let limit = 400 + number;
        let mut command = Command::new("prlimit");
        command.arg(format!("--fsize={limit}:")).arg(&program.path);
        let options = ["--appendonly", "yes", "--appendfsync", "always", "--logfile", "/dev/null"];
        let Ok(server) = Durable::try_start_as(command, &folder, &options) else {
            panic!("call {number}: it does not start")
        };
        let mut known = Known::default();
        let ended = count(&mut server.client(), &mut known, 1000);
        assert!(!matches!(ended, Ended::Done), "{limit} bytes were enough");
        assert!(matches!(server.ask("GET count"), Reply::Bulk(_)), "reads go on");
        let refused = server.ask("INCR count");
        assert!(
            matches!(&refused, Reply::Error(why) if why.starts_with(b"MISCONF")),
            "{refused:?}"
        );
        if number.is_multiple_of(2) {
            // There is room again: the record is made whole.
            let pid = server.pid().to_string();
            let status =
                Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:"]).status();
            assert!(status.expect("util-linux is there").success());
            let found =
                server.ask("GET count").as_text().map_or(0, |text| text.parse().expect("one"));
            known.sent = found;
            let deadline = Instant::now() + Duration::from_secs(10);
            while known.acknowledged < found + 3 {
                assert!(Instant::now() < deadline, "{known:?}");
                count(&mut server.client(), &mut known, found + 3);
            }
        }
        server.kill();
        check_after_restart(&folder, known, number);
    });
}

#[test]
fn while_an_everysec_fsync_hangs_writes_wait_after_two_seconds_and_reads_go_on() {
    if !faults::possible() {
        return;
    }
    let folder = Folder::new();
    let fault = Fault { calls: "fdatasync", what: "delay_enter=4500000", when: "2".to_owned() };
    let options = ["--appendfsync", "everysec"];
    let server = faults::start(&folder, &fault, &options).expect("it starts");
    let mut client = server.client();
    let mut gaps = Vec::new();
    let (begun, mut last) = (Instant::now(), Instant::now());
    while begun.elapsed() < Duration::from_secs(8) {
        client.send(&[b"INCR".to_vec(), b"count".to_vec()]);
        let reply = client.reply(Duration::from_secs(10)).expect("it answers");
        assert!(matches!(reply, Got::Reply(Reply::Integer(_))), "{reply:?}");
        if last.elapsed() > Duration::from_millis(700) {
            gaps.push((last - begun, last.elapsed()));
            // While it waited, others read.
            assert!(folder.log().contains("fsync is taking too long"), "{}", folder.log());
        }
        last = Instant::now();
        if gaps.is_empty() {
            let asked = Instant::now();
            server.ask("GET count");
            assert!(asked.elapsed() < Duration::from_millis(500), "a read waited");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let [(after, length)] = *gaps else { panic!("{gaps:?}: writes waited once") };
    // The first sync is about the start, the second a second later at most, and hangs for 4.5 seconds.
    assert!(after < Duration::from_millis(4500), "writes went on for {after:?}");
    assert!(length > Duration::from_millis(1000) && length < Duration::from_secs(4), "{length:?}");
    assert_eq!(server.info("aof_delayed_fsync").as_deref(), Some("1"));
}
