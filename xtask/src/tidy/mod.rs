//! Rules that read the tree. Each rule is a function from the tree to findings; it touches no
//! file itself, so that its tests give it a tree made of strings.

mod allow;
mod links;
mod manifests;
mod safety;
mod size;
mod source;
mod text;
mod tree;

use allow::Allow;
use anyhow::{Result, bail};
use std::fmt;
use std::path::Path;
use tree::Tree;

/// One broken rule, at a place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// 1-based; 0 stands for the whole file.
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

fn findings(tree: &Tree, allow: &Allow) -> Vec<Finding> {
    let mut all = Vec::new();
    all.extend(manifests::check(tree));
    all.extend(size::check(tree, allow));
    all.extend(safety::check(tree, allow));
    all.extend(text::check(tree));
    all.extend(links::check(tree));
    all.sort();
    all
}

/// Prints every finding; fails if there is one.
pub(crate) fn run(root: &Path) -> Result<()> {
    let tree = Tree::read(root)?;
    let found = findings(&tree, &Allow::of(&tree)?);
    for finding in &found {
        println!("{finding}");
    }
    match found.len() {
        0 => Ok(()),
        n => bail!("tidy: {n} finding{}", if n == 1 { "" } else { "s" }),
    }
}

/// Lowers the listed counts to what the tree holds today.
pub(crate) fn tighten(root: &Path) -> Result<()> {
    let tree = Tree::read(root)?;
    let allow = Allow::of(&tree)?;
    let lowered = size::tightened(&tree, &allow);
    if lowered != allow {
        std::fs::write(root.join(allow::PATH), lowered.render())?;
    }
    Ok(())
}
