//! Writes a number of items through one pipelined connection.

use crate::link::Link;
use crate::options::Options;
use crate::request;
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::time::Instant;

/// Commands in flight: small enough that requests and replies fit the socket buffers, so that
/// neither side waits for the other to read.
const BATCH_COMMANDS: u64 = 128;
const BATCH_BYTES_MAX: usize = 64 << 10;
/// Members per command of a big collection.
const MEMBERS: u64 = 64;

/// What the items are.
enum Kind {
    /// `SET` of a value of some bytes, with or without an expiry.
    String { value: Vec<u8>, expiry: Option<Expiry> },
    /// `SET` of ten-digit integers.
    Integer,
    /// Hashes of ten small fields, an item each.
    Hashes,
    /// Members of one collection under one key.
    Member(&'static str),
    /// Entries of one stream under the same key.
    Entry,
}

/// Expiry at `at` Unix milliseconds, spread evenly over the `spread` milliseconds that follow.
struct Expiry {
    at: u64,
    spread: u64,
}

pub(crate) fn run(options: &Options) -> Result<serde_json::Value> {
    let kind = Kind::of(options)?;
    let count: u64 = options.number("count")?;
    let first: u64 = options.number_or("first", 0)?;
    let mut link = Link::open(options.address()?)?;
    let start = Instant::now();
    let step = if matches!(kind, Kind::Member(_)) { MEMBERS } else { 1 };
    let mut out = Vec::new();
    let mut pending = 0;
    let mut item = 0;
    while item < count {
        let items = step.min(count - item);
        kind.push(&mut out, first + item, items);
        item += items;
        pending += 1;
        if pending == BATCH_COMMANDS || out.len() >= BATCH_BYTES_MAX || item == count {
            link.send(&out)?;
            for _ in 0..pending {
                if let Err(error) = link.receive() {
                    if format!("{error:#}").to_ascii_lowercase().contains("unknown command") {
                        return Ok(json!({"unsupported": true}));
                    }
                    return Err(error);
                }
            }
            out.clear();
            pending = 0;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    if matches!(kind, Kind::String { expiry: Some(_), .. }) && count > 0 {
        check_expires(&mut link, first + count - 1)?;
    }
    Ok(json!({"items": count, "seconds": seconds}))
}

/// A server that takes the option and forgets the expiry would look small and quick.
fn check_expires(link: &mut Link, item: u64) -> Result<()> {
    let key = request::key(item);
    let reply = link.call(&[b"PTTL", &key]).context("does the expiry hold? PTTL")?;
    match reply {
        b":-1\r\n" => bail!("the server ignored the expiry"),
        _ => Ok(()),
    }
}

impl Kind {
    fn of(options: &Options) -> Result<Self> {
        Ok(match options.text("kind")? {
            "string" => {
                let at = options.number_or("expire-at-ms", 0)?;
                let expiry = Expiry { at, spread: options.number_or("expire-spread-ms", 1)? };
                Self::String {
                    value: vec![b'v'; options.number("value-bytes")?],
                    expiry: (at > 0).then_some(expiry),
                }
            }
            "integer" => Self::Integer,
            "hashes" => Self::Hashes,
            "zset" => Self::Member("ZADD"),
            "set" => Self::Member("SADD"),
            "hash" => Self::Member("HSET"),
            "list" => Self::Member("RPUSH"),
            "stream" => Self::Entry,
            other => {
                bail!("--kind {other}: string, integer, hashes, zset, set, hash, list, stream")
            }
        })
    }

    /// Writes one command: items `first..first + items`.
    fn push(&self, out: &mut Vec<u8>, first: u64, items: u64) {
        let key = request::key(first);
        match self {
            Self::String { value, expiry: None } => request::push(out, &[b"SET", &key, value]),
            Self::String { value, expiry: Some(expiry) } => {
                let at = (expiry.at + first % expiry.spread.max(1)).to_string();
                request::push(out, &[b"SET", &key, value, b"PXAT", at.as_bytes()]);
            }
            Self::Integer => {
                // Ten digits from the first item to the 9 000 000 000th.
                let value = (1_000_000_000 + first).to_string();
                request::push(out, &[b"SET", &key, value.as_bytes()]);
            }
            Self::Hashes => {
                let mut words: Vec<Vec<u8>> = vec![b"HSET".to_vec(), key.to_vec()];
                for field in 0..10 {
                    words.push(format!("field{field}").into_bytes());
                    words.push(format!("value{}", (first + field) % 1000).into_bytes());
                }
                push_owned(out, &words);
            }
            Self::Entry => {
                request::push(out, &[b"XADD", b"big", b"*", b"f", b"0123456789abcdef"]);
            }
            Self::Member(command) => {
                let mut words = vec![command.as_bytes().to_vec(), b"big".to_vec()];
                (first..first + items).for_each(|item| push_member(&mut words, command, item));
                push_owned(out, &words);
            }
        }
    }
}

pub(crate) fn push_member(words: &mut Vec<Vec<u8>>, command: &str, item: u64) {
    match command {
        "ZADD" => {
            // Scores in another order than the members.
            let score = item.wrapping_mul(2_654_435_761) % 1_000_003;
            words.push(score.to_string().into_bytes());
            words.push(format!("member:{item:09}").into_bytes());
        }
        // Too large and too many for an intset, spread over 32 bits.
        "SADD" => words.push((item.wrapping_mul(2_654_435_761) % (1 << 32)).to_string().into()),
        "HSET" => {
            words.push(format!("field:{item:010}").into_bytes());
            words.push(format!("v{:07}", item % 10_000_000).into_bytes());
        }
        _ => words.push(format!("item:{item:07}").into_bytes()),
    }
}

fn push_owned(out: &mut Vec<u8>, words: &[Vec<u8>]) {
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    request::push(out, &words);
}

/// Unix milliseconds now.
pub(crate) fn unix_ms() -> Result<u64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    u64::try_from(now.as_millis()).context("the clock is far off")
}
