//! A real server and the two clients.

#![allow(clippy::unwrap_used, dead_code, reason = "for tests, each of which uses a part")]

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The client under test.
pub const OURS: &str = env!("CARGO_BIN_EXE_rubrica-cli");
/// The client it must agree with.
pub const THEIRS: &str = "redis-cli";

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A redis-server of its own, ended when dropped.
pub struct Server {
    child: Child,
    pub port: u16,
    directory: PathBuf,
}

impl Server {
    /// Starts one; `None`, with a word on standard error, when a program is not installed.
    pub fn start(options: &[&str]) -> Option<Self> {
        for program in ["redis-server", "redis-cli"] {
            if Command::new(program).arg("--version").output().is_err() {
                eprintln!("SKIPPED: {program} is not installed");
                return None;
            }
        }
        let port = free_port();
        let directory = std::env::temp_dir().join(format!("rubrica-cli-test-{port}"));
        std::fs::create_dir_all(&directory).unwrap();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--port")
            .arg(port.to_string())
            .arg("--dir")
            .arg(&directory)
            .arg("--unixsocket")
            .arg(directory.join("socket"))
            .args(options)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, port, directory };
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "redis-server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// The path of its Unix socket.
    pub fn socket(&self) -> String {
        self.directory.join("socket").to_string_lossy().into_owned()
    }

    /// Empties it and runs these commands, a line each.
    pub fn prepare(&self, commands: &str) {
        let port = self.port.to_string();
        run(THEIRS, &["-p", &port], format!("flushall\nfunction flush\n{commands}\n").as_bytes());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A port that nobody listens on just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs a client to its end.
pub fn run(program: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(program)
        .args(arguments)
        .env_remove("REDISCLI_AUTH")
        .env_remove("FAKETTY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A client that does not read its input closes it.
        let _ = stdin.write_all(&input);
    });
    let pid = child.id();
    let (done, ended) = std::sync::mpsc::channel();
    let output = std::thread::spawn(move || {
        let output = child.wait_with_output().unwrap();
        done.send(()).unwrap();
        output
    });
    if ended.recv_timeout(PATIENCE).is_err() {
        Command::new("kill").arg(pid.to_string()).status().unwrap();
        panic!("{program} {arguments:?} does not end");
    }
    writer.join().unwrap();
    output.join().unwrap()
}

/// What a run printed and how it ended, for comparison.
pub fn shown(output: &Output) -> String {
    format!(
        "status {:?}\nstdout {}\nstderr {}",
        output.status.code(),
        output.stdout.escape_ascii().to_string().replace("\\n", "\n"),
        output.stderr.escape_ascii()
    )
}

/// Demands the same output and status of both clients for the same arguments.
#[track_caller]
pub fn agree(server: &Server, preparation: &str, arguments: &[&str], input: &[u8]) {
    let port = server.port.to_string();
    let mut all = vec!["-p", &port];
    all.extend(arguments);
    server.prepare(preparation);
    let theirs = run(THEIRS, &all, input);
    server.prepare(preparation);
    let ours = run(OURS, &all, input);
    assert_eq!(shown(&ours), shown(&theirs), "{arguments:?}");
}
