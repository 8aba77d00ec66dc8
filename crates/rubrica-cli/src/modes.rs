//! What the client does besides running commands: a file per mode.

mod bigkeys;
mod hotkeys;
mod intrinsic;
mod keyspace;
mod latency;
mod latency_dist;
mod pipe;
mod scan;
mod stat;

use crate::args::Mode;
use crate::connection::Broken;
use crate::interactive::interrupt::Interrupt;
use crate::session::{Report, Session};
use anyhow::{Context, anyhow, bail};
use resp::Value;
use std::io::Write;
use std::time::Duration;

/// Runs `mode` to its end. An error's text is for standard error; its status is 1.
pub fn run(mode: Mode, session: &mut Session) -> anyhow::Result<()> {
    if let Mode::IntrinsicLatency { seconds } = mode {
        return intrinsic::run(seconds);
    }
    // What went wrong has been printed.
    session.connect(Report::Loud).map_err(|_| Silent)?;
    match mode {
        Mode::Latency { history } => latency::run(session, history),
        Mode::LatencyDist => latency_dist::run(session),
        Mode::Pipe => pipe::run(session),
        Mode::BigKeys => bigkeys::run(session, bigkeys::Measure::Elements),
        Mode::MemKeys { samples } => bigkeys::run(session, bigkeys::Measure::Memory { samples }),
        Mode::HotKeys => hotkeys::run(session),
        Mode::Stat => stat::run(session),
        Mode::Scan => scan::run(session),
        Mode::IntrinsicLatency { .. } => Ok(()),
    }
}

/// A failure of which everything has been said.
#[derive(Debug)]
pub struct Silent;

impl std::fmt::Display for Silent {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Silent {}

/// Sends a command and waits for its reply; a lost connection is an error.
fn call<W: AsRef<[u8]>>(session: &mut Session, words: &[W]) -> anyhow::Result<Value> {
    let connection = session.connection().ok_or_else(|| anyhow!("Not connected"))?;
    connection.call(words).map_err(|_: Broken| anyhow!("\nI/O error"))
}

/// Sends commands at once and returns their replies in order.
fn pipeline<W: AsRef<[u8]>>(
    session: &mut Session,
    commands: &[Vec<W>],
) -> anyhow::Result<Vec<Value>> {
    let connection = session.connection().ok_or_else(|| anyhow!("Not connected"))?;
    let mut request = Vec::new();
    for words in commands {
        crate::connection::encode(&mut request, words);
    }
    connection.write_all(&request)?;
    commands.iter().map(|_| connection.reply().context("Error reading a reply")).collect()
}

/// Sends a command, and while the connection is lost opens a new one every second.
fn call_persistently(session: &mut Session, words: &[&str]) -> anyhow::Result<Value> {
    let mut tries = 0_u64;
    loop {
        let result = match session.connection() {
            Some(connection) => connection.call(words),
            None => Err(Broken::Closed),
        };
        match result {
            Ok(reply) => {
                if tries > 0 {
                    print!("\r\x1b[0K");
                }
                return Ok(reply);
            }
            Err(Broken::Protocol(text)) => bail!("Error: {text}"),
            Err(_) => {
                tries += 1;
                print!("\r\x1b[0KReconnecting... {tries}\r");
                std::io::stdout().flush()?;
                std::thread::sleep(Duration::from_secs(1));
                let _ = session.connect(Report::Quiet);
            }
        }
    }
}

/// Ctrl-C as a request to stop at the next good moment; `None` where the system refuses.
fn stop_request() -> Option<Interrupt> {
    Interrupt::new().ok()
}

/// Whether Ctrl-C was pressed.
fn stop_requested(interrupt: Option<&Interrupt>) -> bool {
    interrupt.is_some_and(Interrupt::clear)
}
