//! The project's own tasks, run as `cargo xtask TASK`.
//!
//! `verify` is the one gate: it changes no file of the tree and passes or says which command to
//! run again. `fix` is its writing sister. `tidy` reads the tree for the rules that neither the
//! compiler nor clippy knows. `bench` measures Rubrica against other servers in one run.
#![forbid(unsafe_code)]

mod bench;
mod needs;
mod soak;
mod steps;
mod tidy;

use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask verify            everything that must pass before a change lands; changes no file
cargo xtask fix               format, apply clippy's suggestions, lower tidy's listed counts
cargo xtask test [FILTER]     the tests whose names contain FILTER
cargo xtask tidy              the style rules that read the tree (part of verify)
cargo xtask needs             check for what the tests need; install it when root
cargo xtask bench [OPTIONS]   measure against other servers; `bench --help` lists the options
cargo xtask soak [OPTIONS]    hours of the tests that meet chance; `soak --help` lists the options";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Vec<String>) -> Result<()> {
    let (task, rest) = match args.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => bail!("which task?\n{USAGE}"),
    };
    let root = repository_root()?;
    match (task, rest) {
        ("verify", []) => steps::verify(&root),
        ("fix", []) => steps::fix(&root),
        ("test", []) => steps::test(&root, None),
        ("test", [filter]) => steps::test(&root, Some(filter)),
        ("tidy", []) => tidy::run(&root),
        ("needs", []) => needs::check(),
        ("soak", options) => soak::run(&root, options),
        ("bench", options) => bench::run(&root, options),
        ("help" | "--help" | "-h", _) => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("no such task: {}\n{USAGE}", args.join(" ")),
    }
}

/// The folder that holds the workspace's `Cargo.toml`: the parent of this package's folder.
fn repository_root() -> Result<PathBuf> {
    // Cargo names the folder when it runs the task; the one from the build serves a run by hand.
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    Ok(package.parent().context("xtask lies in the repository's root")?.to_path_buf())
}
