//! `cargo xtask soak`: the tests that meet chance, with budgets for hours instead of seconds. It is the code of the
//! gate's tests; a seed of its own each time makes other moments and inputs, and repeats them when given.

use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub(crate) const USAGE: &str = "\
cargo xtask soak [OPTIONS]

  --seed N      repeats a run; default: the time, and printed
  --scale X     multiplies every budget; default 1, which takes about a day on two cores; 0.01 a quarter of an hour
  --only LIST   of kills,power,faults,damage,differ,linear,fuzz; all by default

It prints what was done and what failed, and how to run that alone.";

/// A test with its budget.
struct Task {
    name: &'static str,
    /// What its budget counts.
    unit: &'static str,
    /// How many at scale 1.
    budget: f64,
    /// The environment's name for the budget.
    variable: &'static str,
    /// The environment's name for the seed.
    seed: &'static str,
    /// Words behind `cargo`.
    words: &'static [&'static str],
    /// Whether the budget stands behind `--commands`, and the seed behind `--seed`.
    by_words: bool,
}

const SUITE: Task = Task {
    name: "",
    unit: "",
    budget: 0.0,
    variable: "",
    seed: "SUITE_SEED",
    words: &[],
    by_words: false,
};

/// The budgets of the published totals.
const TASKS: &[Task] = &[
    Task {
        name: "kills",
        unit: "kills at random moments",
        budget: 10_000.0,
        variable: "SUITE_KILLS",
        words: &["test", "-p", "suite", "--test", "kills", "--", "--nocapture"],
        ..SUITE
    },
    Task {
        name: "power",
        unit: "power cuts",
        budget: 1000.0,
        variable: "SUITE_POWER_CUTS",
        words: &["test", "-p", "suite", "--test", "power", "--", "--nocapture"],
        ..SUITE
    },
    Task {
        name: "faults",
        unit: "calls that fail, each in three ways",
        budget: 1000.0,
        variable: "SUITE_FAULTS",
        words: &["test", "-p", "suite", "--test", "faults", "--", "--nocapture"],
        ..SUITE
    },
    Task {
        name: "damage",
        unit: "bytes of a snapshot and a log, each bit flipped",
        budget: 65_536.0,
        variable: "SUITE_DAMAGE_BYTES",
        words: &["test", "--release", "-p", "suite", "--test", "damage", "--", "--nocapture"],
        ..SUITE
    },
    Task {
        name: "differ",
        unit: "random commands compared with redis-server",
        budget: 20_000_000.0,
        variable: "",
        words: &["run", "-p", "suite", "--bin", "differ", "--"],
        by_words: true,
        ..SUITE
    },
    Task {
        name: "linear",
        unit: "histories of concurrent clients",
        budget: 2000.0,
        variable: "SUITE_HISTORIES",
        words: &["test", "-p", "suite", "--test", "linear", "--", "--nocapture"],
        ..SUITE
    },
    Task {
        name: "fuzz",
        unit: "seconds for each fuzz target",
        budget: 3600.0,
        variable: "FUZZ_SECONDS",
        seed: "FUZZ_SEED",
        words: &[
            "test",
            "--release",
            "-p",
            "acl",
            "-p",
            "aof",
            "-p",
            "codec",
            "-p",
            "config",
            "-p",
            "rdb",
            "-p",
            "resp",
            "--test",
            "fuzz",
        ],
        ..SUITE
    },
];

struct Options {
    seed: u64,
    scale: f64,
    only: Option<Vec<String>>,
}

impl Options {
    fn parse(words: &[String]) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is far off")?;
        let mut out = Self { seed: now.as_secs(), scale: 1.0, only: None };
        let mut words = words.iter();
        while let Some(name) = words.next() {
            let value = words.next().with_context(|| format!("{name}: no value\n{USAGE}"))?;
            match name.as_str() {
                "--seed" => out.seed = value.parse().with_context(|| format!("--seed {value}"))?,
                "--scale" => {
                    out.scale = value.parse().with_context(|| format!("--scale {value}"))?
                }
                "--only" => out.only = Some(value.split(',').map(str::to_owned).collect()),
                _ => bail!("no such option: {name}\n{USAGE}"),
            }
        }
        let is_task = |name: &&String| TASKS.iter().any(|task| task.name == name.as_str());
        match out.only.iter().flatten().find(|name| !is_task(name)) {
            Some(name) => bail!("no such test: {name}\n{USAGE}"),
            None => Ok(out),
        }
    }
}

