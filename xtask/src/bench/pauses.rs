//! How long one client waits while another makes the server work.

use super::Bench;
use super::load::{field, is_unknown_command};
use super::report::{self, Cell, Row};
use super::server::{Program, Server};
use anyhow::{Context as _, Result, bail};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const ROWS: [(&str, &str); 5] = [
    ("longest wait on a quiet server", "ms"),
    ("longest wait while keys are inserted", "ms"),
    ("longest wait during a full SCAN", "ms"),
    ("longest wait while keys expire", "ms"),
    ("expired keys gone after the last one's time", "ms"),
];

/// The keys that the probe asks for; they are there from the start.
const PROBED: u64 = 1000;
/// A longer wait on a quiet server is the machine's doing.
const QUIET_MS_MAX: f64 = 2.5;
const QUIET: Duration = Duration::from_secs(1);
/// The keys expire within a second.
const EXPIRE_SPREAD_MS: u64 = 1000;
/// How long the keys of a server that never removes them are waited for.
const GONE_MAX_S: u64 = 60;

pub(super) fn pauses(bench: &Bench) -> Result<Vec<Row>> {
    let row =
        |(name, unit): &(&str, &'static str)| Row::across("pauses", name, unit, &bench.programs);
    let mut rows: Vec<Row> = ROWS.iter().map(row).collect();
    for _ in 0..bench.pause_rounds {
        for (at, program) in bench.programs.iter().enumerate() {
            for (row, value) in rows.iter_mut().zip(measure(bench, program)?) {
                match value {
                    Ok(value) => row.cells[at].values.push(value),
                    Err(note) => row.cells[at].note = Some(note),
                }
            }
        }
    }
    let title = format!(
        "pauses: another client's longest wait, ms; {} M keys inserted, {} k keys expiring in one \
         second",
        bench.pause_keys as f64 / 1e6,
        bench.expiring_keys / 1000
    );
    report::print(&title, &rows);
    if rows[0].cells.iter().filter_map(Cell::median).any(|wait| wait > QUIET_MS_MAX) {
        println!(
            "note: the machine made even a quiet server's client wait: judge pauses elsewhere"
        );
    }
    Ok(rows)
}

/// A value per row, or why there is none.
type Values = [Result<f64, String>; ROWS.len()];

fn measure(bench: &Bench, program: &Program) -> Result<Values> {
    let mut server = Server::start(program, &bench.server_cores, bench.port)?;
    let load = &bench.load;
    load.run(&mut server, &format!("fill --kind string --value-bytes 16 --count {PROBED}"))?;

    let probe = load.probe(&server, PROBED)?;
    std::thread::sleep(QUIET);
    let quiet = probe.end()?;

    let probe = load.probe(&server, PROBED)?;
    let keys = bench.pause_keys;
    let words = format!("fill --kind string --value-bytes 16 --count {keys} --first {PROBED}");
    load.run(&mut server, &words)?;
    let insert = probe.end()?;

    let probe = load.probe(&server, PROBED)?;
    let scan = load.run(&mut server, "scan --count 1000");
    let waited = probe.end()?;
    let scan = match scan {
        Ok(report) if field(&report, "keys")? < keys as f64 => bail!("SCAN lost keys: {report}"),
        Ok(_) => Ok(waited),
        Err(error) if is_unknown_command(&error) => Err("no such command".to_owned()),
        Err(error) => return Err(error),
    };
    drop(server);
    let (expire, gone) = expiry(bench, program)?;
    Ok([Ok(quiet), Ok(insert), scan, expire, gone])
}

/// The longest wait while the keys expire, and the delay until they have gone.
fn expiry(bench: &Bench, program: &Program) -> Result<(Result<f64, String>, Result<f64, String>)> {
    let mut server = Server::start(program, &bench.server_cores, bench.port)?;
    let load = &bench.load;
    load.run(&mut server, &format!("fill --kind string --value-bytes 16 --count {PROBED}"))?;
    let count = bench.expiring_keys;
    // Ten microseconds a key is several times what the fill takes on a busy machine.
    let at = unix_ms()? + 1000 + count / 100;
    let words = format!(
        "fill --kind string --value-bytes 16 --count {count} --first {PROBED} --expire-at-ms {at} \
         --expire-spread-ms {EXPIRE_SPREAD_MS}"
    );
    match load.run(&mut server, &words) {
        Err(error) if is_unknown_command(&error) => {
            let note = || Err("no such command".to_owned());
            return Ok((note(), note()));
        }
        report => report?,
    };
    let left_ms = at.saturating_sub(unix_ms()?);
    if left_ms == 0 {
        let note = || Err("the fill took too long".to_owned());
        return Ok((note(), note()));
    }
    // The probe begins a little before the first key's time.
    std::thread::sleep(Duration::from_millis(left_ms.saturating_sub(100)));
    let probe = load.probe(&server, PROBED)?;
    let last = at + EXPIRE_SPREAD_MS;
    let words = format!("gone --left {PROBED} --at-ms {last} --limit {GONE_MAX_S}");
    let report = load.run(&mut server, &words);
    let waited = probe.end()?;
    let report = match report {
        Err(error) if is_unknown_command(&error) => {
            return Ok((Ok(waited), Err("no such command".to_owned())));
        }
        report => report?,
    };
    if report["gone"] == true {
        return Ok((Ok(waited), Ok(field(&report, "late_ms")?)));
    }
    Ok((Ok(waited), Err(format!("{} left after {GONE_MAX_S} s", report["left"]))))
}

fn unix_ms() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is far off")?;
    Ok(u64::try_from(now.as_millis())?)
}

#[cfg(test)]
mod tests {
    use super::super::goals;
    use super::*;

    #[test]
    fn every_goal_names_a_row_that_is_measured() {
        for goal in goals::rows("pauses") {
            assert!(ROWS.iter().any(|(name, _)| *name == goal), "{goal}");
        }
    }
}
