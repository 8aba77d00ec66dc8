//! A whole data set as text, read through commands.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::compare::close;
use crate::client::Client;
use crate::reply::{Parts, Reply};
use crate::text::render;

/// A key's contents and when it expires (milliseconds since 1970; -1 never).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Type and value.
    pub value: String,
    /// Expiry.
    pub expires_ms: i64,
}

/// Commands without which nothing can be read.
pub const NEEDED: [&str; 4] = ["keys", "pexpiretime", "select", "type"];

/// Databases that streams write to.
const DATABASES: [&str; 2] = ["0", "1"];

/// Reads every key of the databases that streams write to. Leaves the connection in database 0.
///
/// # Errors
/// When a reader is not answered as documented.
pub fn read(client: &mut Client) -> Result<BTreeMap<(String, Vec<u8>), Entry>> {
    let mut all = BTreeMap::new();
    for db in DATABASES {
        client.call(&["SELECT", db])?;
        let keys = client.call(&["KEYS", "*"])?;
        for key in keys.as_elements().context("KEYS answers an array")? {
            let key = key.as_bytes().context("a key is a string")?.to_vec();
            let entry = Entry {
                value: value(client, &key)?,
                expires_ms: client.call(&[b"PEXPIRETIME", key.as_slice()])?.as_i64().unwrap_or(-3),
            };
            all.insert((db.to_owned(), key), entry);
        }
    }
    client.call(&["SELECT", "0"])?;
    Ok(all)
}

fn value(client: &mut Client, key: &[u8]) -> Result<String> {
    let kind = client.call(&[b"TYPE", key])?.as_text().unwrap_or_default();
    let read: &[&[u8]] = match kind.as_str() {
        "string" => &[b"GET", key],
        "list" => &[b"LRANGE", key, b"0", b"-1"],
        "set" => &[b"SMEMBERS", key],
        "hash" => &[b"HGETALL", key],
        "zset" => &[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
        "stream" => &[b"XRANGE", key, b"-", b"+"],
        other => return Ok(other.to_owned()),
    };
    let reply = client.call(read)?;
    let mut parts = match &reply {
        Reply::Map(pairs) => {
            pairs.iter().map(|(k, v)| format!("{} {}", render(k), render(v))).collect()
        }
        Reply::Array(items) | Reply::Set(items) if kind == "hash" => items
            .chunks(2)
            .map(|pair| pair.iter().map(render).collect::<Vec<_>>().join(" "))
            .collect(),
        Reply::Array(items) | Reply::Set(items) => items.iter().map(render).collect(),
        other => vec![render(other)],
    };
    if matches!(kind.as_str(), "set" | "hash") {
        parts.sort();
    }
    if kind == "zset" {
        // 7.0 writes 17 digits of a score, later versions as many as are needed.
        parts = reply.as_elements().unwrap_or_default().iter().flat_map(scores).collect();
    }
    if kind == "stream" {
        let info = client.call(&[b"XINFO" as &[u8], b"STREAM", key])?;
        for field in ["last-generated-id", "max-deleted-entry-id", "entries-added"] {
            parts.push(info.field(field).map(render).unwrap_or_default());
        }
        let groups = client.call(&[b"XINFO" as &[u8], b"GROUPS", key])?;
        for group in groups.as_elements().context("XINFO GROUPS answers an array")? {
            // Later versions than 7.0 know the lag where that does not, and claims that find nothing
            // make their consumer all the same.
            for field in ["name", "pending", "last-delivered-id", "entries-read"] {
                parts.push(group.field(field).map(render).unwrap_or_default());
            }
        }
    }
    Ok(format!("{kind} {}", parts.join(" ")))
}

/// A member or a score of a sorted set, or a pair of both, with numbers in one way of writing.
fn scores(reply: &Reply) -> Vec<String> {
    let number = |text: &str| text.parse::<f64>().ok().map(|number| number.to_string());
    match reply {
        Reply::Array(pair) => pair.iter().flat_map(scores).collect(),
        Reply::Double(text) => vec![number(text).unwrap_or_default()],
        Reply::Bulk(bytes) => {
            let score = std::str::from_utf8(bytes).ok().and_then(number);
            vec![score.unwrap_or_else(|| render(reply))]
        }
        other => vec![render(other)],
    }
}

/// The keys that differ between two data sets, each with both contents.
pub fn differences(
    left: &BTreeMap<(String, Vec<u8>), Entry>,
    right: &BTreeMap<(String, Vec<u8>), Entry>,
) -> Vec<String> {
    let same = |a: &Entry, b: &Entry| {
        let time = a.expires_ms == b.expires_ms || close(a.expires_ms, b.expires_ms);
        a.value == b.value && time
    };
    let shown = |entry: Option<&Entry>| {
        entry.map_or("(absent)".to_owned(), |e| format!("{} expires {}", e.value, e.expires_ms))
    };
    let mut keys: Vec<_> = left.keys().chain(right.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .filter(|key| match (left.get(*key), right.get(*key)) {
            (Some(a), Some(b)) => !same(a, b),
            _ => true,
        })
        .map(|key| {
            format!(
                "key {:?} of database {}:\n    tested:    {}\n    reference: {}",
                String::from_utf8_lossy(&key.1),
                key.0,
                shown(left.get(key)),
                shown(right.get(key)),
            )
        })
        .collect()
}
