//! `cargo xtask bench`: Rubrica and other servers measured in turn within one run, so that what
//! else the machine does reaches all of them. Absolute numbers move with the machine; the ratios
//! to the first peer are what the goals in [`goals`] are about.
//!
//! Every server runs without persistence (but in the table about it), held to one core, with the load
//! generator (package `load`) on another.

mod bytes;
mod civil;
mod cpu;
mod durability;
mod goals;
mod load;
mod options;
mod pauses;
mod push;
mod report;
mod server;
mod tls;
mod types;

use anyhow::{Context as _, Result, bail};
use load::Load;
use options::{Options, TABLES, USAGE};
use report::Row;
use serde_json::json;
use server::{Cores, Program, Server};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What every table needs to know.
struct Bench {
    /// Peers first, Rubrica last: ratios are to the first.
    programs: Vec<Program>,
    load: Load,
    server_cores: Cores,
    load_cores: Cores,
    /// Where the load runs beside two workers.
    workers_load_cores: Cores,
    /// First port to try.
    port: u16,
    /// Leave the big collections out of the bytes table.
    quick: bool,
    /// Rounds of each load, and seconds of each.
    rounds: u64,
    seconds: f64,
    type_rounds: u64,
    pause_rounds: u64,
    /// Keys inserted, and keys that expire, while a probe watches.
    pause_keys: u64,
    expiring_keys: u64,
}

impl Load {
    fn on(&self, cores: &Cores) -> Self {
        Self { path: self.path.clone(), cores: cores.clone(), realtime: self.realtime }
    }
}

pub(crate) fn run(root: &Path, words: &[String]) -> Result<()> {
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return Ok(());
    }
    let options = Options::parse(words)?;
    let start = Instant::now();
    let bench = prepare(root, &options)?;
    let mut rows = Vec::new();
    for table in &options.tables {
        rows.extend(match table.as_str() {
            "cpu" => cpu::cpu(&bench)?,
            "bytes" => bytes::bytes(&bench)?,
            "pauses" => pauses::pauses(&bench)?,
            "civil" => civil::civil(&bench)?,
            "types" => types::types(&bench)?,
            "workers" => cpu::workers(&bench)?,
            "push" => push::push(&bench)?,
            "tracking" => push::tracking(&bench)?,
            "tls" => tls::tls(&bench)?,
            "durability" => durability::durability(&bench)?,
            other => bail!("no such table: {other}; there are {TABLES}"),
        });
    }
    conclude(&options, &bench, &rows, start)
}

fn conclude(options: &Options, bench: &Bench, rows: &[Row], start: Instant) -> Result<()> {
    let (met, missed) = report::verdicts(rows);
    println!("\ngoals met: {met}, missed: {}", missed.len());
    for name in &missed {
        println!("  missed  {name}");
    }
    println!("{:.0} s; load average now {}", start.elapsed().as_secs_f64(), load_average());
    if let Some(path) = &options.json {
        let columns: Vec<_> = bench.programs.iter().map(|program| &program.column).collect();
        let report = json!({
            "quick": options.quick,
            "columns": columns,
            "rows": rows.iter().map(Row::json).collect::<Vec<_>>(),
        });
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, text + "\n").with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn prepare(root: &Path, options: &Options) -> Result<Bench> {
    let target = build(root, options)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pinned = cores >= 2 && succeeds("taskset", &["-c", "0", "true"]);
    if !pinned {
        println!("note: one core or no taskset: servers and load generator share the machine");
    }
    let core = |number: usize| Cores(pinned.then(|| number.to_string()));
    let load = Load {
        path: target.join("load"),
        cores: core(1),
        realtime: succeeds("chrt", &["-f", "1", "true"]),
    };
    if !load.realtime {
        println!("note: no real-time priority for the probe: its waits include its own core's");
    }
    let quick = options.quick;
    let mut bench = Bench {
        programs: programs(options, &target),
        load,
        server_cores: core(0),
        load_cores: core(1),
        workers_load_cores: core(if cores >= 3 { 2 } else { 1 }),
        port: options.port,
        quick,
        rounds: options.rounds.unwrap_or(if quick { 3 } else { 5 }),
        seconds: options.seconds.unwrap_or(if quick { 0.3 } else { 3.0 }),
        type_rounds: options.rounds.unwrap_or(if quick { 1 } else { 3 }),
        pause_rounds: if quick { 1 } else { 3 },
        pause_keys: if quick { 1_000_000 } else { 10_000_000 },
        expiring_keys: if quick { 200_000 } else { 1_000_000 },
    };
    announce(&mut bench);
    match bench.programs.is_empty() {
        true => bail!("no server to measure"),
        false => Ok(bench),
    }
}

/// Prints what is measured; leaves out what does not start.
fn announce(bench: &mut Bench) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores, load average {}", load_average());
    let Bench { programs, server_cores, port, .. } = bench;
    programs.retain(|program| match Server::start(program, server_cores, *port) {
        Ok(server) => {
            println!("  {}: {} {}", program.column, program.path.display(), server.version());
            true
        }
        Err(error) => {
            println!("  {}: left out: {error:#}", program.column);
            false
        }
    });
}

/// Builds the load generator and Rubrica; returns the folder of the binaries.
fn build(root: &Path, options: &Options) -> Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.args(["build", "--profile", &options.profile, "--package", "load"]);
    if options.rubrica.is_none() && !options.peers_only {
        command.args(["--package", "rubrica-server"]);
    }
    let status = command.current_dir(root).status().context("cargo")?;
    if !status.success() {
        bail!("the build failed");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    Ok(target.join(&options.profile))
}

fn programs(options: &Options, target: &Path) -> Vec<Program> {
    let mut out: Vec<Program> = Vec::new();
    for peer in &options.peers {
        let Some(path) = server::find(peer) else {
            println!("note: {peer} is not on the search path: left out");
            continue;
        };
        let name = peer.rsplit('/').next().unwrap_or(peer);
        let same = out.iter().filter(|program| program.column.starts_with(name)).count();
        let column = if same == 0 { name.to_owned() } else { format!("{name}#{}", same + 1) };
        out.push(Program { column, path, ours: false, workers: 1, options: Vec::new() });
    }
    if !options.peers_only {
        let path = options.rubrica.clone().unwrap_or_else(|| target.join("rubrica-server"));
        out.push(Program {
            column: "rubrica".to_owned(),
            path,
            ours: true,
            workers: 1,
            options: Vec::new(),
        });
    }
    out
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

fn succeeds(program: &str, words: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
