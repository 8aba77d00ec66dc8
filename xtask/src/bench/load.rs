//! The load generator's process, one per measurement.

use super::server::{Cores, Server};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

pub(super) struct Load {
    pub(super) path: PathBuf,
    pub(super) cores: Cores,
    /// Whether a probe can be given real-time priority, so that the other processes on its core
    /// do not make it wait.
    pub(super) realtime: bool,
}

impl Load {
    /// Runs a task to its end; its words are `--name value` pairs beside the port.
    pub(super) fn run(&self, server: &mut Server, words: &str) -> Result<Value> {
        server.check_alive()?;
        let output = self.command(server, words).output().context("the load generator")?;
        finish(words, output).or_else(|error| server.check_alive().and(Err(error)))
    }

    /// Starts steady writes that go on until they are [`Probe::end`]ed; the words are those of the task `write`.
    pub(super) fn writes(&self, server: &Server, words: &str) -> Result<Probe> {
        let mut command = self.command(server, &format!("write {words}"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(Probe { child: command.spawn().context("the writer")? })
    }

    /// Starts a closed loop of GETs that runs until it is [`Probe::end`]ed.
    pub(super) fn probe(&self, server: &Server, keys: u64) -> Result<Probe> {
        let words = format!("probe --keys {keys}");
        let mut command = match self.realtime {
            false => self.command(server, &words),
            true => {
                let plain = self.command(server, &words);
                let mut command = Command::new("chrt");
                command.args(["-f", "1"]).arg(plain.get_program()).args(plain.get_args());
                command
            }
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(Probe { child: command.spawn().context("the probe")? })
    }

    fn command(&self, server: &Server, words: &str) -> Command {
        let mut command = self.cores.command(&self.path);
        command.args(words.split_whitespace()).args(["--port", &server.port.to_string()]);
        command
    }
}

pub(super) struct Probe {
    child: Child,
}

impl Probe {
    /// The longest wait of one GET, in ms.
    pub(super) fn end(self) -> Result<f64> {
        field(&self.report()?["wait"], "max_ms")
    }

    /// Stops it, and gives back what it reports.
    pub(super) fn report(self) -> Result<Value> {
        // Waiting closes the process's standard input, which is its sign to stop.
        finish("probe", self.child.wait_with_output()?)
    }
}

/// Clients that cache, until they are [`Cachers::end`]ed.
pub(super) struct Cachers {
    child: Child,
}

impl Cachers {
    pub(super) fn start(load: &Load, server: &Server, clients: usize, mode: &str) -> Result<Self> {
        let words = format!("cachers --clients {clients} --mode {mode}");
        let mut command = load.command(server, &words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("the clients that cache")?;
        let mut line = [0; 6];
        let ready = child.stdout.as_mut().map(|stdout| stdout.read_exact(&mut line));
        if !matches!(ready, Some(Ok(()))) {
            finish(&words, child.wait_with_output()?)?;
            bail!("{words}: ended");
        }
        Ok(Self { child })
    }

    pub(super) fn end(self) -> Result<()> {
        // Waiting closes their standard input, which is their sign to stop.
        finish("cachers", self.child.wait_with_output()?).map(drop)
    }
}

fn finish(words: &str, output: std::process::Output) -> Result<Value> {
    if !output.status.success() {
        bail!("{words}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("{words}: its report"))
}

/// A number of a report.
pub(super) fn field(report: &Value, name: &str) -> Result<f64> {
    report[name].as_f64().with_context(|| format!("no {name} in {report}"))
}

/// Whether a task failed because the server lacks a command.
pub(super) fn is_unknown_command(error: &anyhow::Error) -> bool {
    format!("{error:#}").to_ascii_lowercase().contains("unknown command")
}
