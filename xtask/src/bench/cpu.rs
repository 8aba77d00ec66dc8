//! CPU per operation, throughput and latency under random GETs and SETs, scripts and transactions; and the same CPU with two
//! workers beside one.

use super::Bench;
use super::load::{Load, field};
use super::report::{self, Cell, Row};
use super::server::{Cores, Program, Server};
use anyhow::{Result, bail};
use serde_json::Value;

const KEYS: u64 = 1_000_000;
const VALUE_BYTES: usize = 64;

/// A kind of load: what is asked (`eval` runs a script with one GET, `multi` ten SETs in a transaction), clients and requests in flight per client.
struct Shape {
    op: &'static str,
    clients: usize,
    pipeline: usize,
}

const fn shape(op: &'static str, clients: usize, pipeline: usize) -> Shape {
    Shape { op, clients, pipeline }
}

const SHAPES: &[Shape] = &[
    shape("get", 50, 1),
    shape("set", 50, 1),
    shape("get", 500, 1),
    shape("set", 500, 1),
    shape("get", 50, 16),
    shape("set", 50, 16),
    shape("get", 50, 100),
    shape("set", 50, 100),
    shape("eval", 50, 1),
    shape("eval", 50, 16),
    shape("multi", 50, 16),
];

const WORKER_SHAPES: &[Shape] =
    &[shape("get", 50, 16), shape("set", 50, 16), shape("get", 50, 100), shape("get", 50, 1)];

/// Of workers that share a core.
const SHARED_SHAPES: &[Shape] = &[shape("get", 50, 1), shape("set", 50, 1)];

/// How the cores are dealt out.
struct Places<'a> {
    load: &'a Cores,
    /// Every worker has a core of its own; otherwise all share the first.
    spread: bool,
}

impl Shape {
    fn name(&self) -> String {
        let Self { op, clients, pipeline } = self;
        format!("{}, pipeline {pipeline}, {clients} clients", op.to_uppercase())
    }

    fn among_workers(&self, spread: bool) -> String {
        let place = if spread { "a core each" } else { "on one core" };
        format!("{}, {place}", self.name())
    }
}

pub(super) fn cpu(bench: &Bench) -> Result<Vec<Row>> {
    let places = Places { load: &bench.load_cores, spread: true };
    let measured = rounds(bench, &bench.programs, SHAPES, &places)?;
    let [mut cpu, mut throughput, mut busy, mut latency] = [const { Vec::new() }; 4];
    for (shape, reports) in SHAPES.iter().zip(&measured) {
        let name = shape.name();
        let get = |report: &Value| field(report, "server_cpu_us_per_operation");
        cpu.push(row("cpu", &name, "us", reports, get)?);
        let get = |report: &Value| Ok(field(report, "operations_per_second")? / 1e3);
        throughput.push(row("throughput", &name, "k/s", reports, get)?);
        let get = |report: &Value| Ok(field(report, "server_cpu_share")? * 100.0);
        busy.push(row("busy", &name, "%", reports, get)?);
        if shape.pipeline == 1 {
            for (quantile, key) in [("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us")] {
                let get = |report: &Value| field(&report["batch"], key);
                latency.push(row("latency", &format!("{name}, {quantile}"), "us", reports, get)?);
            }
        }
    }
    report::print("cpu: server CPU per operation, us (= s per million operations)", &cpu);
    report::print("throughput: thousand operations a second", &throughput);
    report::print("busy: server CPU in % of a core; below 90 the load was the limit", &busy);
    report::print("latency at pipeline 1, us", &latency);
    Ok([cpu, throughput, busy, latency].into_iter().flatten().collect())
}

/// One worker beside two. Pipelined, each has a core; the load generator takes the third, or, on a machine of two,
/// shares the second one's: left unpinned, the scheduler's placement of one thread changes its CPU by more than the goal
/// allows.
///
/// Without a pipeline a worker waits for its clients again and again, and each wait costs the kernel more than a command
/// costs the server; how often it waits is up to a load that shares its core. So that is measured with all workers on the
/// first core, which are then busy throughout; a core each is shown beside it.
pub(super) fn workers(bench: &Bench) -> Result<Vec<Row>> {
    let Some(ours) = bench.programs.iter().find(|program| program.ours) else {
        println!("\nworkers: left out, it is about Rubrica only");
        return Ok(Vec::new());
    };
    let programs: Vec<Program> = [1, 2]
        .map(|workers| Program { workers, column: format!("workers {workers}"), ..ours.clone() })
        .into();
    let spread = Places { load: &bench.workers_load_cores, spread: true };
    let shared = Places { load: &bench.load_cores, spread: false };
    let mut rows = Vec::new();
    for (shapes, places) in [(WORKER_SHAPES, spread), (SHARED_SHAPES, shared)] {
        let measured = rounds(bench, &programs, shapes, &places)?;
        for (shape, reports) in shapes.iter().zip(&measured) {
            let get = |r: &Value| field(r, "server_cpu_us_per_operation");
            rows.push(row("workers", &shape.among_workers(places.spread), "us", reports, get)?);
        }
    }
    report::print("workers: server CPU per operation, us", &rows);
    Ok(rows)
}

