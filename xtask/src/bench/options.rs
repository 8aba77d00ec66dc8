//! The options of `cargo xtask bench`.

use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;

pub(super) const TABLES: &str = "cpu,bytes,types,pauses,civil,workers,push,tracking,tls,durability";

pub(super) const USAGE: &str = "\
cargo xtask bench [OPTIONS]

  --quick          a few minutes: short rounds, no big collections, fewer keys for the pauses
  --tables LIST    of cpu,bytes,types,pauses,civil,workers,push,tracking,
                   tls,durability; all by default
  --peers LIST     names on PATH or paths; ratios are to the first
                   (default: $RUBRICA_BENCH_PEERS, or redis-server,valkey-server)
  --peers-only     leave Rubrica out: a peer named twice shows how far equal servers differ
  --rubrica PATH   a binary to measure in place of the one built here
  --profile NAME   cargo profile to build with; default release
  --rounds N       rounds, each with servers started anew; default 5, quick 3
  --seconds S      seconds of each load; default 3, quick 0.3
  --port N         first port to try; default 21500
  --json FILE      write every value there";

#[derive(Debug, PartialEq)]
pub(super) struct Options {
    pub(super) quick: bool,
    pub(super) tables: Vec<String>,
    pub(super) peers: Vec<String>,
    pub(super) peers_only: bool,
    pub(super) rubrica: Option<PathBuf>,
    pub(super) profile: String,
    pub(super) rounds: Option<u64>,
    pub(super) seconds: Option<f64>,
    pub(super) port: u16,
    pub(super) json: Option<PathBuf>,
}

impl Options {
    pub(super) fn parse(words: &[String]) -> Result<Self> {
        let peers = std::env::var("RUBRICA_BENCH_PEERS");
        let mut out = Self {
            quick: false,
            tables: list(TABLES),
            peers: list(peers.as_deref().unwrap_or("redis-server,valkey-server")),
            peers_only: false,
            rubrica: None,
            profile: "release".to_owned(),
            rounds: None,
            seconds: None,
            port: 21500,
            json: None,
        };
        let mut words = words.iter();
        while let Some(name) = words.next() {
            match name.as_str() {
                "--quick" => out.quick = true,
                "--peers-only" => out.peers_only = true,
                name => {
                    let value = words.next().with_context(|| format!("{name}: no value"))?;
                    out.set(name, value)?;
                }
            }
        }
        if let Some(table) = out.tables.iter().find(|table| !list(TABLES).contains(table)) {
            bail!("no such table: {table}; there are {TABLES}");
        }
        Ok(out)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let number = || format!("{name} {value}: not a number in range");
        match name {
            "--tables" => self.tables = list(value),
            "--peers" => self.peers = list(value),
            "--rubrica" => self.rubrica = Some(PathBuf::from(value)),
            "--profile" => value.clone_into(&mut self.profile),
            "--rounds" => self.rounds = Some(value.parse().with_context(number)?),
            "--seconds" => self.seconds = Some(value.parse().with_context(number)?),
            "--port" => self.port = value.parse().with_context(number)?,
            "--json" => self.json = Some(PathBuf::from(value)),
            _ => bail!("no such option: {name}\n{USAGE}"),
        }
        Ok(())
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read() {
        let options =
            parse("--quick --tables cpu,bytes --peers a,/b/c --port 7 --rounds 2").unwrap();
        assert!(options.quick);
        assert_eq!(options.tables, ["cpu", "bytes"]);
        assert_eq!(options.peers, ["a", "/b/c"]);
        assert_eq!((options.port, options.rounds), (7, Some(2)));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(parse("--tables speed").is_err());
        assert!(parse("--fast yes").is_err());
        assert!(parse("--port").is_err());
        assert!(parse("--port 70000").is_err());
    }
}