/// Runs the tests one after the other, all of them whatever fails.
pub(crate) fn run(root: &Path, words: &[String]) -> Result<()> {
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return Ok(());
    }
    let options = Options::parse(words)?;
    println!("seed {}, scale {}", options.seed, options.scale);
    // The tests start these.
    let built = Command::new("cargo")
        .args(["build", "--workspace", "--bins"])
        .current_dir(root)
        .status()?;
    let wanted = |task: &&Task| {
        options.only.as_ref().is_none_or(|only| only.iter().any(|name| name == task.name))
    };
    let released = !TASKS.iter().filter(wanted).any(|task| task.words.contains(&"--release"))
        || Command::new("cargo")
            .args(["build", "--release", "-p", "rubrica-server", "-p", "rubrica-check"])
            .current_dir(root)
            .status()?
            .success();
    if !built.success() || !released {
        bail!("the build failed");
    }
    let mut totals = Vec::new();
    for task in TASKS.iter().filter(wanted) {
        let budget = task.budget(options.scale);
        println!("==> {}: {budget} {}", task.name, task.unit);
        let start = Instant::now();
        let (mut command, line) = task.command(budget, options.seed);
        let passed = command.current_dir(root).status().context("cargo")?.success();
        totals.push((task, budget, passed, start.elapsed().as_secs_f64(), line));
    }
    println!("\nsoak, seed {}:", options.seed);
    for (task, budget, passed, seconds, line) in &totals {
        let verdict = if *passed { "passed" } else { "FAILED" };
        println!("  {:<8} {verdict}  {budget:>10} {}, {seconds:.0} s", task.name, task.unit);
        if !passed {
            println!("           again: {line}");
        }
    }
    match totals.iter().filter(|(_, _, passed, ..)| !passed).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} failed", totals.len()),
    }
}

impl Task {
    fn budget(&self, scale: f64) -> u64 {
        (self.budget * scale).max(1.0) as u64
    }

    /// The command, and the line that a person types for it.
    fn command(&self, budget: u64, seed: u64) -> (Command, String) {
        let mut command = Command::new("cargo");
        command.args(self.words);
        let words = self.words.join(" ");
        if self.by_words {
            let (budget, seed) = (budget.to_string(), seed.to_string());
            command.args(["--commands", &budget, "--seed", &seed]);
            return (command, format!("cargo {words} --commands {budget} --seed {seed}"));
        }
        command.env(self.variable, budget.to_string()).env(self.seed, seed.to_string());
        (command, format!("{}={budget} {}={seed} cargo {words}", self.variable, self.seed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn budgets_are_scaled_and_never_nothing() {
        assert_eq!(TASKS[0].budget(1.0), 10_000);
        assert_eq!(TASKS[0].budget(0.5), 5000);
        assert_eq!(TASKS[0].budget(0.0), 1);
    }

    #[test]
    fn what_fails_can_be_run_alone() {
        let (_, line) = TASKS[0].command(7, 9);
        assert!(
            line.starts_with("SUITE_KILLS=7 SUITE_SEED=9 cargo test -p suite --test kills"),
            "{line}"
        );
    }

    #[test]
    fn options_are_read_and_what_is_not_known_is_refused() {
        let options = parse("--seed 5 --scale 0.1 --only kills,fuzz").unwrap();
        assert_eq!((options.seed, options.only.map(|only| only.len())), (5, Some(2)));
        assert!(parse("--only rain").is_err());
        assert!(parse("--speed 1").is_err());
        assert!(parse("--seed").is_err());
    }
}
