//! Append-only files: a data set comes back, here and under `redis-server`; what was acknowledged survives a
//! kill.
#![forbid(unsafe_code)]

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use suite::client::Client;
use suite::reply::{Parts, Reply};
use suite::server::Program;

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("suite-aof-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server on a folder of files.
struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Server {
    fn start(program: &Program, folder: &Path, options: &[&str]) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = free.local_addr().expect("an address");
        drop(free);
        let log = std::fs::File::create(folder.join("log")).expect("a log");
        let child = Command::new(&program.path)
            .args(["--port", &addr.port().to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--enable-debug-command", "yes", "--appendonly", "yes", "--dir"])
            .arg(folder)
            .args(options)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let server = Self { child, addr };
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Ok(mut client) = Client::connect(addr, 2)
                && matches!(client.call(&["PING"]), Ok(Reply::Simple(_)))
            {
                return server;
            }
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "no answer: {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn client(&self) -> Client {
        Client::connect(self.addr, 2).expect("it accepts")
    }

    fn digest(&self) -> String {
        let reply = self.client().call(&["DEBUG", "DIGEST"]).expect("it answers");
        reply.as_text().expect("a text")
    }

    fn shut_down(mut self) {
        let mut client = self.client();
        let _ = client.call(&["SHUTDOWN", "NOSAVE"]);
        self.child.wait().expect("it ends");
    }

    fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Waits until no rewrite is under way.
    fn rewrite(&self) {
        let mut client = self.client();
        client.call(&["BGREWRITEAOF"]).expect("it answers");
        loop {
            let info = client.call(&["INFO", "persistence"]).expect("it answers");
            if info.as_text().is_some_and(|text| text.contains("aof_rewrite_in_progress:0")) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends random writes of every type, in three databases.
fn write_much(server: &Server, seed: u64, count: usize) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut client = server.client();
    for number in 0..count {
        let key = random.random_range(0..60);
        let line = match random.random_range(0..26) {
            0 => format!("SET s{key} {number}"),
            1 => format!("SET s{key} {number} EX 1000"),
            2 => format!("INCRBYFLOAT f{key} 1.25"),
            3 => format!("LPUSH l{key} {number} a"),
            4 => format!("RPOP l{key} 2"),
            5 => format!("SADD e{key} {number} {} x", number % 7),
            6 => format!("SPOP e{key} 2"),
            7 => format!("ZADD z{key} {number}.5 m{}", number % 50),
            8 => format!("ZPOPMIN z{key}"),
            9 => format!("HSET h{key} f{} {number}", number % 40),
            10 => format!("HINCRBYFLOAT h{key} f{} 0.1", number % 40),
            11 => format!("XADD x{key} * a {number}"),
            12 => format!("EXPIRE s{key} 5000"),
            13 => format!("RENAME s{key} s{}", key + 1),
            14 => format!("SELECT {}", random.random_range(0..3)),
            15 => format!("XGROUP CREATE x{key} g 0"),
            16 => format!("XREADGROUP GROUP g c COUNT 2 STREAMS x{key} >"),
            17 => format!("XAUTOCLAIM x{key} g d 0 0 COUNT 1"),
            18 => format!("SETRANGE s{key} 3 q"),
            19 => format!("PFADD p{key} {number}"),
            20 => format!("GEOADD g{key} 13.36 38.{number} m"),
            21 => format!("COPY s{key} s{} REPLACE", key + 1),
            22 => format!("XTRIM x{key} MAXLEN ~ 5"),
            23 => format!("LMOVE l{key} l{} LEFT RIGHT", key + 1),
            24 => format!("BITFIELD b{key} INCRBY u8 {} 77", key % 9),
            _ => format!("DEL l{key} e{key}"),
        };
        let words: Vec<&str> = line.split(' ').collect();
        client.call(&words).expect("it answers");
    }
}

const RESP_BASE: [&str; 2] = ["--aof-use-rdb-preamble", "no"];

#[test]
fn a_data_set_comes_back_after_a_restart_and_after_a_rewrite() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Server::start(&program, &folder.0, &[]);
    write_much(&server, 1, 3000);
    let digest = server.digest();
    server.shut_down();
    let server = Server::start(&program, &folder.0, &[]);
    assert_eq!(server.digest(), digest);
    server.rewrite();
    write_much(&server, 2, 500);
    let digest = server.digest();
    server.shut_down();
    let server = Server::start(&program, &folder.0, &[]);
    assert_eq!(server.digest(), digest);
}

#[test]
fn redis_goes_on_with_our_files_and_we_with_its() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let Some(reference) = Program::reference() else { return };
    let mut digest = None;
    for (turn, program) in [&program, &reference, &program, &reference].into_iter().enumerate() {
        let server = Server::start(program, &folder.0, &RESP_BASE);
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
fn count_until_killed(server: Server, clients: usize, after: Duration) -> Vec<(i64, i64)> {
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

fn counts(server: &Server, clients: usize) -> Vec<i64> {
    let mut client = server.client();
    (0..clients)
        .map(|number| {
            let reply = client.call(&["GET", &format!("k{number}")]).expect("it answers");
            reply.as_text().map_or(0, |text| text.parse().expect("a number"))
        })
        .collect()
}

#[test]
fn what_always_acknowledged_is_there_after_kills_at_random_moments() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let mut random = SmallRng::seed_from_u64(7);
    let mut floor = vec![(0, 0); 8];
    for round in 0..8 {
        let server = Server::start(&program, &folder.0, &["--appendfsync", "always"]);
        for (found, (acknowledged, sent)) in counts(&server, 8).iter().zip(&floor) {
            assert!(found >= acknowledged, "round {round}: {found} of {acknowledged}");
            assert!(found <= sent, "round {round}: {found} was never sent");
        }
        if round % 3 == 2 {
            let _ = server.client().call(&["BGREWRITEAOF"]);
        }
        server.client().call(&["MSET", "k0", "0", "k1", "0", "k2", "0", "k3", "0"]).expect("set");
        server.client().call(&["MSET", "k4", "0", "k5", "0", "k6", "0", "k7", "0"]).expect("set");
        let after = Duration::from_millis(random.random_range(5..150));
        floor = count_until_killed(server, 8, after);
        for (acknowledged, sent) in &mut floor {
            // The one that was under way may have been counted.
            *sent = (*acknowledged + 1).max(*sent);
        }
    }
}

#[test]
fn everysec_loses_no_more_than_the_last_moment_when_the_process_is_killed() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Server::start(&program, &folder.0, &["--appendfsync", "everysec"]);
    let last = count_until_killed(server, 4, Duration::from_millis(300));
    let server = Server::start(&program, &folder.0, &[]);
    for (found, (acknowledged, sent)) in counts(&server, 4).into_iter().zip(last) {
        // A prefix of what each did; the kernel has all but the last milliseconds of it.
        assert!(found <= sent, "{found} was never sent");
        assert!(found * 2 >= acknowledged, "{found} of {acknowledged}");
    }
}

/// Files as a server leaves them that was stopped in the middle of writing.
fn write_files(folder: &Path, incr: &[u8]) -> PathBuf {
    let directory = folder.join("appendonlydir");
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
        let path = write_files(&folder.0, &all[..end]);
        let server = Server::start(&program, &folder.0, &[]);
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
    write_files(&folder.0, b"*1\r\n$4\r\nPING\r\nnonsense\r\n");
    let output = Command::new(&program.path)
        .args(["--port", "0", "--appendonly", "yes", "--dir"])
        .arg(&folder.0)
        .output()
        .expect("it runs");
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(log.contains("Bad file format reading the append only file"), "{log}");
    assert!(log.contains("offset 14"), "{log}");
}
