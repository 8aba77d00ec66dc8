//! Words and spaces that may not be committed.

use super::Finding;
use super::source;
use super::tree::Tree;

// Written in two parts so that this file passes its own rules.
const MARKS: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X:")];
const MACROS: &[&str] = &["todo", "unimplemented"];
/// First folders of paths that exist on one machine only.
const PLACES: &[&str] =
    &[concat!("/ro", "ot"), concat!("/wo", "rk"), concat!("/ho", "me"), concat!("/Us", "ers")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut out = Vec::new();
    for (path, text) in &tree.texts {
        for (at, line) in text.lines().enumerate() {
            out.extend(line_problem(line).map(|message| Finding::new(path, at + 1, message)));
        }
        if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
            let last = text.lines().count();
            out.push(Finding::new(path, last, "a file ends with exactly one line break"));
        }
    }
    for (path, code) in &tree.code {
        for name in MACROS {
            for at in source::words(code, name) {
                if code[at + name.len()..].starts_with('!') {
                    let line = source::line_of(code, at);
                    out.push(Finding::new(path, line, format!("{name}! may not be committed")));
                }
            }
        }
    }
    out
}

fn line_problem(line: &str) -> Option<String> {
    if line.contains('\t') {
        return Some("tab; indent with spaces, write \\t in a string".to_owned());
    }
    if line.ends_with([' ', '\r']) {
        return Some("space or carriage return at the end of the line".to_owned());
    }
    if let Some(mark) = MARKS.iter().find(|mark| line.contains(**mark)) {
        return Some(format!("{mark}: mend it or describe it as a limit"));
    }
    let place = PLACES.iter().find(|place| names_place(line, place))?;
    Some(format!("{place}: a path of one machine"))
}

/// Whether the line names the folder itself or something in it, as a path of its own: not as part
/// of a longer path or an address.
fn names_place(line: &str, place: &str) -> bool {
    let part = |byte: u8| source::is_word(byte) || matches!(byte, b'.' | b'-' | b'/' | b'}');
    let bytes = line.as_bytes();
    line.match_indices(place).any(|(at, _)| {
        let alone = at.checked_sub(1).is_none_or(|before| !part(bytes[before]));
        let next = bytes.get(at + place.len());
        alone && next.is_none_or(|next| *next == b'/' || !part(*next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn unfinished_work_is_found_in_code_and_marks_everywhere() {
        let todo = concat!("fn f() { to", "do!() }\n");
        assert_eq!(messages("a.rs", todo).len(), 1);
        assert_eq!(messages("a.rs", "// todo! is a macro\nfn todo() {}\n").len(), 0);
        assert_eq!(messages("a.md", concat!("FIX", "ME\n")).len(), 1);
    }

    #[test]
    fn tabs_and_spaces_at_the_end_are_found() {
        assert_eq!(messages("a.md", "a\tb\n").len(), 1);
        assert_eq!(messages("a.md", "a \nb\n").len(), 1);
        assert_eq!(messages("a.md", "a").len(), 1);
        assert_eq!(messages("a.md", "a\n\n").len(), 1);
        assert_eq!(messages("a.md", "a\n\nb\n").len(), 0);
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_parts_of_others_are_not() {
        for line in [concat!("cd /ro", "ot\n"), concat!("see `/wo", "rk/a`\n")] {
            assert_eq!(messages("a.md", line).len(), 1, "{line}");
        }
        let good = concat!("/rooted a/ro", "ot https://x.y/wo", "rk .../ho", "me/ x/wo", "rk/y\n");
        assert_eq!(messages("a.md", good).len(), 0);
    }
}
