//! `--name value` pairs.

use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

pub(crate) struct Options(BTreeMap<String, String>);

impl Options {
    pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Self> {
        let mut args = args;
        let mut out = BTreeMap::new();
        while let Some(name) = args.next() {
            let name = name.strip_prefix("--").with_context(|| format!("{name}: no --name"))?;
            let value = args.next().with_context(|| format!("--{name}: no value"))?;
            out.insert(name.to_owned(), value);
        }
        Ok(Self(out))
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str> {
        self.0.get(name).map(String::as_str).with_context(|| format!("--{name} is missing"))
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<T> {
        let text = self.text(name)?;
        text.parse().ok().with_context(|| format!("--{name} {text}: not a number in range"))
    }

    pub(crate) fn number_or<T: FromStr>(&self, name: &str, default: T) -> Result<T> {
        if self.0.contains_key(name) { self.number(name) } else { Ok(default) }
    }

    /// The server; always on the loopback.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, self.number("port")?)))
    }
}
