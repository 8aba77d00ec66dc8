//! `--hotkeys`: the keys with the highest access counters, which a server keeps under an LFU policy.

use super::keyspace::{self, Progress};
use super::{pipeline, stop_request, stop_requested};
use crate::quoting::quoted;
use crate::session::Session;
use anyhow::bail;
use resp::Value;

/// How many keys are kept.
const KEPT: usize = 16;

/// Scans the database and prints what it finds; Ctrl-C leads to the summary at once.
pub fn run(session: &mut Session) -> anyhow::Result<()> {
    let interrupt = stop_request();
    let mut progress = Progress::new(keyspace::size(session)?);
    println!("\n# Scanning the entire keyspace to find hot keys as well as");
    println!("# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec");
    println!("# per 100 SCAN commands (not usually needed).\n");
    // Counter and name, the hottest first; of equal counters the earlier found.
    let mut hottest: Vec<(u64, String)> = Vec::new();
    let mut cursor = session.options.first_cursor;
    let stopped = loop {
        progress.begin_step();
        let step = keyspace::step(session, cursor)?;
        for (key, counter) in step.keys.iter().zip(counters(session, &step.keys)?) {
            progress.count();
            let place = hottest.partition_point(|(kept, _)| *kept >= counter);
            if counter == 0 || place >= KEPT {
                continue;
            }
            let key = quoted(key);
            let label = progress.label();
            println!("{label} Hot key '{key}' found so far with counter {counter}");
            hottest.insert(place, (counter, key));
            hottest.truncate(KEPT);
        }
        progress.end_step(session.options.interval);
        cursor = step.cursor;
        let stopped = stop_requested(interrupt.as_ref());
        if stopped || cursor == 0 {
            break stopped;
        }
    };
    println!("\n-------- summary -------\n");
    if stopped {
        print!("{} ", progress.label());
    }
    println!("Sampled {} keys in the keyspace!", progress.sampled);
    for (counter, key) in &hottest {
        println!("hot key found with counter: {counter}\tkeyname: {key}");
    }
    Ok(())
}

/// Each key's access counter; 0 for one that has gone.
fn counters(session: &mut Session, keys: &[Vec<u8>]) -> anyhow::Result<Vec<u64>> {
    let commands: Vec<_> =
        keys.iter().map(|key| vec![b"OBJECT".as_slice(), b"FREQ", key]).collect();
    let mut counters = Vec::with_capacity(keys.len());
    for (key, reply) in keys.iter().zip(pipeline(session, &commands)?) {
        counters.push(match reply {
            Value::Integer(counter) => u64::try_from(counter).unwrap_or(0),
            Value::Error(text) => bail!("Error: {}", String::from_utf8_lossy(&text)),
            _ => {
                let key = quoted(key);
                eprintln!("Warning: OBJECT freq on '{key}' failed (may have been deleted)");
                0
            }
        });
    }
    Ok(counters)
}
