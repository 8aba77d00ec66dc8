//! The load generator of `cargo xtask bench`. One process per measurement, so that it can be pinned
//! to its own core; each prints one JSON object on standard output.
//!
//! | task | does | prints |
//! |---|---|---|
//! | `fill` | writes items as fast as one pipelined connection allows | items, seconds |
//! | `drive` | GET or SET of random keys, or any command, from many clients for a time or a number of operations | operations, server CPU, latencies |
//! | `publish` | messages to many subscribers, so many unanswered at a time | deliveries, server CPU |
//! | `cachers` | connects clients that track keys, until standard input ends | `ready`, when they do |
//! | `encrypted` | has `redis-benchmark` GET over TLS | server CPU |
//! | `call` | one command, whose reply may be huge | seconds |
//! | `probe` | GET in a closed loop until standard input ends | latencies, longest wait |
//! | `write` | writes at a steady pace until standard input ends | operations |
//! | `scan` | one full SCAN | keys, seconds |
//! | `gone` | polls DBSIZE until volatile keys have gone | delay |
#![forbid(unsafe_code)]

mod cachers;
mod call;
mod cpu;
mod drive;
mod encrypted;
mod fill;
mod histogram;
mod link;
mod options;
mod probe;
mod publish;
mod request;
mod stop;
mod watch;
mod write;

use anyhow::{Result, bail};
use options::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<serde_json::Value> {
    let mut args = std::env::args().skip(1);
    let task = args.next().unwrap_or_default();
    let options = Options::parse(args)?;
    match task.as_str() {
        "fill" => fill::run(&options),
        "drive" => drive::run(&options),
        "publish" => publish::run(&options),
        "cachers" => cachers::run(&options),
        "encrypted" => encrypted::run(&options),
        "call" => call::run(&options),
        "probe" => probe::run(&options),
        "write" => write::run(&options),
        "scan" => watch::scan(&options),
        "gone" => watch::gone(&options),
        _ => bail!(
            "no such task: {task}; fill, drive, call, publish, cachers, encrypted, probe, write, scan, gone"
        ),
    }
}
