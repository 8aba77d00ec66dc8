//! `cargo run -p suite --bin differ -- --seed 1 --commands 100000`: random command streams on the
//! server under test and on the reference.
#![forbid(unsafe_code)]

use anyhow::{Context, Result};
use clap::Parser;
use suite::differ::drive::{FAMILIES, Plan, run};
use suite::server::Program;

#[derive(Parser)]
#[command(about = "Random command streams, the same to both servers")]
struct Cli {
    /// Start of the random numbers; an even one speaks RESP2, an odd one RESP3.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many commands to send.
    #[arg(long, default_value_t = 20_000)]
    commands: usize,
    /// Families, separated by commas (string, generic, database, list, ...); all by default.
    #[arg(long, value_delimiter = ',')]
    families: Vec<String>,
    /// Stop after so many differences.
    #[arg(long, default_value_t = 5)]
    differences: usize,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let families =
        if cli.families.is_empty() { FAMILIES.map(str::to_owned).to_vec() } else { cli.families };
    let plan =
        Plan { seed: cli.seed, commands: cli.commands, families, differences_max: cli.differences };
    let reference = Program::reference().context("no redis-server on PATH")?;
    let outcome = run(&plan, &Program::tested()?, &reference)?;
    for difference in &outcome.differences {
        println!("--- seed {}\n{difference}\n", plan.seed);
    }
    println!(
        "seed {}: {} commands ({} kinds, {} errors), {} differences",
        plan.seed,
        outcome.commands,
        outcome.specs,
        outcome.errors,
        outcome.differences.len()
    );
    if !outcome.differences.is_empty() {
        std::process::exit(1);
    }
    Ok(())
}