/// Every server, with the keys in it; started in the order of the programs or its reverse.
fn fill(
    bench: &Bench,
    programs: &[Program],
    places: &Places<'_>,
    reverse: bool,
) -> Result<Vec<Server>> {
    let mut out = Vec::new();
    for at in 0..programs.len() {
        let program = &programs[if reverse { programs.len() - 1 - at } else { at }];
        let cores = if places.spread { program.workers } else { 1 };
        let mut server = Server::start(program, &bench.server_cores.first(cores), bench.port)?;
        let words = format!("fill --kind string --value-bytes {VALUE_BYTES} --count {KEYS}");
        let report = bench.load.run(&mut server, &words)?;
        if report["unsupported"] == true {
            bail!("{} does not know SET", program.column);
        }
        out.push(server);
    }
    if reverse {
        out.reverse();
    }
    Ok(out)
}

/// Reports per server, one per round.
type Reports = Vec<(Cell, Vec<Value>)>;

/// Reports for each shape. Every round starts the servers anew, because two processes of one
/// binary differ by several percent (where their memory lies), and takes them in turn, in the
/// other order every second time.
fn rounds(
    bench: &Bench,
    programs: &[Program],
    shapes: &[Shape],
    places: &Places<'_>,
) -> Result<Vec<Reports>> {
    let cells = || programs.iter().map(|program| Cell::new(&program.column, program.ours));
    let mut out: Vec<Reports> =
        shapes.iter().map(|_| cells().map(|cell| (cell, Vec::new())).collect()).collect();
    let load = bench.load.on(places.load);
    for round in 0..bench.rounds {
        let reverse = round % 2 == 1;
        let mut servers = fill(bench, programs, places, reverse)?;
        for (shape, reports) in shapes.iter().zip(&mut out) {
            let mut turns: Vec<_> = servers.iter_mut().zip(reports).collect();
            if reverse {
                turns.reverse();
            }
            for (server, (_, reports)) in turns {
                reports.push(drive(bench, &load, server, shape, round)?);
            }
        }
    }
    Ok(out)
}

fn drive(
    bench: &Bench,
    load: &Load,
    server: &mut Server,
    shape: &Shape,
    seed: u64,
) -> Result<Value> {
    let Shape { op, clients, pipeline } = shape;
    let words = format!(
        "drive --op {op} --clients {clients} --pipeline {pipeline} --keys {KEYS} --value-bytes \
         {VALUE_BYTES} --seconds {} --seed {seed} --pid {}",
        bench.seconds,
        server.pid()
    );
    let report = load.run(server, &words)?;
    if report["misses"] != 0 {
        bail!("{}: keys are missing: {report}", server.program.column);
    }
    Ok(report)
}

fn row(
    table: &'static str,
    name: &str,
    unit: &'static str,
    reports: &Reports,
    get: impl Fn(&Value) -> Result<f64>,
) -> Result<Row> {
    let mut row = Row::new(table, name, unit);
    for (cell, reports) in reports {
        let values = reports.iter().map(&get).collect::<Result<_>>()?;
        row.cells.push(Cell { values, ..Cell::new(&cell.column, cell.ours) });
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::super::goals;
    use super::*;

    #[test]
    fn every_goal_names_a_row_that_is_measured() {
        let spread = WORKER_SHAPES.iter().map(|shape| shape.among_workers(true));
        let shared = SHARED_SHAPES.iter().map(|shape| shape.among_workers(false));
        let workers: Vec<String> = spread.chain(shared).collect();
        let cpu: Vec<String> = SHAPES.iter().map(Shape::name).collect();
        for (table, names) in [("cpu", cpu), ("workers", workers)] {
            for goal in goals::rows(table) {
                assert!(names.iter().any(|name| name == goal), "{table}: {goal}");
            }
        }
    }
}
