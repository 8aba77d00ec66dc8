//! Servers that are killed at random moments: every write that `appendfsync always` acknowledged is there
//! afterwards, nothing is that nobody wrote, and what belongs together is there together.
//!
//! `SUITE_KILLS` says how often, 5 times if not set; `SUITE_SEED` begins another series of moments.
#![forbid(unsafe_code)]

use rand::SeedableRng;
use rand::rngs::SmallRng;
use suite::durable::{Durable, Folder};
use suite::journal::{Journals, number_from, options};
use suite::server::Program;

#[test]
fn what_always_acknowledged_survives_kills_at_random_moments_and_nothing_else_appears() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let mut random = SmallRng::seed_from_u64(number_from("SUITE_SEED", 1));
    let mut journals = Journals::default();
    for round in 0..number_from("SUITE_KILLS", 5) {
        let server = Durable::start(&program, &folder, &options(round, &mut random));
        journals.check(&server);
        journals.write(server, &mut random, Durable::kill);
        println!("round {round}: {journals:?}");
    }
}
