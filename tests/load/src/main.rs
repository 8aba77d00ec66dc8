//! The load generator of `cargo xtask bench`. One process per measurement, so that it can be pinned
//! to its own core; each prints one JSON object on standard output.
//!
//! | task | does | prints |
//! |---|---|---|
//! | `fill` | writes items as fast as one pipelined connection allows | items, seconds |
//! | `drive` | GET or SET of random keys from many clients for a time | operations, server CPU, latencies |
//! | `probe` | GET in a closed loop until standard input ends | latencies, longest wait |
//! | `write` | writes at a steady pace until standard input ends | operations |
//! | `scan` | one full SCAN | keys, seconds |
//! | `gone` | polls DBSIZE until volatile keys have gone | delay |
#![forbid(unsafe_code)]

mod cpu;
mod drive;
mod fill;
mod histogram;
mod link;
mod options;
mod probe;
mod request;
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
        "probe" => probe::run(&options),
        "write" => write::run(&options),
        "scan" => watch::scan(&options),
        "gone" => watch::gone(&options),
        _ => bail!("no such task: {task}; fill, drive, probe, write, scan, gone"),
    }
}
