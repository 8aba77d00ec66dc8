//! Time per parsed command, in nanoseconds, best of ten rounds.
//!
//! `cargo bench -p resp --profile quick`

use resp::{Limits, Parsed, Parser};
use std::hint::black_box;
use std::time::Instant;

fn set(key: usize, value: usize) -> Vec<u8> {
    let (key, value) = ("k".repeat(key), "v".repeat(value));
    format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n{value}\r\n", key.len(), value.len())
        .into_bytes()
}

fn main() {
    let hundred = format!("*100\r\n{}", "$5\r\nfield\r\n".repeat(100)).into_bytes();
    for (name, command) in [
        ("PING", b"*1\r\n$4\r\nPING\r\n".to_vec()),
        ("PING inline", b"PING\r\n".to_vec()),
        ("GET, 16-byte key", b"*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000001\r\n".to_vec()),
        ("SET, 16-byte key and value", set(16, 16)),
        ("SET, 16-byte key, 300-byte value", set(16, 300)),
        ("100 arguments of 5 bytes", hundred),
    ] {
        let pipelined = 16 * 1024 / command.len();
        let buf = command.repeat(pipelined);
        let best = (0..10).map(|_| round(&buf, 200)).fold(f64::INFINITY, f64::min);
        println!("{name:36} {:7.1} ns", best / pipelined as f64);
    }
}

/// Nanoseconds per pass over `buf`, on average of `passes`.
fn round(buf: &[u8], passes: u32) -> f64 {
    let limits = Limits::default();
    let mut parser = Parser::new();
    let mut args = Vec::new();
    let begun = Instant::now();
    for _ in 0..passes {
        let mut rest = black_box(buf);
        while !rest.is_empty() {
            args.clear();
            match parser.parse(rest, &limits, &mut args) {
                Ok(Parsed::Command { consumed, .. }) => {
                    rest = rest.get(consumed..).unwrap_or_default()
                }
                other => unreachable!("{other:?}"),
            }
            black_box(&args);
        }
    }
    begun.elapsed().as_nanos() as f64 / f64::from(passes)
}
