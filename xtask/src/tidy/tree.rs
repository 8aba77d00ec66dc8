//! The files that the rules read, in memory.

use super::source;
use anyhow::{Context as _, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Kinds of file that people write; everything else (fixtures, pictures, the lock file) is listed
/// but not read.
const READ: &[&str] = &["rs", "toml", "md", "sh", "py", "yml", "yaml", "conf", "service"];

pub(super) struct Tree {
    /// Every file's path from the root, with `/` between its parts.
    pub(super) paths: BTreeSet<String>,
    /// Text of the files that people write.
    pub(super) texts: BTreeMap<String, String>,
    /// Rust files without comments and the insides of literals; see [`source::code_of`].
    pub(super) code: BTreeMap<String, String>,
}

impl Tree {
    /// What git tracks or would track: ignored build results stay out.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("tidy lists the files with git")?;
        if !output.status.success() {
            bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let mut files = Vec::new();
        for path in String::from_utf8(output.stdout)?.split('\0').filter(|path| !path.is_empty()) {
            // A file deleted but not yet committed is still listed.
            if let Ok(bytes) = std::fs::read(root.join(path)) {
                files.push((path.to_owned(), bytes));
            }
        }
        Self::new(files)
    }

    fn new(files: Vec<(String, Vec<u8>)>) -> Result<Self> {
        let mut tree =
            Self { paths: BTreeSet::new(), texts: BTreeMap::new(), code: BTreeMap::new() };
        for (path, bytes) in files {
            tree.paths.insert(path.clone());
            if !is_read(&path) {
                continue;
            }
            let text = String::from_utf8(bytes).with_context(|| format!("{path} is not UTF-8"))?;
            if path.ends_with(".rs") {
                tree.code.insert(path.clone(), source::code_of(&text));
            }
            tree.texts.insert(path, text);
        }
        Ok(tree)
    }

    /// A tree for a rule's test.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        Self::new(files.collect()).unwrap()
    }

    /// The parsed `Cargo.toml` of every package, by its folder; the root's, if it has no package,
    /// is left out. A manifest that does not parse is cargo's to report.
    pub(super) fn packages(&self) -> BTreeMap<&str, toml::Table> {
        let manifests = self.texts.iter().filter_map(|(path, text)| {
            let folder = path.strip_suffix("/Cargo.toml")?;
            let manifest: toml::Table = text.parse().ok()?;
            manifest.contains_key("package").then_some((folder, manifest))
        });
        manifests.collect()
    }

    /// The files where a package's crates begin: its library, its binaries.
    pub(super) fn crate_roots<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.code.keys().map(String::as_str).filter(move |path| {
            let inside = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix("/src/"));
            match inside {
                Some("lib.rs" | "main.rs") => true,
                Some(inside) => match inside.strip_prefix("bin/") {
                    Some(name) => !name.contains('/') || name.ends_with("/main.rs"),
                    None => false,
                },
                None => false,
            }
        })
    }
}

fn is_read(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, extension)) => READ.contains(&extension),
        None => path.starts_with(".ci/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crate_roots_are_the_library_and_the_binaries() {
        let tree = Tree::of(&[
            ("a/src/lib.rs", ""),
            ("a/src/main.rs", ""),
            ("a/src/part/main.rs", ""),
            ("a/src/bin/x.rs", ""),
            ("a/src/bin/y/main.rs", ""),
            ("a/src/bin/y/part.rs", ""),
            ("ab/src/lib.rs", ""),
        ]);
        let roots: Vec<_> = tree.crate_roots("a").collect();
        assert_eq!(
            roots,
            ["a/src/bin/x.rs", "a/src/bin/y/main.rs", "a/src/lib.rs", "a/src/main.rs"]
        );
    }
}
