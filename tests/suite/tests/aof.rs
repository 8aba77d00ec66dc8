//! Append-only files: a data set comes back, here and under `redis-server`.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use suite::durable::{Durable, Folder, write_much};
use suite::reply::{Parts, Reply};
use suite::server::Program;

const RESP_BASE: [&str; 2] = ["--aof-use-rdb-preamble", "no"];

#[test]
fn a_data_set_comes_back_after_a_restart_and_after_a_rewrite() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::start(&program, &folder, &[]);
    write_much(&server, 1, 3000);
    let digest = server.digest();
    server.shut_down();
    let server = Durable::start(&program, &folder, &[]);
    assert_eq!(server.digest(), digest);
    server.rewrite();
    write_much(&server, 2, 500);
    let digest = server.digest();
    server.shut_down();
    let server = Durable::start(&program, &folder, &[]);
    assert_eq!(server.digest(), digest);
}

#[test]
fn redis_goes_on_with_our_files_and_we_with_its() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let Some(reference) = Program::reference() else { return };
    let mut digest = None;
    for (turn, program) in [&program, &reference, &program, &reference].into_iter().enumerate() {
        let server = Durable::start(program, &folder, &RESP_BASE);
        if let Some(digest) = &digest {
            assert_eq!(&server.digest(), digest, "turn {turn}");
        }
        write_much(&server, turn as u64, 1000);
        if turn >= 1 {
            server.rewrite();
            write_much(&server, 10 + turn as u64, 1000);
        }
        digest = Some(server.digest());
        server.shut_down();
    }
}

/// Clients that count up, each a key of its own, until the server is gone; gives the last number acknowledged to
/// each, and the last sent.
fn count_until_killed(server: Durable, clients: usize, after: Duration) -> Vec<(i64, i64)> {
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..clients)
        .map(|number| {
            let (mut client, stop) = (server.client(), Arc::clone(&stop));
            std::thread::spawn(move || {
                let key = format!("k{number}");
                let mut last = (0, 0);
                while !stop.load(Ordering::Relaxed) {
                    last.1 += 1;
                    match client.call(&["INCR", &key]) {
                        Ok(Reply::Integer(count)) => last = (count, count),
                        _ => break,
                    }
                }
                last
            })
        })
        .collect();
    std::thread::sleep(after);
    server.kill();
    stop.store(true, Ordering::Relaxed);
    threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
}

fn counts(server: &Durable, clients: usize) -> Vec<i64> {
    let mut client = server.client();
    (0..clients)
        .map(|number| {
            let reply = client.call(&["GET", &format!("k{number}")]).expect("it answers");
            reply.as_text().map_or(0, |text| text.parse().expect("a number"))
        })
        .collect()
}

#[test]
fn everysec_loses_no_more_than_the_last_moment_when_the_process_is_killed() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::start(&program, &folder, &["--appendfsync", "everysec"]);
    let last = count_until_killed(server, 4, Duration::from_millis(300));
    let server = Durable::start(&program, &folder, &[]);
    for (found, (acknowledged, sent)) in counts(&server, 4).into_iter().zip(last) {
        // A prefix of what each did; the kernel has all but the last milliseconds of it.
        assert!(found <= sent, "{found} was never sent");
        assert!(found * 2 >= acknowledged, "{found} of {acknowledged}");
    }
}

/// Files as a server leaves them that was stopped in the middle of writing.
fn write_files(folder: &Folder, incr: &[u8]) -> PathBuf {
    let directory = folder.path().join("appendonlydir");
    std::fs::create_dir_all(&directory).expect("a folder");
    let manifest = "file appendonly.aof.1.incr.aof seq 1 type i\n";
    std::fs::write(directory.join("appendonly.aof.manifest"), manifest).expect("a manifest");
    let path = directory.join("appendonly.aof.1.incr.aof");
    std::fs::write(&path, incr).expect("a file");
    path
}

#[test]
fn a_file_cut_off_at_any_byte_gives_what_is_whole() {
    let program = Program::tested().expect("a server");
    let one = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n";
    let two = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n2\r\n*1\r\n$4\r\nEXEC\r\n";
    let all = [&one[..], two].concat();
    for end in (1..=all.len()).step_by(3) {
        let folder = Folder::new();
        let path = write_files(&folder, &all[..end]);
        let server = Durable::start(&program, &folder, &[]);
        let reply = server.client().call(&["GET", "k"]).expect("it answers").as_text();
        let (expected, left) = match end {
            end if end == all.len() => (Some("2"), all.len()),
            end if end >= one.len() => (Some("1"), one.len()),
            _ => (None, 0),
        };
        assert_eq!(reply.as_deref(), expected, "cut at {end}");
        assert_eq!(std::fs::metadata(&path).expect("it is there").len(), left as u64);
    }
}

#[test]
fn what_is_no_command_is_refused_with_its_place() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    write_files(&folder, b"*1\r\n$4\r\nPING\r\nnonsense\r\n");
    let output = Command::new(&program.path)
        .args(["--port", "0", "--appendonly", "yes", "--dir"])
        .arg(folder.path())
        .output()
        .expect("it runs");
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(log.contains("Bad file format reading the append only file"), "{log}");
    assert!(log.contains("offset 14"), "{log}");
}
