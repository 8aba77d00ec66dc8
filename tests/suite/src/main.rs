//! `cargo run -p suite -- …`: writing case files.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use suite::server::Program;
use suite::{bless, case, runner};

#[derive(Parser)]
#[command(about = "Case files: fill in, run, list")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fill in expectations from the reference server (all files when none is named).
    Bless {
        /// Also replace expectations that the reference does not meet.
        #[arg(long)]
        all: bool,
        files: Vec<PathBuf>,
    },
    /// Run case files and print what differs (all files when none is named).
    Run { files: Vec<PathBuf> },
    /// Write missing.txt: the commands that the server under test does not know yet.
    Missing,
    /// Fill in what the reference puts into its append-only file.
    Effects,
    /// List where Rubrica differs from the reference on purpose.
    Differences,
}

fn paths(named: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    if named.is_empty() { case::all_paths() } else { Ok(named) }
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Bless { all, files } => {
            let reference = Program::reference().context("no redis-server on PATH")?;
            for path in paths(files)? {
                let count = bless::bless(&path, &reference, all)?;
                println!("{}: {count} written", path.display());
            }
        }
        Command::Run { files } => {
            let tested = Program::tested()?;
            let reference = Program::reference();
            let missing = suite::coverage::missing_for(&tested)?;
            let (mut failed, mut run, mut skipped) = (0, 0, 0);
            for path in paths(files)? {
                let file = case::load(&path)?;
                let (failures, counts) =
                    runner::check_file(&file, &tested, reference.as_ref(), &missing)?;
                for failure in &failures {
                    println!("{failure}");
                }
                failed += failures.len();
                run += counts.run;
                skipped += counts.skipped;
            }
            println!("{run} run, {skipped} left out, {failed} failed");
            if failed > 0 {
                std::process::exit(1);
            }
        }
        Command::Missing => {
            let reference = Program::reference().context("no redis-server on PATH")?;
            let count = suite::coverage::write_missing(&Program::tested()?, &reference)?;
            println!("{count} missing");
        }
        Command::Effects => {
            let reference = Program::reference().context("no redis-server on PATH")?;
            println!("{} written", suite::effects::bless(&reference)?);
        }
        Command::Differences => {
            for path in case::all_paths()? {
                for case in case::load(&path)?.cases {
                    if let Some(why) = case.tags.rubrica {
                        println!("{}:{} {}: {why}", path.display(), case.line, case.title);
                    }
                }
            }
        }
    }
    Ok(())
}
