//! How long one client waits while another's command works on a huge value of another key.

use super::Bench;
use super::load::is_unknown_command;
use super::report::{self, Cell, Row};
use super::server::{Program, Server};
use anyhow::Result;
use std::time::Duration;

/// What is filled in beforehand: the load generator's kind, the key, millions of items.
const FILLS: [(&str, &str, u64); 5] =
    [("zset", "z", 5), ("list", "l", 5), ("set", "s", 2), ("hash", "h", 2), ("stream", "x", 2)];

/// Rows with their commands, in order: later ones work on what earlier ones leave.
const CALLS: &[(&str, &str)] = &[
    ("quiet", "PING"),
    ("SMEMBERS of 2 M", "SMEMBERS,s"),
    ("HGETALL of 2 M", "HGETALL,h"),
    ("SORT of 2 M", "SORT,s,LIMIT,0,10"),
    ("ZRANGE of 5 M", "ZRANGE,z,0,-1"),
    ("ZRANGEBYSCORE of 5 M", "ZRANGEBYSCORE,z,-inf,+inf"),
    ("LRANGE of 5 M", "LRANGE,l,0,-1"),
    ("LREM in 5 M", "LREM,l,1,item:2500000"),
    ("LTRIM of 5 M to 4 M", "LTRIM,l,0,3999999"),
    ("ZUNIONSTORE of 5 M", "ZUNIONSTORE,zu,1,z"),
    ("SINTERSTORE of 2 M", "SINTERSTORE,si,s,s"),
    ("COPY of 2 M", "COPY,h,hc"),
    ("DUMP of 2 M", "DUMP,s"),
    ("ZREMRANGEBYRANK of 4 M", "ZREMRANGEBYRANK,zu,0,3999999"),
    ("XRANGE of 2 M", "XRANGE,x,-,+"),
    ("XTRIM of 2 M", "XTRIM,x,MAXLEN,10"),
    ("SETBIT makes 500 MB", "SETBIT,t,4000000000,1"),
    ("GET of 500 MB", "GET,t"),
    ("APPEND to 500 MB", "APPEND,t,tail"),
    ("MEMORY USAGE of 5 M", "MEMORY,USAGE,z"),
    ("RENAME over 2 M", "RENAME,hc,si"),
    ("SET over 2 M", "SET,si,v"),
    ("EXPIRE of 2 M at once", "PEXPIRE,h,1"),
    ("DEL of 5 M, sorted set", "DEL,z"),
    ("DEL of 4 M, list", "DEL,l"),
    ("UNLINK of 2 M, set", "UNLINK,s"),
    ("FLUSHALL", "FLUSHALL,SYNC"),
];

/// A single key is asked for: of many, some would be where the huge values are (Rubrica holds the lock of a value's
/// shard, one of 1024), and whether they are is different every time.
const PROBED: u64 = 1;
/// How long others are watched at least: what is freed in the background takes its time.
const WATCHED: Duration = Duration::from_millis(500);

pub(super) fn civil(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = CALLS.iter().map(|(name, _)| Row::new("civil", name, "ms")).collect();
    for program in &bench.programs {
        let mut cells = vec![Cell::new(&program.column, program.ours); rows.len()];
        for _ in 0..bench.pause_rounds {
            for (cell, value) in cells.iter_mut().zip(measure(bench, program)?) {
                match value {
                    Ok(value) => cell.values.push(value),
                    Err(note) => cell.note = Some(note),
                }
            }
        }
        rows.iter_mut().zip(cells).for_each(|(row, cell)| row.cells.push(cell));
    }
    report::print("civil: another client's longest wait during one command, ms", &rows);
    Ok(rows)
}

fn measure(bench: &Bench, program: &Program) -> Result<Vec<Result<f64, String>>> {
    let mut server = Server::start(program, &bench.server_cores, bench.port)?;
    let load = &bench.load;
    load.run(&mut server, &format!("fill --kind string --value-bytes 16 --count {PROBED}"))?;
    let million = if bench.quick { 100_000 } else { 1_000_000 };
    for (kind, key, millions) in FILLS {
        load.run(&mut server, &format!("fill --kind {kind} --count {}", millions * million))?;
        load.run(&mut server, &format!("call --words RENAME,big,{key}"))?;
    }
    let mut out = Vec::new();
    for (_, words) in CALLS {
        let probe = load.probe(&server, PROBED)?;
        let called = load.run(&mut server, &format!("call --words {words}"));
        std::thread::sleep(WATCHED);
        let waited = probe.end()?;
        out.push(match called {
            Ok(_) => Ok(waited),
            Err(error) if is_unknown_command(&error) => Err("no such command".to_owned()),
            Err(error) => return Err(error),
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::goals;
    use super::*;

    #[test]
    fn every_goal_names_a_row_that_is_measured() {
        for goal in goals::rows("civil") {
            assert!(CALLS.iter().any(|(name, _)| *name == goal), "{goal}");
        }
    }
}
