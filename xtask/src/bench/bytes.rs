//! Resident bytes per item: growth of the process by a fill, divided by the items.

use super::Bench;
use super::load::is_unknown_command;
use super::report::{self, Cell, Row};
use super::server::{Program, Server};
use anyhow::Result;
use std::time::Duration;

/// What is filled in: the row, the load generator's words, the number of items.
const FILLS: &[(&str, &str, u64)] = &[
    ("string, 16 B key, 16 B value", "--kind string --value-bytes 16", 1_000_000),
    ("string, 16 B key, 64 B value", "--kind string --value-bytes 64", 1_000_000),
    ("string, 10-digit integer value", "--kind integer", 1_000_000),
    // In the year 2100, spread over a day: none expires while it is measured.
    (
        "the first, with a TTL",
        "--kind string --value-bytes 16 --expire-at-ms 4102444800000 --expire-spread-ms 86400000",
        1_000_000,
    ),
    ("hash of 10 small fields", "--kind hashes", 100_000),
    ("sorted set, one of 1 M members", "--kind zset", 1_000_000),
    ("set of 1 M integers", "--kind set", 1_000_000),
    ("hash of 1 M small fields", "--kind hash", 1_000_000),
    ("list of 1 M small items", "--kind list", 1_000_000),
];

/// Those that a quick run measures: the strings and the small hashes.
const QUICK: usize = 5;

/// Items that are there before the growth is taken: what a server's first client costs is no item's.
const FIRST: u64 = 100;

/// Time after the fill for what a server does in the background.
const SETTLE: Duration = Duration::from_millis(300);

pub(super) fn bytes(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let fills = if bench.quick { &FILLS[..QUICK] } else { FILLS };
    for (name, words, count) in fills {
        let mut row = Row::new("bytes", name, "B");
        for program in &bench.programs {
            row.cells.push(measure(bench, program, words, *count)?);
        }
        rows.push(row);
    }
    report::print("bytes: resident bytes per item", &rows);
    Ok(rows)
}

/// Memory hardly varies from run to run: one round is enough.
fn measure(bench: &Bench, program: &Program, words: &str, count: u64) -> Result<Cell> {
    let mut cell = Cell::new(&program.column, program.ours);
    let mut server = Server::start(program, &bench.server_cores, bench.port)?;
    let mut before = 0;
    for items in [FIRST, count] {
        before = server.resident_bytes()?;
        let report = match bench.load.run(&mut server, &format!("fill {words} --count {items}")) {
            // A server without PTTL cannot show that it keeps the expiry.
            Err(error) if is_unknown_command(&error) => serde_json::json!({"unsupported": true}),
            report => report?,
        };
        if report["unsupported"] == true {
            cell.note = Some("no such command".to_owned());
            return Ok(cell);
        }
        std::thread::sleep(SETTLE);
    }
    let growth = server.resident_bytes()?.saturating_sub(before);
    cell.values.push(growth as f64 / count as f64);
    Ok(cell)
}

#[cfg(test)]
mod tests {
    use super::super::goals;
    use super::*;

    #[test]
    fn every_goal_names_a_row_that_is_measured() {
        for goal in goals::rows("bytes") {
            assert!(FILLS.iter().any(|(name, ..)| *name == goal), "{goal}");
        }
    }
}
