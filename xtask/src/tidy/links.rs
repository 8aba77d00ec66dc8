//! Links in Markdown files that point into the tree.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut out = Vec::new();
    for (path, text) in tree.texts.iter().filter(|(path, _)| path.ends_with(".md")) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut fenced = false;
        for (at, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                let broken =
                    targets(line).into_iter().filter(|target| !exists(tree, folder, target));
                out.extend(broken.map(|target| {
                    Finding::new(path, at + 1, format!("link to {target}: no such file"))
                }));
            }
        }
    }
    out
}

/// What `[text](target)` and `[name]: target` on this line point to, outside of `code`.
fn targets(line: &str) -> Vec<String> {
    // Every second piece between backticks is code.
    let prose: String = line.split('`').step_by(2).collect();
    let inline = prose.match_indices("](").map(|(at, _)| &prose[at + 2..]);
    let mut out: Vec<String> =
        inline.filter_map(|rest| rest.split([')', ' ']).next()).map(str::to_owned).collect();
    if prose.starts_with('[')
        && let Some((_, target)) = prose.split_once("]: ")
    {
        out.push(target.trim().to_owned());
    }
    out
}

fn exists(tree: &Tree, folder: &str, target: &str) -> bool {
    let path = target.split('#').next().unwrap_or_default();
    if path.is_empty() || target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let Some(path) = resolve(folder, path) else { return false };
    let inside = format!("{path}/");
    path.is_empty()
        || tree.paths.contains(&path)
        || tree.paths.range(inside.clone()..).next().is_some_and(|next| next.starts_with(&inside))
}

/// A path from the root; none if it leads out of the tree.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_files_that_are_not_there_are_found() {
        let text = "[a](../b.md#part) [c](c.md) [web](https://x.y) [here](#here) [folder](../crates)\n\
                    `[code](no.md)`\n```\n[fenced](no.md)\n```\n[ref]: gone.md\n[out](../../x.md)\n";
        let tree = Tree::of(&[("docs/a.md", text), ("b.md", ""), ("crates/x/y.rs", "")]);
        let found: Vec<_> = check(&tree).into_iter().map(|finding| finding.line).collect();
        assert_eq!(found, [1, 6, 7]);
    }
}
