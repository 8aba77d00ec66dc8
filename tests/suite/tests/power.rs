//! The power fails at random moments: every write that `appendfsync always` acknowledged is there afterwards, and no
//! file is in the place of another before it is whole. A killed process does not show that: what it has written is
//! the system's.
//!
//! `SUITE_POWER_CUTS` says how often, `SUITE_SEED` begins another series of moments. It needs root and loop devices,
//! and is left out where it has not.
#![forbid(unsafe_code)]

use rand::SeedableRng;
use rand::rngs::SmallRng;
use suite::disk::Disk;
use suite::durable::{Durable, Folder};
use suite::journal::{Journals, number_from, options};
use suite::server::Program;

#[test]
fn what_always_acknowledged_survives_power_cuts_at_random_moments() {
    let Some(disk) = Disk::new() else { return };
    let program = Program::tested().expect("a server");
    let folder = Folder::at(disk.path().join("data"));
    let mut random = SmallRng::seed_from_u64(number_from("SUITE_SEED", 1));
    let mut journals = Journals::default();
    for round in 0..number_from("SUITE_POWER_CUTS", 10) {
        let server = Durable::start(&program, &folder, &options(round, &mut random));
        journals.check(&server);
        // What stands under the snapshot's name is a whole one.
        let snapshot = folder.path().join("dump.rdb");
        if snapshot.exists() {
            let bytes = std::fs::read(&snapshot).expect("it can be read");
            assert!(bytes.starts_with(b"REDIS"), "round {round}: {} bytes", bytes.len());
        }
        journals.write(server, &mut random, |server| {
            // Nobody hears anything from the moment of the cut on. A sync that is under way while a file system is
            // shut down may be told that it succeeded, as any program shows that only appends and syncs; with the
            // power gone it could tell nobody.
            server.stop();
            disk.cut();
            server.kill();
        });
        disk.restore();
        println!("round {round}: {journals:?}");
    }
    drop(folder);
}
