//! What saving costs: memory and the waits of others while a snapshot is made, the speed of saving and loading, and
//! the throughput with append-only files. The servers may use the first two cores.

use super::Bench;
use super::load::field;
use super::report::{self, Row};
use super::server::{Cores, Program, Server};
use anyhow::{Context as _, Result, bail};
use std::time::{Duration, Instant};

/// Rows with their units; the order is that of [`Values`].
const ROWS: [(&str, &str); 13] = [
    ("BGSAVE under writes, extra memory", "%"),
    ("BGSAVE under writes, p99.9 beside idle", "x"),
    ("BGSAVE under writes, longest wait", "ms"),
    ("the same without BGSAVE, p99.9", "us"),
    ("sorted set saved, extra memory", "%"),
    ("sorted set saved, p99.9 beside idle", "x"),
    ("sorted set saved, longest wait", "ms"),
    ("the same without BGSAVE, p99.9", "us"),
    ("save of strings", "s"),
    ("load of strings", "s"),
    ("appendfsync always, a SET", "us"),
    ("no append-only file, a SET", "us"),
    ("everysec's share of the throughput between rewrites", "%"),
];

/// A value per row.
type Values = [f64; ROWS.len()];

const VALUE_BYTES: usize = 64;
/// Writes a second while others' waits are taken.
const RATE: u64 = 20_000;
/// How long waits are taken without a snapshot.
const QUIET: Duration = Duration::from_secs(2);
const SAVE_MAX: Duration = Duration::from_secs(120);

/// A data set.
struct Data {
    kind: &'static str,
    count: u64,
}

pub(super) fn durability(bench: &Bench) -> Result<Vec<Row>> {
    let row = |(name, unit): &(&str, &'static str)| {
        Row::across("durability", name, unit, &bench.programs)
    };
    let mut rows: Vec<Row> = ROWS.iter().map(row).collect();
    for _ in 0..bench.pause_rounds {
        for (at, program) in bench.programs.iter().enumerate() {
            for (row, value) in rows.iter_mut().zip(measure(bench, program)?) {
                row.cells[at].values.push(value);
            }
        }
    }
    let (strings, members) = sizes(bench);
    let title = format!(
        "durability: {} M strings of {VALUE_BYTES} bytes, a sorted set of {} M members, {} k writes a second \
         while they are saved; SETs of 50 clients",
        strings as f64 / 1e6,
        members as f64 / 1e6,
        RATE / 1000
    );
    report::print(&title, &rows);
    Ok(rows)
}

fn sizes(bench: &Bench) -> (u64, u64) {
    if bench.quick { (500_000, 1_000_000) } else { (2_000_000, 5_000_000) }
}

fn measure(bench: &Bench, program: &Program) -> Result<Values> {
    let cores = bench.server_cores.first(2);
    let (strings, members) = sizes(bench);
    let data = Data { kind: "string", count: strings };
    let (mut server, empty) = filled(bench, program, &cores, &data)?;
    let [memory, ratio, longest, idle] = under_writes(bench, &mut server, &data, empty)?;
    let start = Instant::now();
    let saved = server.call("*1\r\n$4\r\nSAVE\r\n")?;
    let save_s = start.elapsed().as_secs_f64();
    if !saved.starts_with("+OK") {
        bail!("{}: SAVE: {saved}", program.column);
    }
    let load_s = server.restart()?.as_secs_f64();
    let keys = server.call("*1\r\n$6\r\nDBSIZE\r\n")?;
    if keys.trim_end() != format!(":{strings}") {
        bail!("{}: {keys} keys were loaded", program.column);
    }
    drop(server);
    let data = Data { kind: "zset", count: members };
    let (mut server, empty) = filled(bench, program, &cores, &data)?;
    let [zset_memory, zset_ratio, zset_longest, zset_idle] =
        under_writes(bench, &mut server, &data, empty)?;
    drop(server);
    let always = sets(bench, program, &cores, 1, "--appendonly yes --appendfsync always")?;
    let none = sets(bench, program, &cores, 1, "--appendonly no")?;
    // Held to one core, so that the file's writer takes its share from the worker.
    let one = &bench.server_cores;
    let without = sets(bench, program, one, 16, "--appendonly no")?;
    // So short and fast a load on so few keys would have the file rewritten all the time.
    let everysec = "--appendonly yes --appendfsync everysec --auto-aof-rewrite-percentage 0";
    let with = sets(bench, program, one, 16, everysec)?;
    let everysec = (1.0 - without / with) * 100.0;
    Ok([
        memory,
        ratio,
        longest,
        idle,
        zset_memory,
        zset_ratio,
        zset_longest,
        zset_idle,
        save_s,
        load_s,
        always,
        none,
        everysec,
    ])
}

