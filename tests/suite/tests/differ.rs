//! A short run of the differential tester over each family. Longer ones:
//! `cargo run -p suite --bin differ -- --seed N --commands N`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use suite::coverage;
use suite::differ::drive::{FAMILIES, Plan, run};
use suite::server::Program;

fn agree(seed: u64, commands: usize, families: &[&str]) {
    let Some(reference) = Program::reference() else {
        println!("no redis-server on PATH: left out");
        return;
    };
    let tested = Program::tested().unwrap();
    let plan = Plan {
        seed,
        commands,
        families: families.iter().map(|f| (*f).to_owned()).collect(),
        differences_max: 3,
    };
    let missing = coverage::missing_for(&tested).unwrap();
    match run(&plan, &tested, &reference) {
        Ok(outcome) => {
            let shown = outcome.differences.join("\n\n");
            assert!(outcome.differences.is_empty(), "seed {seed} {families:?}\n{shown}");
        }
        // A family of which nothing is served yet has nothing to show.
        Err(e) if !missing.is_empty() && e.to_string().contains("is served by both") => {
            println!("{e}: left out");
        }
        Err(e) => panic!("seed {seed} {families:?}: {e:#}"),
    }
}

#[test]
fn strings_and_keys_agree_under_random_commands() {
    agree(101, 4000, &["string", "generic", "database"]);
    agree(102, 4000, &["string", "generic", "database"]);
}

#[test]
fn lists_sets_and_hashes_agree_under_random_commands() {
    agree(103, 3000, &["list", "set", "hash", "generic"]);
    agree(104, 3000, &["list", "set", "hash", "generic"]);
}

#[test]
fn sorted_sets_agree_under_random_commands() {
    agree(105, 4000, &["sorted_set", "generic"]);
}

#[test]
fn streams_agree_under_random_commands() {
    agree(106, 4000, &["stream", "generic"]);
}

#[test]
fn bitmaps_counters_and_places_agree_under_random_commands() {
    agree(107, 4000, &["bitmap", "hyperloglog", "geo", "generic"]);
}

#[test]
fn all_families_agree_under_random_commands() {
    agree(108, 4000, &FAMILIES);
}
