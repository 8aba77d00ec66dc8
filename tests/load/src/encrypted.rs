//! GETs over TLS. The requests are those of `redis-benchmark`, so that both ends are not this project's.

use crate::cpu;
use crate::options::Options;
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::process::{Command, Stdio};
use std::time::Instant;

pub(crate) fn run(options: &Options) -> Result<serde_json::Value> {
    let count: u64 = options.number("count")?;
    // What a short run takes too, handshakes above all, is no part of an operation.
    let (short_cpu, short) = measure(options, count / 4)?;
    let (long_cpu, long) = measure(options, count / 4 + count)?;
    Ok(json!({
        "server_cpu_us_per_operation": (long_cpu - short_cpu) * 1e6 / count as f64,
        "operations_per_second": count as f64 / (long - short),
    }))
}

/// CPU seconds of the server, and seconds.
fn measure(options: &Options, count: u64) -> Result<(f64, f64)> {
    let pid = options.number("pid")?;
    let (cpu_start, start) = (cpu::seconds_of(pid)?, Instant::now());
    let mut command = Command::new("redis-benchmark");
    command.args(["-h", "localhost", "-p", options.text("tls-port")?, "--tls", "--cacert"]);
    command.args([options.text("certificate")?, "-t", "get", "-q", "-d", "64", "-n"]);
    command.args([&count.to_string(), "-c", options.text("clients")?]);
    command.args(["-P", options.text("pipeline")?]);
    let output = command.stdin(Stdio::null()).output().context("redis-benchmark")?;
    if !output.status.success() {
        bail!("redis-benchmark: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok((cpu::seconds_of(pid)? - cpu_start, start.elapsed().as_secs_f64()))
}
