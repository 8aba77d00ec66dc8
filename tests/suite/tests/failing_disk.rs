//! A disk that is full, refuses names, or fails to make data durable: writes are refused as Redis refuses them,
//! reads go on, nothing is acknowledged that is not there, and what can be mended is without a restart.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use suite::client::{Client, Got};
use suite::durable::{Durable, Folder, write_much};
use suite::reply::{Parts, Reply};
use suite::server::Program;

/// Starts a server whose files cannot grow above some kilobytes: what a full disk does, without one.
fn limited(folder: &Folder, kilobytes: u32, options: &[&str]) -> Durable {
    let program = Program::tested().expect("a server");
    let script = format!("trap '' XFSZ; ulimit -S -f {kilobytes}; exec \"$0\" \"$@\"");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).arg(&program.path);
    let options = [&["--appendonly", "yes", "--workers", "2"], options].concat();
    Durable::try_start_as(command, folder, &options).expect("it starts")
}

/// Gives the disk room again.
fn make_room(server: &Durable) {
    let pid = server.pid().to_string();
    let status = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:"]).status();
    assert!(status.expect("util-linux is there").success());
}

fn error(reply: &Reply) -> String {
    match reply {
        Reply::Error(text) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    }
}

/// Sends a command until it is answered as wanted.
fn until(client: &mut Client, line: &str, wanted: impl Fn(&Reply) -> bool) -> Reply {
    let words: Vec<&str> = line.split(' ').collect();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let reply = client.call(&words).expect("it answers");
        if wanted(&reply) {
            return reply;
        }
        assert!(Instant::now() < deadline, "{line}: {reply:?}");
    }
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room_again() {
    let folder = Folder::new();
    let server = limited(&folder, 64, &["--appendfsync", "everysec"]);
    let mut client = server.client();
    let value = "v".repeat(4000);
    let refused =
        until(&mut client, &format!("APPEND long {value}"), |reply| !error(reply).is_empty());
    assert_eq!(error(&refused), "MISCONF Errors writing to the AOF file: File too large");
    assert_eq!(server.info("aof_last_write_status").as_deref(), Some("err"));
    assert!(folder.log().contains("Error writing to the AOF file"));
    assert!(matches!(server.ask("STRLEN long"), Reply::Integer(length) if length > 60_000));
    for line in ["SET a 1", "PING", "DEL long", "RPOPLPUSH a b"] {
        assert!(error(&server.ask(line)).starts_with("MISCONF"), "{line}");
    }
    let script = ["EVAL", "return redis.call('SET', 'a', '1')", "0"];
    assert!(error(&client.call(&script).expect("it answers")).starts_with("MISCONF"));
    make_room(&server);
    until(&mut client, "SET a 1", |reply| error(reply).is_empty());
    assert_eq!(server.info("aof_last_write_status").as_deref(), Some("ok"));
    write_much(&server, 1, 200);
    let digest = server.digest();
    server.shut_down();
    let server = Durable::start(&Program::tested().expect("a server"), &folder, &[]);
    assert_eq!(server.digest(), digest);
}

#[test]
fn with_always_nobody_is_told_that_something_is_durable_on_a_full_disk() {
    let folder = Folder::new();
    let server = limited(&folder, 64, &["--appendfsync", "always"]);
    let writers: Vec<_> = (0..4)
        .map(|number| {
            let mut client = server.client();
            std::thread::spawn(move || {
                let (key, value) = (format!("list{number}").into_bytes(), vec![b'v'; 700]);
                let mut acknowledged = 0;
                loop {
                    client.send(&[b"RPUSH".to_vec(), key.clone(), value.clone()]);
                    match client.reply(Duration::from_secs(10)).expect("it is RESP") {
                        Got::Reply(Reply::Integer(length)) => acknowledged = length,
                        Got::Reply(reply) => {
                            assert!(error(&reply).starts_with("MISCONF"), "{reply:?}");
                            return acknowledged;
                        }
                        Got::Closed => return acknowledged,
                        Got::Silence => panic!("neither an answer nor an end"),
                    }
                }
            })
        })
        .collect();
    let acknowledged: Vec<i64> =
        writers.into_iter().map(|writer| writer.join().expect("it ends")).collect();
    assert!(acknowledged.iter().sum::<i64>() > 40, "{acknowledged:?}");
    for line in ["LLEN list0", "EXISTS list1 list2"] {
        assert!(matches!(server.ask(line), Reply::Integer(_)), "reads go on: {line}");
    }
    assert!(error(&server.ask("SET a 1")).starts_with("MISCONF"));
    server.kill();
    let server = Durable::start(&Program::tested().expect("a server"), &folder, &[]);
    for (number, acknowledged) in acknowledged.into_iter().enumerate() {
        let Reply::Integer(found) = server.ask(&format!("LLEN list{number}")) else {
            panic!("list{number} has gone")
        };
        assert!(found >= acknowledged, "list{number}: {found} of {acknowledged}");
    }
    assert!(folder.log().contains("bytes are dropped"), "the end of the file was cut off");
}

