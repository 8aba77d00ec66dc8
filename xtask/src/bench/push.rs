//! What servers tell clients unasked: messages to many subscribers; and what a write costs while many clients
//! cache.

use super::Bench;
use super::load::{Cachers, field};
use super::report::{self, Cell, Row};
use super::server::{Program, Server};
use anyhow::Result;

const SUBSCRIBERS: usize = 1000;
/// Messages unanswered at a time.
const OUTSTANDING: [usize; 4] = [1, 4, 16, 64];

const CACHERS: usize = 10_000;
const KEYS: u64 = 100_000;
const PIPELINES: [usize; 2] = [1, 16];
/// Who caches: the column and the load generator's word.
const MODES: [(&str, Option<&str>); 3] =
    [("nobody caches", None), ("each a key", Some("keys")), ("each a prefix", Some("broadcast"))];

fn publish_row(outstanding: usize) -> String {
    format!("PUBLISH to 1,000, {outstanding} unanswered")
}

fn tracking_row(pipeline: usize) -> String {
    format!("SET, pipeline {pipeline}, 10,000 clients cache")
}

pub(super) fn push(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for outstanding in OUTSTANDING {
        let mut row = Row::across("push", &publish_row(outstanding), "us", &bench.programs);
        for _ in 0..bench.rounds {
            for (program, cell) in bench.programs.iter().zip(&mut row.cells) {
                let mut server = Server::start(program, &bench.server_cores, bench.port)?;
                let words = format!(
                    "publish --subscribers {SUBSCRIBERS} --outstanding {outstanding} --seconds {} --pid {}",
                    bench.seconds,
                    server.pid()
                );
                let report = bench.load.run(&mut server, &words)?;
                cell.values.push(field(&report, "server_cpu_us_per_delivery")?);
            }
        }
        rows.push(row);
    }
    report::print("push: server CPU per message and subscriber, us", &rows);
    Ok(rows)
}

/// One server with nobody who caches beside the same with many.
pub(super) fn tracking(bench: &Bench) -> Result<Vec<Row>> {
    let Some(ours) = bench.programs.iter().find(|program| program.ours) else {
        println!("\ntracking: left out, it is about Rubrica only");
        return Ok(Vec::new());
    };
    let options = ["--maxclients", "15000"].map(str::to_owned).to_vec();
    let program = Program { options, ..ours.clone() };
    let row = |pipeline: usize| {
        let mut row = Row::new("tracking", &tracking_row(pipeline), "us");
        row.cells = MODES.iter().map(|(column, _)| Cell::new(column, true)).collect();
        row
    };
    let mut rows: Vec<Row> = PIPELINES.into_iter().map(row).collect();
    for _ in 0..bench.rounds {
        for (at, (_, mode)) in MODES.iter().enumerate() {
            let mut server = Server::start(&program, &bench.server_cores, bench.port)?;
            let words = format!("fill --kind string --value-bytes 64 --count {KEYS}");
            bench.load.run(&mut server, &words)?;
            let cachers = mode.map(|mode| Cachers::start(&bench.load, &server, CACHERS, mode));
            let cachers = cachers.transpose()?;
            for (pipeline, row) in PIPELINES.iter().zip(&mut rows) {
                let words = format!(
                    "drive --op set --clients 50 --pipeline {pipeline} --keys {KEYS} --value-bytes 64 \
                     --seconds {} --pid {}",
                    bench.seconds,
                    server.pid()
                );
                let report = bench.load.run(&mut server, &words)?;
                row.cells[at].values.push(field(&report, "server_cpu_us_per_operation")?);
            }
            cachers.map(Cachers::end).transpose()?;
        }
    }
    report::print("tracking: server CPU per SET of a key that nobody caches, us", &rows);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::super::goals;
    use super::*;

    #[test]
    fn every_goal_names_a_row_that_is_measured() {
        for goal in goals::rows("push") {
            assert!(OUTSTANDING.iter().any(|count| publish_row(*count) == goal), "{goal}");
        }
        for goal in goals::rows("tracking") {
            assert!(PIPELINES.iter().any(|count| tracking_row(*count) == goal), "{goal}");
        }
    }
}
