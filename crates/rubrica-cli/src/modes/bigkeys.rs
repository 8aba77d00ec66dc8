//! `--bigkeys` and `--memkeys`: the biggest key of each type, and each type's totals.

use super::keyspace::{self, Progress};
use super::{pipeline, stop_request, stop_requested};
use crate::quoting::quoted;
use crate::session::Session;
use anyhow::bail;
use resp::Value;

/// What makes a key big.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The number of its elements, or the length of a string.
    Elements,
    /// Its memory in bytes, estimated from so many elements (0: as the server prefers).
    Memory { samples: u64 },
}

/// The types with the command that counts their elements and the elements' name.
const TYPES: [(&str, &str, &str); 6] = [
    ("string", "STRLEN", "bytes"),
    ("list", "LLEN", "items"),
    ("set", "SCARD", "members"),
    ("hash", "HLEN", "fields"),
    ("zset", "ZCARD", "members"),
    ("stream", "XLEN", "entries"),
];

/// What was found of one type.
struct Found {
    name: String,
    /// `None` for a type that nobody knows, such as a module's.
    count_command: Option<&'static str>,
    unit: &'static str,
    keys: u64,
    total: u64,
    biggest: u64,
    biggest_key: Option<String>,
}

impl Found {
    fn new(name: &str, count_command: Option<&'static str>, unit: &'static str) -> Self {
        let (keys, total, biggest) = (0, 0, 0);
        Self { name: name.into(), count_command, unit, keys, total, biggest, biggest_key: None }
    }

    fn unit(&self, measure: Measure) -> &'static str {
        if measure == Measure::Elements { self.unit } else { "bytes" }
    }
}

/// Scans the database and prints what it finds; Ctrl-C leads to the summary at once.
pub fn run(session: &mut Session, measure: Measure) -> anyhow::Result<()> {
    let interrupt = stop_request();
    let mut found: Vec<Found> =
        TYPES.iter().map(|(name, command, unit)| Found::new(name, Some(command), unit)).collect();
    let mut progress = Progress::new(keyspace::size(session)?);
    let mut name_bytes = 0_u64;
    println!("\n# Scanning the entire keyspace to find biggest keys as well as");
    println!("# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec");
    println!("# per 100 SCAN commands (not usually needed).\n");
    let mut cursor = session.options.first_cursor;
    let stopped = loop {
        progress.begin_step();
        let step = keyspace::step(session, cursor)?;
        let types = types(session, &step.keys, &mut found)?;
        let sizes = sizes(session, &step.keys, &types, &found, measure)?;
        for ((key, index), size) in step.keys.iter().zip(types).zip(sizes) {
            let Some(found) = index.and_then(|index| found.get_mut(index)) else { continue };
            name_bytes += key.len() as u64;
            found.total = found.total.saturating_add(size);
            found.keys += 1;
            // Counted first, though a percentage shown with it is the step's.
            progress.count();
            if found.biggest < size {
                let (label, name, unit) = (progress.label(), &found.name, found.unit(measure));
                let key = quoted(key);
                println!("{label} Biggest {name:<6} found so far '{key}' with {size} {unit}");
                found.biggest = size;
                found.biggest_key = Some(key);
            }
        }
        progress.end_step(session.options.interval);
        cursor = step.cursor;
        let stopped = stop_requested(interrupt.as_ref());
        if stopped || cursor == 0 {
            break stopped;
        }
    };
    summarize(&found, &progress, name_bytes, measure, stopped);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "averages for people")]
fn summarize(
    found: &[Found],
    progress: &Progress,
    name_bytes: u64,
    measure: Measure,
    stopped: bool,
) {
    let average = |total: u64, count: u64| {
        if count == 0 { 0.0 } else { total as f64 / count as f64 }
    };
    println!("\n-------- summary -------\n");
    if stopped {
        print!("{} ", progress.label());
    }
    let sampled = progress.sampled;
    println!("Sampled {sampled} keys in the keyspace!");
    let mean = average(name_bytes, sampled);
    println!("Total key length in bytes is {name_bytes} (avg len {mean:.2})\n");
    for found in found {
        if let Some(key) = &found.biggest_key {
            let (name, size, unit) = (&found.name, found.biggest, found.unit(measure));
            println!("Biggest {name:>6} found '{key}' has {size} {unit}");
        }
    }
    println!();
    for found in found {
        println!(
            "{} {}s with {} {} ({:05.2}% of keys, avg size {:.2})",
            found.keys,
            found.name,
            found.total,
            found.unit(measure),
            100.0 * average(found.keys, sampled),
            average(found.total, found.keys),
        );
    }
}

/// The index in `found` of each key's type, added where new; `None` for a key that has gone.
fn types(
    session: &mut Session,
    keys: &[Vec<u8>],
    found: &mut Vec<Found>,
) -> anyhow::Result<Vec<Option<usize>>> {
    let commands: Vec<_> = keys.iter().map(|key| vec![b"TYPE".as_slice(), key]).collect();
    let mut types = Vec::with_capacity(keys.len());
    for reply in pipeline(session, &commands)? {
        let name = match reply {
            Value::Simple(name) => String::from_utf8_lossy(&name).into_owned(),
            Value::Error(text) => {
                bail!("TYPE returned an error: {}", String::from_utf8_lossy(&text))
            }
            _ => bail!("Invalid reply type for TYPE!"),
        };
        let known = found.iter().position(|found| found.name == name);
        types.push(match known {
            None if name != "none" => {
                found.push(Found::new(&name, None, "?"));
                found.len().checked_sub(1)
            }
            known => known,
        });
    }
    Ok(types)
}

/// The size of each key; 0 for a key that has gone or whose type has no size.
fn sizes(
    session: &mut Session,
    keys: &[Vec<u8>],
    types: &[Option<usize>],
    found: &[Found],
    measure: Measure,
) -> anyhow::Result<Vec<u64>> {
    let command = |key: &[u8], index: Option<usize>| -> Option<Vec<Vec<u8>>> {
        let command = found.get(index?)?.count_command;
        match measure {
            Measure::Elements => Some(vec![command?.into(), key.to_vec()]),
            Measure::Memory { samples } => {
                let mut words = vec![b"MEMORY".to_vec(), b"USAGE".to_vec(), key.to_vec()];
                if samples > 0 {
                    words.extend([b"SAMPLES".to_vec(), samples.to_string().into_bytes()]);
                }
                Some(words)
            }
        }
    };
    let commands: Vec<_> =
        keys.iter().zip(types).map(|(key, index)| command(key, *index)).collect();
    let sent: Vec<_> = commands.iter().flatten().cloned().collect();
    let mut replies = pipeline(session, &sent)?.into_iter();
    let size = |(key, command): (&Vec<u8>, &Option<Vec<Vec<u8>>>)| {
        let words = command.as_ref()?;
        if let Value::Integer(size) = replies.next()? {
            return u64::try_from(size).ok();
        }
        let name = match measure {
            Measure::Elements => words.first().map(|word| String::from_utf8_lossy(word)),
            Measure::Memory { .. } => Some("MEMORY USAGE".into()),
        };
        let (name, key) = (name.unwrap_or_default(), String::from_utf8_lossy(key));
        eprintln!("Warning:  {name} on '{key}' failed (may have changed type)");
        None
    };
    Ok(keys.iter().zip(&commands).map(size).map(|size| size.unwrap_or(0)).collect())
}