#[test]
fn a_snapshot_that_fails_refuses_writes_until_one_succeeds() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::try_start(&program, &folder, &[]).expect("it starts");
    // Nothing can take the place of a folder, whoever asks.
    let obstacle = folder.path().join("dump.rdb");
    std::fs::create_dir(&obstacle).expect("a folder");
    server.client().call(&["CONFIG", "SET", "save", "3600 1000"]).expect("it answers");
    server.ask("SET a 1");
    server.ask("BGSAVE");
    server.wait_for("rdb_last_bgsave_status", "err");
    let refused = error(&server.ask("SET a 2"));
    assert!(refused.starts_with("MISCONF Redis is configured to save RDB snapshots"), "{refused}");
    assert_eq!(server.ask("GET a").as_text().as_deref(), Some("1"));
    server.ask("CONFIG SET stop-writes-on-bgsave-error no");
    assert_eq!(error(&server.ask("SET a 3")), "");
    server.ask("CONFIG SET stop-writes-on-bgsave-error yes");
    assert!(!error(&server.ask("SAVE")).is_empty());
    assert!(error(&server.ask("SHUTDOWN SAVE")).contains("Errors trying to SHUTDOWN"));
    std::fs::remove_dir(&obstacle).expect("it was there");
    server.ask("BGSAVE");
    server.wait_for("rdb_last_bgsave_status", "ok");
    assert_eq!(error(&server.ask("SET a 4")), "");
    let names = std::fs::read_dir(folder.path()).expect("a folder");
    let left = names.filter(|name| {
        name.as_ref().expect("a name").file_name().to_string_lossy().starts_with("temp")
    });
    assert_eq!(left.count(), 0, "temporary files are left over");
}

#[test]
fn a_rewrite_that_fails_costs_nothing_and_the_next_one_succeeds() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::start(&program, &folder, &[]);
    let obstacle = folder.path().join("appendonlydir/appendonly.aof.2.base.rdb");
    std::fs::create_dir(&obstacle).expect("a folder");
    for failures in 1..=3 {
        write_much(&server, failures, 200);
        server.rewrite();
        assert_eq!(server.info("aof_last_bgrewrite_status").as_deref(), Some("err"));
        assert_eq!(server.info("aof_rewrites_consecutive_failures"), Some(failures.to_string()));
    }
    assert_eq!(error(&server.ask("SET still works")), "");
    let digest = server.digest();
    server.shut_down();
    let server = Durable::start(&program, &folder, &[]);
    assert_eq!(server.digest(), digest);
    std::fs::remove_dir(&obstacle).expect("it was there");
    server.rewrite();
    assert_eq!(server.info("aof_last_bgrewrite_status").as_deref(), Some("ok"));
    server.shut_down();
    let server = Durable::start(&program, &folder, &[]);
    assert_eq!(server.digest(), digest);
}

#[test]
fn a_server_that_cannot_have_its_files_does_not_start() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    std::fs::write(folder.path().join("appendonlydir"), "a file").expect("a file");
    let started = Durable::try_start(&program, &folder, &["--appendonly", "yes"]);
    assert!(started.is_err_and(|status| status.code() == Some(1)));
    assert!(folder.log().contains("appendonlydir"), "{}", folder.log());
}

/// Starts a server whose `fdatasync` fails from the second time on; `None` where that cannot be arranged.
fn failing_sync(folder: &Folder, policy: &str) -> Option<Durable> {
    if !Path::new("/usr/bin/strace").exists() {
        println!("left out: strace is not there");
        return None;
    }
    let program = Program::tested().expect("a server");
    let mut command = Command::new("/usr/bin/strace");
    command
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync"])
        .args(["-e", "inject=fdatasync:error=EIO:when=3+"])
        .arg(&program.path);
    let options = ["--appendonly", "yes", "--appendfsync", policy];
    match Durable::try_start_as(command, folder, &options) {
        Ok(server) => Some(server),
        Err(status) => {
            println!("left out: strace may not trace here ({status})");
            None
        }
    }
}

#[test]
fn a_failed_fsync_is_never_taken_for_a_success() {
    let folder = Folder::new();
    let Some(server) = failing_sync(&folder, "everysec") else { return };
    let mut client = server.client();
    let refused = until(&mut client, "INCR a", |reply| !error(reply).is_empty());
    assert_eq!(error(&refused), "MISCONF Errors writing to the AOF file: Input/output error");
    // Writing succeeds, and yet nobody knows what the failed fsync lost.
    std::thread::sleep(Duration::from_millis(300));
    assert!(error(&client.call(&["INCR", "a"]).expect("it answers")).starts_with("MISCONF"));
    assert!(client.call(&["GET", "a"]).expect("it answers").as_text().is_some());
}

#[test]
fn with_always_a_failed_fsync_ends_the_server() {
    let folder = Folder::new();
    let Some(server) = failing_sync(&folder, "always") else { return };
    let mut client = server.client();
    let mut acknowledged = 0;
    loop {
        client.send(&[b"INCR".to_vec(), b"a".to_vec()]);
        match client.reply(Duration::from_secs(10)).expect("it is RESP") {
            Got::Reply(Reply::Integer(count)) => acknowledged = count,
            Got::Closed => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(acknowledged < 5, "what was not durable was acknowledged: {acknowledged}");
    assert_eq!(server.wait_for_end().code(), Some(1));
    assert!(folder.log().contains("Can't persist AOF for fsync error"), "{}", folder.log());
}
