//! One client that asks for one key after another, to see how long another client's work makes it
//! wait.

use crate::histogram::Histogram;
use crate::link::Link;
use crate::options::Options;
use crate::request::{self, Random};
use crate::stop;
use anyhow::Result;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Runs until standard input ends.
pub(crate) fn run(options: &Options) -> Result<serde_json::Value> {
    let keys: u64 = options.number("keys")?;
    let mut link = Link::open(options.address()?)?;
    let stop = stop::at_end_of_input();
    let mut random = Random(options.number_or("seed", 1)?);
    let mut waits = Histogram::new();
    let mut operations = 0_u64;
    let mut out = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        out.clear();
        request::push(&mut out, &[b"GET", &request::key(random.below(keys))]);
        let sent = Instant::now();
        link.send(&out)?;
        link.receive()?;
        waits.record(sent.elapsed());
        operations += 1;
    }
    Ok(json!({"operations": operations, "wait": waits.report()}))
}
