//! Servers that are ended and started again on the same files.
//!
//! What goes wrong here ends the test: failures are panics that say what was expected.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::client::Client;
use crate::reply::{Parts, Reply};
use crate::server::{Program, ends_with_parent};

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// How long a server may take to start, and anything that a test waits for to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty one.
    ///
    /// # Panics
    /// When it cannot be made.
    #[expect(clippy::new_without_default, reason = "it makes a folder on disk")]
    pub fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("suite-durable-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// One at a place, which is kept when it is there.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn at(path: PathBuf) -> Self {
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What the server that ran here last printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.0.join("log")).unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server on a folder of files; killed when dropped.
pub struct Durable {
    child: Child,
    addr: SocketAddr,
}

impl Durable {
    /// Starts a server that keeps append-only files in `folder`, and waits until it answers.
    ///
    /// # Panics
    /// When it does not, with its log.
    pub fn start(program: &Program, folder: &Folder, options: &[&str]) -> Self {
        let options = [&["--appendonly", "yes"], options].concat();
        Self::try_start(program, folder, &options)
            .unwrap_or_else(|status| panic!("it ended with {status}: {}", folder.log()))
    }

    /// Starts a server and waits until it answers, or has ended: then with what.
    ///
    /// # Panics
    /// When it does neither.
    pub fn try_start(
        program: &Program,
        folder: &Folder,
        options: &[&str],
    ) -> Result<Self, ExitStatus> {
        Self::try_start_as(ends_with_parent(&program.path), folder, options)
    }

    /// As [`Durable::try_start`], by a command that ends up being the server with the arguments added to it.
    ///
    /// # Panics
    /// As [`Durable::try_start`].
    pub fn try_start_as(
        mut command: Command,
        folder: &Folder,
        options: &[&str],
    ) -> Result<Self, ExitStatus> {
        command
            .args(["--bind", "127.0.0.1", "--save", ""])
            .args(["--enable-debug-command", "yes", "--dir"])
            .arg(folder.path())
            .args(options)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        let mut tries = 0;
        loop {
            tries += 1;
            let started = Self::try_port(&mut command, folder);
            // Another process may take the port between the look and the server's bind.
            let is_taken = || folder.log().contains("Failed listening on port");
            if started.is_ok() || tries == 5 || !is_taken() {
                return started;
            }
        }
    }

    /// Starts it on a port that is free, and waits until it answers or ends.
    fn try_port(command: &mut Command, folder: &Folder) -> Result<Self, ExitStatus> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = free.local_addr().expect("an address");
        drop(free);
        let log = std::fs::File::create(folder.path().join("log")).expect("a log");
        // The last of several ports counts.
        let child = command
            .args(["--port", &addr.port().to_string()])
            .stdout(log)
            .spawn()
            .expect("it starts");
        let mut server = Self { child, addr };
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = server.child.try_wait().expect("its state") {
                return Err(status);
            }
            if server.answers() {
                return Ok(server);
            }
            assert!(Instant::now() < deadline, "no answer: {}", folder.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether it serves, and not another's server on a port that was lost to it, which answers until this
    /// one has given up.
    fn answers(&self) -> bool {
        let Some(mut client) = self.try_client() else { return false };
        let serves = matches!(client.call(&["PING"]), Ok(Reply::Simple(_)));
        let info = client.call(&["INFO", "server"]).ok().and_then(|info| info.as_text());
        let is_own = |line: &str| line == format!("process_id:{}", self.pid());
        serves && info.is_some_and(|info| info.lines().any(is_own))
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// A new connection.
    ///
    /// # Panics
    /// When it is not accepted.
    pub fn client(&self) -> Client {
        Client::connect(self.addr, 2).expect("it accepts")
    }

    /// A new connection, unless the server has ended.
    pub fn try_client(&self) -> Option<Client> {
        Client::connect(self.addr, 2).ok()
    }

    /// The reply to one command, sent over a connection of its own.
    ///
    /// # Panics
    /// When there is none.
    pub fn ask(&self, line: &str) -> Reply {
        let words: Vec<&str> = line.split(' ').collect();
        self.client().call(&words).expect("it answers")
    }

    /// What identifies the whole data set.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn digest(&self) -> String {
        self.ask("DEBUG DIGEST").as_text().expect("a text")
    }

    /// A field of INFO.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn info(&self, field: &str) -> Option<String> {
        let info = self.ask("INFO everything").as_text().expect("a text");
        let line = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
        Some(line.trim().to_owned())
    }

    /// Waits until a field of INFO has a value.
    ///
    /// # Panics
    /// When it does not come to have it.
    pub fn wait_for(&self, field: &str, value: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.info(field).as_deref() != Some(value) {
            assert!(Instant::now() < deadline, "{field} is {:?}", self.info(field));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Writes the append-only files anew.
    pub fn rewrite(&self) {
        self.ask("BGREWRITEAOF");
        self.wait_for("aof_rewrite_scheduled", "0");
        self.wait_for("aof_rewrite_in_progress", "0");
    }

    /// Ends it in an orderly way, without a snapshot.
    ///
    /// # Panics
    /// When it does not end.
    pub fn shut_down(mut self) {
        let mut client = self.client();
        let _ = client.call(&["SHUTDOWN", "NOSAVE"]);
        self.child.wait().expect("it ends");
    }

    /// Stops it as it is (SIGSTOP), with all its threads.
    ///
    /// # Panics
    /// When it does not stop.
    pub fn stop(&self) {
        let pid = self.pid().to_string();
        let status = Command::new("kill").args(["-STOP", &pid]).status();
        assert!(status.is_ok_and(|status| status.success()), "it cannot be stopped");
        let is_stopped = |task: &Path| {
            let stat = std::fs::read_to_string(task.join("stat")).unwrap_or_default();
            stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
            if tasks.flatten().all(|task| is_stopped(&task.path())) {
                return;
            }
            assert!(Instant::now() < deadline, "it does not stop");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Ends it by SIGKILL.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Waits for it to end by itself.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_for_end(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends random writes of every type, in three databases.
///
/// # Panics
/// When a command is not answered.
pub fn write_much(server: &Durable, seed: u64, count: usize) {
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
