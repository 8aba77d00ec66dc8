//! Starting and ending the servers that cases run against.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::client::Client;
use crate::reply::Parts;

/// A server program: where it is and which Redis it is compatible with.
#[derive(Clone, Debug)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Whether it is somebody else's server: cases that show a later version or an intended
    /// difference are then left out.
    pub foreign: bool,
}

impl Program {
    /// The server under test: `$RUBRICA_SERVER`, or the `rubrica-server` beside this executable.
    ///
    /// # Errors
    /// When there is none, saying how to build one.
    pub fn tested() -> Result<Self> {
        if let Some(path) = std::env::var_os("RUBRICA_SERVER") {
            return Ok(Self::at(path.into()));
        }
        let exe = std::env::current_exe()?;
        let profile = exe
            .ancestors()
            .skip(1)
            .find(|dir| dir.file_name() != Some(OsStr::new("deps")))
            .ok_or_else(|| anyhow!("no folder above {}", exe.display()))?;
        let beside = profile.join("rubrica-server");
        if !beside.exists() {
            bail!(
                "no server at {}: run `cargo build -p rubrica-server`, or set RUBRICA_SERVER",
                beside.display()
            );
        }
        Ok(Self::at(beside))
    }

    /// The reference: `$REFERENCE_SERVER`, or `redis-server` on `PATH`. `None` when there is none.
    pub fn reference() -> Option<Self> {
        if let Some(path) = std::env::var_os("REFERENCE_SERVER") {
            return Some(Self { path: path.into(), foreign: true });
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|dir| dir.join("redis-server"))
            .find(|p| p.exists())
            .map(|path| Self { path, foreign: true })
    }

    fn at(path: PathBuf) -> Self {
        // The server runs in a folder of its own; links stay, some programs go by their name.
        let path = std::path::absolute(&path).unwrap_or(path);
        let foreign =
            !path.file_name().is_some_and(|name| name.to_string_lossy().contains("rubrica"));
        Self { path, foreign }
    }
}

/// A running server, ended when dropped.
pub struct Server {
    child: Child,
    addr: SocketAddr,
    dir: PathBuf,
    program: Program,
    version: (u32, u32),
}

static STARTED: AtomicU32 = AtomicU32::new(0);

impl Server {
    /// Starts `program` on a free loopback port with `extra` options and waits until it answers.
    ///
    /// # Errors
    /// When it does not answer `PING` within 20 seconds, with the end of its log.
    pub fn start(program: &Program, extra: &[String]) -> Result<Self> {
        let mut last = anyhow!("never tried");
        // Another process may take the port between our look and the server's bind.
        for _ in 0..5 {
            match Self::try_start(program, extra) {
                Ok(server) => return Ok(server),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    fn try_start(program: &Program, extra: &[String]) -> Result<Self> {
        let n = STARTED.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("suite-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        let port = free_port()?;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let log = std::fs::File::create(dir.join("log"))?;
        let mut command = ends_with_parent(&program.path);
        command
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--enable-debug-command", "yes", "--enable-protected-configs", "yes"])
            .arg("--dir")
            .arg(&dir)
            .args(extra)
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = command.spawn().with_context(|| format!("start {}", program.path.display()))?;
        let mut server = Self { child, addr, dir, program: program.clone(), version: (0, 0) };
        server.wait_until_it_answers()?;
        server.version = server.identify()?;
        Ok(server)
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}: {}", self.program.path.display(), self.log_tail());
            }
            if let Ok(mut client) = Client::connect(self.addr, 2)
                && client
                    .call(&["PING"])
                    .is_ok_and(|reply| reply.as_text().as_deref() == Some("PONG"))
            {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("{} does not answer: {}", self.program.path.display(), self.log_tail());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Its version, once it is sure that the one who answers is the process started here: when
    /// two want one port, the other's server answers until ours has given up.
    fn identify(&self) -> Result<(u32, u32)> {
        let info = self.client()?.call(&["INFO", "server"])?.as_text().unwrap_or_default();
        let field = |name: &str| {
            info.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim().to_owned())
        };
        if field("process_id:").is_some_and(|pid| pid != self.child.id().to_string()) {
            bail!("another process answers at {}", self.addr);
        }
        let version = field("valkey_version:").or_else(|| field("redis_version:"));
        Ok(version.as_deref().and_then(parse_version).unwrap_or((0, 0)))
    }

    /// The last lines that the server printed.
    pub fn log_tail(&self) -> String {
        let text = self.log();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its working folder, removed at the end.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The program it runs.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Major and minor number of the version it says it is.
    pub fn version(&self) -> (u32, u32) {
        self.version
    }

    /// A new RESP2 connection.
    ///
    /// # Errors
    /// When it does not accept one.
    pub fn client(&self) -> Result<Client> {
        Client::connect(self.addr, 2)
    }

    /// Waits for the process to end by itself.
    ///
    /// # Errors
    /// When the system does not say how it ended.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// All that the server has printed.
    pub fn log(&self) -> String {
        let log = std::fs::read(self.dir.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Whether the process still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when the process is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The command that starts `path` so that the kernel ends it when this process dies, where
/// util-linux has the tool for it: a test that is killed by its runner drops nothing.
pub(crate) fn ends_with_parent(path: &Path) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    if setpriv.exists() {
        let mut command = Command::new(setpriv);
        command.args(["--pdeathsig", "KILL"]).arg(path);
        command
    } else {
        Command::new(path)
    }
}

/// A port nobody listens on: from `$SUITE_PORTS` (`from-to`) when set, else the kernel's choice.
fn free_port() -> Result<u16> {
    let Ok(range) = std::env::var("SUITE_PORTS") else {
        return Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port());
    };
    let (from, to) = range.split_once('-').context("SUITE_PORTS is from-to")?;
    let (from, to): (u16, u16) = (from.parse()?, to.parse()?);
    let span = u32::from(to.saturating_sub(from)) + 1;
    // Neighbouring processes start at different places, so that they seldom look at one port.
    let start = std::process::id().wrapping_mul(7) + STARTED.load(Ordering::Relaxed);
    for step in 0..span {
        let port = from + u16::try_from((start + step) % span)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port in {range}")
}

/// `8.0` or `7.0.15` as major and minor.
pub fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(|p| p.parse().ok());
    Some((parts.next()??, parts.next().flatten().unwrap_or(0)))
}
