//! One command, and all of its reply.

use crate::options::Options;
use crate::request;
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const SILENCE_MAX: Duration = Duration::from_secs(120);
/// What comes behind the reply, which is not taken apart: it may have millions of elements.
const END: &[u8] = b"+PONG\r\n";

/// Sends `--words WORD,WORD...` and reads until everything has come.
pub(crate) fn run(options: &Options) -> Result<serde_json::Value> {
    let words: Vec<&[u8]> = options.text("words")?.split(',').map(str::as_bytes).collect();
    let mut request = Vec::new();
    request::push(&mut request, &words);
    request::push(&mut request, &[b"PING"]);
    let mut stream = TcpStream::connect(options.address()?).context("connect")?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    let start = Instant::now();
    stream.write_all(&request)?;
    let (mut chunk, mut bytes, mut first) = (vec![0; 1 << 20], 0_u64, None);
    let mut tail: Vec<u8> = Vec::new();
    while !tail.ends_with(END) {
        let got = stream.read(&mut chunk).context("receive")?;
        if got == 0 {
            bail!("the server closed the connection");
        }
        first.get_or_insert(chunk[0]);
        bytes += got as u64;
        tail.extend_from_slice(&chunk[..got]);
        tail.drain(..tail.len().saturating_sub(256));
    }
    if first == Some(b'-') {
        bail!("{}", String::from_utf8_lossy(&tail).trim_end());
    }
    Ok(json!({"bytes": bytes, "seconds": start.elapsed().as_secs_f64()}))
}
