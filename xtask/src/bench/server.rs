//! Servers to measure: found, started, watched, ended.

use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Time until a started server must answer.
const START_MAX: Duration = Duration::from_secs(60);

/// A kind of server that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// The column's name: distinct among the programs of a run.
    pub(super) column: String,
    pub(super) path: PathBuf,
    pub(super) ours: bool,
    /// Worker threads, an option of Rubrica's.
    pub(super) workers: usize,
    /// Further options.
    pub(super) options: Vec<String>,
}

/// The cores that processes are held to, as `taskset -c` takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cores(pub(super) Option<String>);

impl Cores {
    /// The first so many cores, if these are pinned at all.
    pub(super) fn first(&self, count: usize) -> Self {
        let last = count.saturating_sub(1);
        Self(self.0.as_ref().map(|_| if last == 0 { "0".to_owned() } else { format!("0-{last}") }))
    }

    /// A command that runs the program on these cores. `taskset` becomes the program: its process
    /// number stays the same.
    pub(super) fn command(&self, program: &Path) -> Command {
        match &self.0 {
            None => Command::new(program),
            Some(list) => {
                let mut command = Command::new("taskset");
                command.args(["-c", list]).arg(program);
                command
            }
        }
    }
}

/// A running server with its own folder; ended and removed when dropped.
pub(super) struct Server {
    pub(super) program: Program,
    pub(super) port: u16,
    child: Child,
    folder: PathBuf,
    cores: Cores,
    options: Vec<String>,
}

impl Server {
    /// Without persistence.
    pub(super) fn start(program: &Program, cores: &Cores, port_first: u16) -> Result<Self> {
        Self::start_with(program, cores, port_first, "--appendonly no")
    }

    /// With these options; nothing is saved by itself.
    pub(super) fn start_with(
        program: &Program,
        cores: &Cores,
        port_first: u16,
        options: &str,
    ) -> Result<Self> {
        let port = free_port(port_first)?;
        let folder =
            std::env::temp_dir().join(format!("rubrica-bench-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let mut words: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
        if program.ours {
            words.extend(["--workers".to_owned(), program.workers.to_string()]);
        }
        words.extend(program.options.iter().cloned());
        let child = spawn(program, cores, port, &folder, &words)?;
        let (program, cores) = (program.clone(), cores.clone());
        let mut server = Self { program, port, child, folder, cores, options: words };
        server.await_answer()?;
        Ok(server)
    }

    /// Kills it and starts it anew on its files; gives back how long it takes to serve what they hold.
    pub(super) fn restart(&mut self) -> Result<Duration> {
        self.child.kill()?;
        self.child.wait()?;
        let start = Instant::now();
        self.child = spawn(&self.program, &self.cores, self.port, &self.folder, &self.options)?;
        self.await_answer()?;
        Ok(start.elapsed())
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident bytes of the process.
    pub(super) fn resident_bytes(&self) -> Result<u64> {
        let status = Path::new("/proc").join(self.pid().to_string()).join("status");
        let text = std::fs::read_to_string(status).context("the server's process")?;
        resident_bytes(&text).context("no VmRSS in the server's status")
    }

    /// Fails if the process has ended, with what it printed last.
    pub(super) fn check_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended: {status}; {}", self.program.column, self.last_words()),
        }
    }

    /// The version that `INFO server` names.
    pub(super) fn version(&self) -> String {
        let info = self.call("*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n").unwrap_or_default();
        let names = ["rubrica_version:", "valkey_version:", "redis_version:"];
        let find = |name| info.lines().find_map(|line| line.trim_start().strip_prefix(name));
        names.into_iter().find_map(find).unwrap_or("unknown").to_owned()
    }

    fn await_answer(&mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            self.check_alive()?;
            if self.call("*1\r\n$4\r\nPING\r\n").is_ok_and(|reply| reply.starts_with("+PONG")) {
                return Ok(());
            }
            if start.elapsed() > START_MAX {
                bail!("{} does not answer PING; {}", self.program.column, self.last_words());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The value of a field of `INFO section`.
    pub(super) fn info(&self, section: &str, field: &str) -> Result<String> {
        let text =
            self.call(&format!("*2\r\n$4\r\nINFO\r\n${}\r\n{section}\r\n", section.len()))?;
        let found = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        found.map(str::to_owned).with_context(|| format!("no {field} in INFO {section}"))
    }

    /// The beginning of one reply, by a connection of its own.
    pub(super) fn call(&self, request: &str) -> Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(request.as_bytes())?;
        let mut chunk = [0; 4096];
        let len = stream.read(&mut chunk)?;
        Ok(String::from_utf8_lossy(&chunk[..len]).into_owned())
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        format!("it printed: {}", lines.into_iter().rev().collect::<Vec<_>>().join(" | "))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing is to be saved, so there is nothing to wait for but the process's end.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn spawn(
    program: &Program,
    cores: &Cores,
    port: u16,
    folder: &Path,
    options: &[String],
) -> Result<Child> {
    let log = File::create(folder.join("log"))?;
    let mut command = cores.command(&program.path);
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
    command.args(["--save", "", "--dir"]).arg(folder).args(options);
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("start {}", program.path.display()))
}

pub(super) fn free_port(first: u16) -> Result<u16> {
    let ports = first..=first.saturating_add(98);
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.into_iter().find(free).with_context(|| format!("no free port from {first}"))
}

/// `VmRSS:   1234 kB`
fn resident_bytes(status: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(rest.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// The program on the search path, or itself if it is a path.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        let path = PathBuf::from(name);
        return path.is_file().then_some(path);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident_bytes("VmHWM:\t9 kB\nVmRSS:\t    12 kB\n"), Some(12_288));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(free_port(port.min(60_000)).unwrap(), port);
    }
}
