//! Where `unsafe` may stand, and the proof beside it.

use super::Finding;
use super::allow::{Allow, PATH};
use super::source;
use super::tree::Tree;

pub(super) fn check(tree: &Tree, allow: &Allow) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut names = Vec::new();
    for (folder, manifest) in tree.packages() {
        let name = manifest["package"].get("name").and_then(toml::Value::as_str);
        let name = name.unwrap_or_default().to_owned();
        if !allow.unsafe_packages.contains(&name) {
            for root in tree.crate_roots(folder) {
                if !tree.code[root].contains("#![forbid(unsafe_code)]") {
                    out.push(Finding::new(root, 1, "no `#![forbid(unsafe_code)]`"));
                }
            }
        }
        names.push(name);
    }
    for name in allow.unsafe_packages.iter().filter(|name| !names.contains(name)) {
        out.push(Finding::new(PATH, 0, format!("unsafe_packages lists {name}: no such package")));
    }
    for (path, code) in &tree.code {
        let lines: Vec<&str> = tree.texts[path].lines().collect();
        for line in unproved(code, &lines) {
            out.push(Finding::new(path, line, "`unsafe` without `// SAFETY:` above it"));
        }
    }
    out
}

/// 1-based lines of `unsafe { … }` and `unsafe impl` without a proof.
fn unproved(code: &str, lines: &[&str]) -> Vec<usize> {
    let places = source::words(code, "unsafe").filter(|at| {
        let after = code[at + "unsafe".len()..].trim_start();
        after.starts_with('{') || after.starts_with("impl")
    });
    places.map(|at| source::line_of(code, at)).filter(|line| !proved(lines, *line)).collect()
}

/// The proof stands on the line itself or in the comment right above the statement, whose first
/// line may be a few lines up (`let x =` before a long `unsafe` block).
fn proved(lines: &[&str], line: usize) -> bool {
    const STATEMENT_LINES_MAX: usize = 4;
    let is_comment = |text: &str| text.starts_with("//") || text.starts_with("#[");
    let mut code_lines = 0;
    for text in lines[..line].iter().rev().map(|text| text.trim()) {
        if text.contains("SAFETY:") {
            return true;
        }
        if !is_comment(text) {
            code_lines += 1;
            let ended = text.is_empty() || text.ends_with([';', '}']);
            if code_lines > STATEMENT_LINES_MAX || (code_lines > 1 && ended) {
                return false;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [usize; 0] = [];

    fn lines(text: &str) -> Vec<usize> {
        let lines: Vec<&str> = text.lines().collect();
        unproved(&source::code_of(text), &lines)
    }

    #[test]
    fn a_block_without_proof_is_found() {
        assert_eq!(lines("fn f() {\n    let a = 1;\n    unsafe { g() }\n}\n"), [3]);
        assert_eq!(lines("unsafe impl Send for A {}\n"), [1]);
        assert_eq!(lines("// SAFETY: far away\n\nunsafe impl Send for A {}\n"), [3]);
    }

    #[test]
    fn a_proof_above_the_statement_is_enough() {
        assert_eq!(lines("// SAFETY: a\n// b\nunsafe { g() }\n"), NONE);
        assert_eq!(lines("// SAFETY: a\nlet x =\n    unsafe { g() };\n"), NONE);
        assert_eq!(lines("// SAFETY: a\n#[allow(x)]\nunsafe impl Send for A {}\n"), NONE);
    }

    #[test]
    fn declarations_comments_and_strings_need_no_proof() {
        assert_eq!(lines("unsafe fn f() {}\n// unsafe {\nconst A: &str = \"unsafe { }\";\n"), NONE);
        assert_eq!(lines("#![forbid(unsafe_code)]\nunsafe extern \"C\" {}\n"), NONE);
    }

    #[test]
    fn a_package_off_the_list_forbids_unsafe_in_every_crate() {
        let manifest = "[package]\nname = \"a\"\n";
        let tree = Tree::of(&[
            ("crates/a/Cargo.toml", manifest),
            ("crates/a/src/lib.rs", "//! A.\n#![forbid(unsafe_code)]\n"),
            ("crates/a/src/main.rs", "//! A.\n// #![forbid(unsafe_code)]\n"),
        ]);
        let found = check(&tree, &Allow::default());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path, "crates/a/src/main.rs");
        let listed = |name: &str| Allow { unsafe_packages: vec![name.into()], ..Allow::default() };
        assert_eq!(check(&tree, &listed("a")), []);
        assert_eq!(check(&tree, &listed("gone")).len(), 2);
    }
}
