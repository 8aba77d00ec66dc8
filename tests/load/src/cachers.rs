//! Clients that cache: each has read a key of its own, or follows a prefix of its own, and is told when that
//! changes. They stay until standard input ends.

use crate::link::Link;
use crate::options::Options;
use anyhow::{Result, bail};
use std::io::{Read as _, Write as _};

pub(crate) fn run(options: &Options) -> Result<serde_json::Value> {
    let address = options.address()?;
    let broadcast = match options.text("mode")? {
        "keys" => false,
        "broadcast" => true,
        other => bail!("--mode {other}: keys, broadcast"),
    };
    let mut links = Vec::new();
    for number in 0..options.number("clients")? {
        let mut link = Link::open(address)?;
        let own = format!("own:{number}:");
        link.call(&[b"HELLO", b"2"])?;
        // In RESP2 somebody else has to be told; the client that this is about need not read on.
        let id = link.integer(&[b"CLIENT", b"ID"])?.to_string();
        let tracking: &[&[u8]] = &[b"CLIENT", b"TRACKING", b"ON", b"REDIRECT", id.as_bytes()];
        if broadcast {
            link.call(&[tracking, &[b"BCAST", b"PREFIX", own.as_bytes()]].concat())?;
        } else {
            link.call(tracking)?;
            link.call(&[b"GET", own.as_bytes()])?;
        }
        links.push(link);
    }
    // Whoever started this waits for the line.
    println!("ready");
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(serde_json::json!({"clients": links.len()}))
}
