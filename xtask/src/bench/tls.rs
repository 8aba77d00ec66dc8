//! GET over TLS, with a certificate made for the run.

use super::Bench;
use super::load::field;
use super::report::{self, Row};
use super::server::{self, Program, Server};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CLIENTS: usize = 50;
/// Pipelines, and requests a second that are well below what any server answers.
const PIPELINES: [(usize, f64); 2] = [(1, 30e3), (16, 200e3)];

fn row_name(pipeline: usize) -> String {
    format!("GET over TLS, pipeline {pipeline}, {CLIENTS} clients")
}

pub(super) fn tls(bench: &Bench) -> Result<Vec<Row>> {
    if ["openssl", "redis-benchmark"].iter().any(|name| server::find(name).is_none()) {
        println!("\ntls: left out, it needs openssl and redis-benchmark");
        return Ok(Vec::new());
    }
    let files = Certificate::make()?;
    let port = server::free_port(bench.port.saturating_add(99))?;
    let mut rows = Vec::new();
    for (pipeline, rate) in PIPELINES {
        let mut row = Row::across("tls", &row_name(pipeline), "us", &bench.programs);
        let count = (rate * bench.seconds.max(1.0)) as u64;
        for _ in 0..bench.rounds {
            for (program, cell) in bench.programs.iter().zip(&mut row.cells) {
                let program = Program { options: files.options(port), ..program.clone() };
                let mut server = Server::start(&program, &bench.server_cores, bench.port)?;
                let words = format!(
                    "encrypted --tls-port {port} --certificate {} --clients {CLIENTS} --pipeline \
                     {pipeline} --count {count} --pid {}",
                    files.certificate.display(),
                    server.pid()
                );
                let report = bench.load.run(&mut server, &words)?;
                cell.values.push(field(&report, "server_cpu_us_per_operation")?);
            }
        }
        rows.push(row);
    }
    report::print("tls: server CPU per operation, us", &rows);
    Ok(rows)
}

/// A certificate for `localhost` that vouches for itself; removed when dropped.
struct Certificate {
    folder: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Certificate {
    fn make() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("rubrica-bench-tls-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let made = Self {
            certificate: folder.join("certificate"),
            key: folder.join("key"),
            folder: folder.clone(),
        };
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]);
        command.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
        command.arg("-keyout").arg(&made.key).arg("-out").arg(&made.certificate);
        let output = command.stdin(Stdio::null()).output().context("openssl")?;
        if !output.status.success() {
            bail!("openssl: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(made)
    }

    fn options(&self, port: u16) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let words = ["--tls-port", &port.to_string(), "--tls-auth-clients", "no"];
        let mut out: Vec<String> = words.map(str::to_owned).to_vec();
        let named = ["--tls-cert-file", "--tls-ca-cert-file", "--tls-key-file"];
        for (name, file) in named.iter().zip([&self.certificate, &self.certificate, &self.key]) {
            out.extend([(*name).to_owned(), path(file)]);
        }
        out
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::super::goals;
    use super::*;

    #[test]
    fn every_goal_names_a_row_that_is_measured() {
        for goal in goals::rows("tls") {
            assert!(PIPELINES.iter().any(|(pipeline, _)| row_name(*pipeline) == goal), "{goal}");
        }
    }
}
