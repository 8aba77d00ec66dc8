//! What the tests of snapshots have in common: how files are written and loaded.

use std::path::Path;

use keyspace::Keyspace;
use keyspace::access::AccessClock;
use rdb::{Encoder, Limits, Records};
use snapshot::{Duplicates, LoadError, Loaded, Rules, Watch};

pub const RECORDS: Records = Records { encoder: Encoder { compress: true } };

struct Nobody;

impl Watch for Nobody {
    fn progress(&self, _bytes: u64) {}
    fn text(&self, _name: &[u8], _text: &[u8]) {}
    fn empty(&self, _key: &[u8]) {}
    fn module(&self, _name: &str) {}
}

/// Loads a file into `keyspace` with so many threads; keys that are there already are refused.
pub fn load(path: &Path, keyspace: &Keyspace, threads: usize) -> Result<Loaded, LoadError> {
    let rules = Rules {
        limits: Limits::default(),
        now_ms: 0,
        expires: true,
        duplicates: Duplicates::Refuse,
        access: AccessClock::recency(0),
        counts_uses: false,
        delay_us: 0,
    };
    let file = std::fs::File::open(path).expect("it was saved");
    snapshot::load(file, keyspace, threads, &rules, &Nobody)
}
