//! One client that writes at a steady pace, so that what a server does beside it can be seen in how long others
//! wait.

use crate::fill::push_member;
use crate::link::Link;
use crate::options::Options;
use crate::request::{self, Random};
use crate::stop;
use anyhow::{Result, bail};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often it sends.
const PERIOD: Duration = Duration::from_millis(1);

/// Overwrites keys, or members of a sorted set, `--rate` of `--keys` a second, until standard input ends.
pub(crate) fn run(options: &Options) -> Result<serde_json::Value> {
    let keys: u64 = options.number("keys")?;
    let rate: u64 = options.number("rate")?;
    let value = vec![b'w'; options.number_or("value-bytes", 16)?];
    let zset = match options.text("kind")? {
        "string" => false,
        "zset" => true,
        other => bail!("--kind {other}: string, zset"),
    };
    let mut link = Link::open(options.address()?)?;
    let stop = stop::at_end_of_input();
    let mut random = Random(options.number_or("seed", 7)?);
    let start = Instant::now();
    let (mut sent, mut out) = (0_u64, Vec::new());
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(PERIOD);
        let due = (start.elapsed().as_secs_f64() * rate as f64) as u64;
        // What a pause has kept back is not made up for at once.
        let count = due.saturating_sub(sent).min(rate / 100 + 1);
        out.clear();
        for _ in 0..count {
            let item = random.below(keys);
            if zset {
                let mut words = vec![b"ZADD".to_vec(), b"big".to_vec()];
                push_member(&mut words, "ZADD", item);
                words[2] = random.below(1 << 20).to_string().into_bytes();
                let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
                request::push(&mut out, &words);
            } else {
                request::push(&mut out, &[b"SET", &request::key(item), &value]);
            }
        }
        link.send(&out)?;
        for _ in 0..count {
            link.receive()?;
        }
        sent = due;
    }
    Ok(json!({"operations": sent, "seconds": start.elapsed().as_secs_f64()}))
}
