//! Two kinds of work over the whole keyspace.

use crate::fill::unix_ms;
use crate::link::Link;
use crate::options::Options;
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::time::{Duration, Instant};

/// One full SCAN with `--count` a call.
pub(crate) fn scan(options: &Options) -> Result<serde_json::Value> {
    let mut link = Link::open(options.address()?)?;
    let count: u64 = options.number("count")?;
    let start = Instant::now();
    let mut cursor = "0".to_owned();
    let mut keys = 0_u64;
    loop {
        let words: [&[u8]; 4] =
            [b"SCAN", cursor.as_bytes(), b"COUNT", &count.to_string().into_bytes()];
        let reply = link.call(&words)?;
        let (next, found) = scan_reply(reply).context("SCAN's reply")?;
        keys += found;
        cursor = next;
        if cursor == "0" {
            return Ok(json!({"keys": keys, "seconds": start.elapsed().as_secs_f64()}));
        }
    }
}

/// The cursor and the number of keys of `*2 $… cursor *n …`.
fn scan_reply(reply: &[u8]) -> Option<(String, u64)> {
    let mut lines = reply.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let text = |line: &[u8]| std::str::from_utf8(line).ok().map(str::to_owned);
    lines.next().filter(|line| *line == b"*2")?;
    lines.next()?;
    let cursor = text(lines.next()?)?;
    let found = text(lines.next()?)?.strip_prefix('*')?.parse().ok()?;
    Some((cursor, found))
}

/// Polls DBSIZE until at most `--left` keys are there; prints how long after `--at-ms` (Unix
/// milliseconds) that was. Gives up `--limit` seconds after that time.
pub(crate) fn gone(options: &Options) -> Result<serde_json::Value> {
    let mut link = Link::open(options.address()?)?;
    let left: u64 = options.number("left")?;
    let at: u64 = options.number("at-ms")?;
    let limit = at + 1000 * options.number::<u64>("limit")?;
    loop {
        let size = link.integer(&[b"DBSIZE"])?;
        let now = unix_ms()?;
        if size <= left {
            return Ok(json!({"late_ms": now.saturating_sub(at), "gone": true}));
        }
        if now >= limit {
            return Ok(json!({"late_ms": now - at, "gone": false, "left": size - left}));
        }
        if now + 60_000 < at {
            bail!("--at-ms is more than a minute ahead");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_reply_gives_its_cursor_and_count() {
        let reply = b"*2\r\n$2\r\n17\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n";
        assert_eq!(scan_reply(reply), Some(("17".to_owned(), 2)));
        assert_eq!(scan_reply(b"*1\r\n"), None);
    }
}
