//! The tasks that are lists of commands: verify, fix, test.

use crate::{needs, tidy};
use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A command to run in the repository's root.
#[derive(Debug, Default, Clone)]
struct Step {
    name: &'static str,
    words: Vec<String>,
    env: Vec<(&'static str, &'static str)>,
}

impl Step {
    fn new(name: &'static str, command: &str) -> Self {
        let words = command.split_whitespace().map(str::to_owned).collect();
        Self { name, words, env: Vec::new() }
    }

    fn arg(mut self, word: &str) -> Self {
        self.words.push(word.to_owned());
        self
    }

    fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }

    /// The line that a person types to run the step alone.
    fn line(&self) -> String {
        let env = self.env.iter().map(|(name, value)| format!("{name}=\"{value}\""));
        let words = self.words.iter().map(|word| match word.contains([' ', '(', '&', '|', '*']) {
            true => format!("'{word}'"),
            false => word.clone(),
        });
        env.chain(words).collect::<Vec<_>>().join(" ")
    }

    fn run(&self, root: &Path) -> Result<()> {
        timed(self.name, || {
            let (program, arguments) = self.words.split_first().context("an empty step")?;
            let status = Command::new(program)
                .args(arguments)
                .envs(self.env.iter().copied())
                .current_dir(root)
                .status()
                .with_context(|| format!("{program} could not be started"))?;
            match status.success() {
                true => Ok(()),
                false => bail!("{status}"),
            }
        })
        .map_err(|error| again(self.name, &error, &self.line()))
    }
}

fn again(name: &str, error: &anyhow::Error, line: &str) -> anyhow::Error {
    anyhow::anyhow!("{name} failed ({error:#}); run it again with\n  {line}")
}

fn timed(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("==> {name}");
    let start = Instant::now();
    let result = work();
    println!("    {name}: {:.1} s", start.elapsed().as_secs_f64());
    result
}

/// Everything that must pass; changes no file that git tracks.
pub(crate) fn verify(root: &Path) -> Result<()> {
    let start = Instant::now();
    timed("needs", needs::check)?;
    Step::new("format", "cargo fmt --all --check").run(root)?;
    timed("tidy", || tidy::run(root)).map_err(|error| again("tidy", &error, "cargo xtask tidy"))?;
    Step::new("clippy", "cargo clippy --workspace --all-targets -- -D warnings").run(root)?;
    for step in test_steps(None) {
        step.run(root)?;
    }
    Step::new("doc tests", "cargo test --workspace --doc --quiet").run(root)?;
    Step::new("docs", "cargo doc --workspace --no-deps --document-private-items --quiet")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run(root)?;
    loom(root)?;
    println!("verify passed in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Formats, applies clippy's suggestions, lowers the listed counts.
pub(crate) fn fix(root: &Path) -> Result<()> {
    Step::new(
        "clippy",
        "cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged",
    )
    .run(root)?;
    Step::new("format", "cargo fmt --all").run(root)?;
    timed("tidy", || tidy::tighten(root))
}

/// The tests whose names contain the filter, or all of them.
pub(crate) fn test(root: &Path, filter: Option<&str>) -> Result<()> {
    needs::check()?;
    test_steps(filter).iter().try_for_each(|step| step.run(root))
}

fn test_steps(filter: Option<&str>) -> Vec<Step> {
    let tests = match has_nextest() {
        // A new crate may have no test yet, and a filter none in most crates.
        true => "cargo nextest run --workspace --no-tests pass",
        false => "cargo test --workspace --lib --bins --tests --quiet",
    };
    let tests = Step::new("tests", tests);
    vec![
        // The black-box tests start these; cargo builds a binary only for its own package's tests.
        Step::new("build", "cargo build --workspace --bins"),
        filter.into_iter().fold(tests, Step::arg),
    ]
}

/// The locks' tests under every interleaving, in a target folder of their own: the flag would
/// otherwise rebuild everything each time.
fn loom(root: &Path) -> Result<()> {
    let sources = root.join("crates/keyspace/src");
    if !mentions(&sources, "cfg(loom)") && !mentions(&sources, "loom::") {
        println!("==> loom: skipped, keyspace has no loom test");
        return Ok(());
    }
    Step::new(
        "loom",
        "cargo test --release --quiet -p keyspace --lib --target-dir target/loom loom",
    )
    .env("RUSTFLAGS", "--cfg loom")
    // Every interleaving with so many preemptions; without a bound it takes hours.
    .env("LOOM_MAX_PREEMPTIONS", "3")
    .run(root)
}

/// Whether a Rust file below the folder contains the text.
fn mentions(folder: &Path, text: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().map(|entry| entry.path()).any(|path| match path.is_dir() {
        true => mentions(&path, text),
        false => std::fs::read_to_string(&path).is_ok_and(|found| found.contains(text)),
    })
}

fn has_nextest() -> bool {
    let status = Command::new("cargo")
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_shown_as_a_line_that_a_shell_runs() {
        let step = Step::new("x", "cargo test").arg("a b").env("RUSTFLAGS", "--cfg loom");
        assert_eq!(step.line(), "RUSTFLAGS=\"--cfg loom\" cargo test 'a b'");
    }

    #[test]
    fn a_failing_step_names_its_command() {
        let error = Step::new("no", "false --now").run(Path::new(".")).unwrap_err();
        assert!(format!("{error:#}").contains("false --now"));
    }
}
