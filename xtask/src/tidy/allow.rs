//! The list of exceptions, `xtask/tidy-allow.toml`.

use super::tree::Tree;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) const PATH: &str = "xtask/tidy-allow.toml";

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Allow {
    /// Packages that may contain `unsafe`.
    pub(super) unsafe_packages: Vec<String>,
    /// Lines of files over the limit, by path.
    pub(super) file_lines: BTreeMap<String, usize>,
    /// Lines of functions over the limit, by `path::name`.
    pub(super) function_lines: BTreeMap<String, usize>,
}

impl Allow {
    pub(super) fn of(tree: &Tree) -> Result<Self> {
        match tree.texts.get(PATH) {
            Some(text) => Self::parse(text).context(PATH),
            None => Ok(Self::default()),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let mut table: toml::Table = text.parse()?;
        let packages = table.remove("unsafe_packages").unwrap_or(toml::Value::Array(Vec::new()));
        let allow = Self {
            unsafe_packages: packages.try_into().context("unsafe_packages")?,
            file_lines: counts(&mut table, "file_lines")?,
            function_lines: counts(&mut table, "function_lines")?,
        };
        match table.keys().next() {
            Some(key) => bail!("unknown entry {key}"),
            None => Ok(allow),
        }
    }

    pub(super) fn render(&self) -> String {
        let mut out = String::from(
            "# What `cargo xtask tidy` lets pass. A listed count may only fall: `cargo xtask fix` \
             lowers it.\n\n\
             # Packages that may contain `unsafe`: memory layout, prefetch, the allocator. All \
             others forbid it.\n",
        );
        let names: Vec<_> = self.unsafe_packages.iter().map(|name| format!("{name:?}")).collect();
        let _ = writeln!(out, "unsafe_packages = [{}]", names.join(", "));
        out.push_str("\n# Files longer than the limit: \"path\" = lines.\n[file_lines]\n");
        for (path, lines) in &self.file_lines {
            let _ = writeln!(out, "{path:?} = {lines}");
        }
        out.push_str(
            "\n# Functions longer than the limit: \"path::name\" = lines without blank and comment \
             lines.\n[function_lines]\n",
        );
        for (name, lines) in &self.function_lines {
            let _ = writeln!(out, "{name:?} = {lines}");
        }
        out
    }
}

fn counts(table: &mut toml::Table, key: &str) -> Result<BTreeMap<String, usize>> {
    let value = table.remove(key).unwrap_or(toml::Value::Table(toml::Table::new()));
    value.try_into().with_context(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rendered_parses_to_the_same() {
        let allow = Allow {
            unsafe_packages: vec!["a".to_owned(), "b".to_owned()],
            file_lines: [("x.rs".to_owned(), 700)].into(),
            function_lines: [("x.rs::f".to_owned(), 80)].into(),
        };
        assert_eq!(Allow::parse(&allow.render()).unwrap(), allow);
    }

    #[test]
    fn an_unknown_entry_is_refused() {
        assert!(Allow::parse("file_line = 3").is_err());
    }
}