/// A server with the data in it, and what it took before.
fn filled(bench: &Bench, program: &Program, cores: &Cores, data: &Data) -> Result<(Server, u64)> {
    let mut server = Server::start(program, cores, bench.port)?;
    let empty = server.resident_bytes()?;
    let Data { kind, count } = data;
    let words = format!("fill --kind {kind} --value-bytes {VALUE_BYTES} --count {count}");
    bench.load.run(&mut server, &words)?;
    if *kind != "string" {
        // The keys that are asked for beside it.
        bench.load.run(&mut server, "fill --kind string --value-bytes 16 --count 1000")?;
    }
    Ok((server, empty))
}

/// Extra memory in % of the data, the 99.9th percentile of the waits during a snapshot as a multiple of that without
/// one, the longest wait in ms, and the percentile without in us.
fn under_writes(bench: &Bench, server: &mut Server, data: &Data, empty: u64) -> Result<[f64; 4]> {
    let Data { kind, count } = data;
    let words = format!("--kind {kind} --keys {count} --value-bytes {VALUE_BYTES} --rate {RATE}");
    let writes = bench.load.writes(server, &words)?;
    std::thread::sleep(QUIET / 4);
    let probe = bench.load.probe(server, 1000)?;
    std::thread::sleep(QUIET);
    let idle = field(&probe.report()?["wait"], "p999_us")?;
    let before = server.resident_bytes()?;
    let probe = bench.load.probe(server, 1000)?;
    // The probe's own start is not the snapshot's doing.
    std::thread::sleep(Duration::from_millis(50));
    server.call("*1\r\n$6\r\nBGSAVE\r\n")?;
    let start = Instant::now();
    let mut most = before;
    while server.info("persistence", "rdb_bgsave_in_progress")? != "0" {
        most = most.max(server.resident_bytes()?);
        if start.elapsed() > SAVE_MAX {
            bail!("{}: BGSAVE does not end", server.program.column);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let waits = probe.report()?;
    writes.report().context("the writer")?;
    if server.info("persistence", "rdb_last_bgsave_status")? != "ok" {
        bail!("{}: BGSAVE failed", server.program.column);
    }
    let extra = if server.program.ours {
        most - before
    } else {
        // A forked child shows its own pages only.
        server.info("persistence", "rdb_last_cow_size")?.parse()?
    };
    let data_bytes = before.saturating_sub(empty).max(1);
    let during = field(&waits["wait"], "p999_us")?;
    let longest = field(&waits["wait"], "max_ms")?;
    Ok([extra as f64 / data_bytes as f64 * 100.0, during / idle, longest, idle])
}

/// Microseconds per SET by 50 clients.
fn sets(
    bench: &Bench,
    program: &Program,
    cores: &Cores,
    pipeline: u64,
    options: &str,
) -> Result<f64> {
    let mut server = Server::start_with(program, cores, bench.port, options)?;
    let words = format!(
        "drive --op set --clients 50 --pipeline {pipeline} --keys 100000 --value-bytes {VALUE_BYTES} --seconds {} \
         --pid {}",
        bench.seconds,
        server.pid()
    );
    let report = bench.load.run(&mut server, &words)?;
    Ok(1e6 / field(&report, "operations_per_second")?)
}

#[cfg(test)]
mod tests {
    use super::super::goals;
    use super::*;

    #[test]
    fn every_goal_names_a_row_that_is_measured() {
        for goal in goals::rows("durability") {
            assert!(ROWS.iter().any(|(name, _)| *name == goal), "{goal}");
        }
    }
}
