//! Length of files and functions. What is over the limit must be listed in the exceptions with
//! its exact count, so that the list falls with the code and never rises.

use super::Finding;
use super::allow::{Allow, PATH};
use super::source;
use super::tree::Tree;
use std::collections::BTreeMap;

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Something that is over its limit.
struct Long {
    path: String,
    line: usize,
    lines: usize,
}

pub(super) fn check(tree: &Tree, allow: &Allow) -> Vec<Finding> {
    let mut out = judge(&long_files(tree), &allow.file_lines, "file", FILE_LINES_MAX);
    out.extend(judge(&long_functions(tree), &allow.function_lines, "function", FUNCTION_LINES_MAX));
    out
}

/// The exceptions with every count lowered to today's; entries that are no longer needed go.
pub(super) fn tightened(tree: &Tree, allow: &Allow) -> Allow {
    let lower = |listed: &BTreeMap<String, usize>, long: &BTreeMap<String, Long>| {
        let kept = listed
            .iter()
            .filter_map(|(key, count)| Some((key.clone(), long.get(key)?.lines.min(*count))));
        kept.collect()
    };
    Allow {
        unsafe_packages: allow.unsafe_packages.clone(),
        file_lines: lower(&allow.file_lines, &long_files(tree)),
        function_lines: lower(&allow.function_lines, &long_functions(tree)),
    }
}

fn long_files(tree: &Tree) -> BTreeMap<String, Long> {
    let code = tree.code.keys().filter_map(|path| tree.texts.get_key_value(path));
    let long = code.filter_map(|(path, text)| {
        let lines = text.lines().count();
        let long = Long { path: path.clone(), line: 0, lines };
        (lines > FILE_LINES_MAX).then_some((path.clone(), long))
    });
    long.collect()
}

fn long_functions(tree: &Tree) -> BTreeMap<String, Long> {
    let mut out: BTreeMap<String, Long> = BTreeMap::new();
    for (path, code) in &tree.code {
        for function in source::functions(code) {
            if function.lines <= FUNCTION_LINES_MAX {
                continue;
            }
            let long = Long { path: path.clone(), line: function.line, lines: function.lines };
            let key = format!("{path}::{}", function.name);
            // Two functions of one name in one file share an entry: the longer one counts.
            if out.get(&key).is_none_or(|known| known.lines < long.lines) {
                out.insert(key, long);
            }
        }
    }
    out
}

fn judge(
    long: &BTreeMap<String, Long>,
    listed: &BTreeMap<String, usize>,
    what: &str,
    limit: usize,
) -> Vec<Finding> {
    let mut out = Vec::new();
    for (key, Long { path, line, lines }) in long {
        match listed.get(key) {
            None => out.push(Finding::new(
                path,
                *line,
                format!("{what} of {lines} lines, limit {limit}: it is usually two things"),
            )),
            Some(count) if lines > count => out.push(Finding::new(
                path,
                *line,
                format!("{what} grew from {count} to {lines} lines; {PATH} may only fall"),
            )),
            Some(_) => {}
        }
    }
    for (key, count) in listed {
        if long.get(key).is_none_or(|long| long.lines < *count) {
            let message = format!("{key} is shorter than the {count} listed: `cargo xtask fix`");
            out.push(Finding::new(PATH, 0, message));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(path: &str, lines: usize) -> Allow {
        Allow { file_lines: [(path.to_owned(), lines)].into(), ..Allow::default() }
    }

    #[test]
    fn a_long_file_passes_only_with_its_exact_count() {
        let text = "//\n".repeat(601);
        let tree = Tree::of(&[("a.rs", &text)]);
        assert_eq!(check(&tree, &Allow::default()).len(), 1);
        assert_eq!(check(&tree, &allow("a.rs", 601)), []);
        assert_eq!(check(&tree, &allow("a.rs", 602)).len(), 1);
        assert_eq!(check(&Tree::of(&[("a.rs", "")]), &allow("a.rs", 601)).len(), 1);
    }

    #[test]
    fn a_file_at_the_limit_passes() {
        assert_eq!(check(&Tree::of(&[("a.rs", &"//\n".repeat(600))]), &Allow::default()), []);
    }

    #[test]
    fn a_long_function_is_found_and_its_comments_do_not_count() {
        let body = |line: &str, count| format!("fn f() {{\n{}}}\n", line.repeat(count));
        let tree = Tree::of(&[("a.rs", &body("    g();\n", 69))]);
        let found = check(&tree, &Allow::default());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].line, 1);
        let tree = Tree::of(&[("a.rs", &body("    // why\n\n", 100))]);
        assert_eq!(check(&tree, &Allow::default()), []);
    }

    #[test]
    fn tightening_lowers_and_never_raises() {
        let tree = Tree::of(&[("a.rs", &"//\n".repeat(650)), ("b.rs", "")]);
        let mut listed = allow("a.rs", 700);
        listed.file_lines.insert("b.rs".to_owned(), 800);
        assert_eq!(tightened(&tree, &listed).file_lines, [("a.rs".to_owned(), 650)].into());
        assert_eq!(tightened(&tree, &allow("a.rs", 620)), allow("a.rs", 620));
    }
}
