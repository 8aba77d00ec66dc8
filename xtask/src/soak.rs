//! `cargo xtask soak`: tests of the gate with larger numbers and with other seeds each round, for as long as is
//! asked for; what they add up to is printed at the end.

use crate::needs;
use crate::steps::Step;
use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::time::{Duration, Instant};

const USAGE: &str = "\
cargo xtask soak [OPTIONS]

  --minutes N   rounds are begun until so many minutes are over; one round by default
  --seed N      seed of the first round, and one more in each further round; default 1
  --only LIST   of kills,power,faults,damage,histories,commands,fuzz; all by default";

/// A test and how much of it is done in a round.
struct Task {
    name: &'static str,
    /// What is counted.
    unit: &'static str,
    per_round: u64,
    step: fn(seed: u64, count: u64) -> Step,
}

const TASKS: &[Task] = &[
    Task { name: "kills", unit: "servers killed", per_round: 100, step: kills },
    Task { name: "power", unit: "power cuts", per_round: 30, step: power },
    Task {
        name: "faults",
        unit: "calls that failed, in three ways each",
        per_round: 100,
        step: faults,
    },
    Task {
        name: "damage",
        unit: "bytes with every bit changed, twice",
        per_round: 8192,
        step: damage,
    },
    Task { name: "histories", unit: "histories checked", per_round: 60, step: histories },
    Task { name: "commands", unit: "commands compared", per_round: 250_000, step: commands },
    Task { name: "fuzz", unit: "seconds for each fuzz target", per_round: 60, step: fuzz },
];

fn kills(seed: u64, count: u64) -> Step {
    Step::new("kills", "cargo nextest run --package suite --test kills")
        .env("SUITE_KILLS", count)
        .env("SUITE_SEED", seed)
}

fn power(seed: u64, count: u64) -> Step {
    Step::new("power", "cargo nextest run --package suite --test power")
        .env("SUITE_POWER_CUTS", count)
        .env("SUITE_SEED", seed)
}

fn faults(_seed: u64, count: u64) -> Step {
    Step::new("faults", "cargo nextest run --package suite --test faults")
        .env("SUITE_FAULTS", count)
}

fn damage(seed: u64, bytes: u64) -> Step {
    Step::new("damage", "cargo nextest run --package suite --test damage")
        .env("SUITE_DAMAGE_BYTES", bytes)
        .env("SUITE_SEED", seed)
}

fn histories(seed: u64, count: u64) -> Step {
    Step::new("histories", "cargo nextest run --package suite --test linear")
        .env("SUITE_HISTORIES", count)
        .env("SUITE_SEED", seed)
}

fn commands(seed: u64, count: u64) -> Step {
    let words = format!("--seed {seed} --commands {count}");
    Step::new("commands", &format!("cargo run --quiet --package suite --bin differ -- {words}"))
}

fn fuzz(seed: u64, seconds: u64) -> Step {
    Step::new("fuzz", "cargo nextest run --workspace --expr")
        .arg("binary(fuzz) or binary(robust)")
        .env("FUZZ_SECONDS", seconds)
        .env("FUZZ_SEED", seed)
}

struct Options {
    minutes: u64,
    seed: u64,
    only: Vec<String>,
}

impl Options {
    fn parse(words: &[String]) -> Result<Self> {
        let mut out = Self { minutes: 0, seed: 1, only: Vec::new() };
        for pair in words.chunks(2) {
            let [name, value] = pair else { bail!("{}: no value\n{USAGE}", pair.join(" ")) };
            let number = || value.parse().with_context(|| format!("{name} {value}: no number"));
            match name.as_str() {
                "--minutes" => out.minutes = number()?,
                "--seed" => out.seed = number()?,
                "--only" => out.only = value.split(',').map(str::to_owned).collect(),
                _ => bail!("no such option: {name}\n{USAGE}"),
            }
        }
        match out.only.iter().find(|name| TASKS.iter().all(|task| task.name != *name)) {
            Some(unknown) => bail!("nothing is called {unknown}\n{USAGE}"),
            None => Ok(out),
        }
    }

    fn tasks(&self) -> impl Iterator<Item = &'static Task> {
        TASKS
            .iter()
            .filter(|task| self.only.is_empty() || self.only.iter().any(|name| name == task.name))
    }
}

pub(crate) fn run(root: &Path, words: &[String]) -> Result<()> {
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return Ok(());
    }
    let options = Options::parse(words)?;
    needs::check()?;
    Step::new("build", "cargo build --workspace --bins").run(root)?;
    let (start, mut rounds, mut failures) = (Instant::now(), 0, Vec::new());
    while rounds == 0 || start.elapsed() < Duration::from_secs(options.minutes * 60) {
        for task in options.tasks() {
            // What fails with one seed is reported; the others go on.
            let step = (task.step)(options.seed + rounds, task.per_round);
            failures.extend(step.run(root).err());
        }
        rounds += 1;
    }
    println!("\n{rounds} rounds in {:.0} s", start.elapsed().as_secs_f64());
    for task in options.tasks() {
        println!("  {:>10} {}", task.per_round * rounds, task.unit);
    }
    if failures.is_empty() {
        println!("nothing failed");
        return Ok(());
    }
    failures.iter().for_each(|failure| println!("{failure:#}"));
    bail!("{} of {} runs failed", failures.len(), options.tasks().count() as u64 * rounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Options> {
        Options::parse(&words.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_part_is_chosen_by_name_and_what_is_unknown_is_refused() {
        let options = parse("--only fuzz,kills --seed 7").unwrap();
        let names: Vec<_> = options.tasks().map(|task| task.name).collect();
        assert_eq!((names, options.seed), (vec!["kills", "fuzz"], 7));
        assert!(parse("--only sleep").is_err() && parse("--minutes").is_err());
    }

    #[test]
    fn a_run_is_repeated_by_its_line() {
        let line = kills(3, 100).line();
        assert!(line.starts_with("SUITE_KILLS=\"100\" SUITE_SEED=\"3\" cargo nextest"), "{line}");
    }
}
