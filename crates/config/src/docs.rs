//! Documentation made from the declarations.

use std::fmt::Write;

use crate::kind::{Kind, yes_no};
use crate::text::printable;
use crate::{Opt, Status, all, themes};

/// The options as a Markdown page: a table per theme with name, default, whether CONFIG SET takes
/// it, status and documentation. Hidden options are left out.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         Options are read from a configuration file, from standard input (`-`) and from the \
         command line (`--name value`), in this order; CONFIG SET changes those marked so while \
         the server runs. Names, defaults and syntax are those of Redis and Valkey, so their files \
         load here. An option marked *ignored* is accepted for compatibility and has no effect.\n",
    );
    for theme in themes() {
        // Writing to a string does not fail.
        let _ = write!(
            page,
            "\n## {}\n\n| option | default | at run time | status | meaning |\n\
             |---|---|---|---|---|\n",
            theme.title
        );
        for option in theme.options.iter().filter(|option| !option.flags.hidden) {
            page.push_str(&row(option));
        }
    }
    page
}

fn row(option: &Opt) -> String {
    let mut names = format!("`{}`", option.name);
    for alias in option.aliases {
        let _ = write!(names, "<br>`{alias}`");
    }
    let status = match option.status {
        Status::Works => "works",
        Status::Accepted => "*ignored*",
    };
    let runtime = yes_no(!option.flags.immutable);
    let doc = option.doc.replace('|', "\\|");
    format!("| {names} | {} | {runtime} | {status} | {doc}{} |\n", default(option), range(option))
}

/// The default as one writes it in a file.
fn default(option: &Opt) -> String {
    let value = option.kind.default_value();
    let text = match &option.kind {
        Kind::Memory { default, .. } => crate::kind::number::memory_text(*default),
        kind => printable(&kind.text(&value)),
    };
    if text.is_empty() { "\"\"".into() } else { format!("`{text}`") }
}

/// The words that an option takes.
fn range(option: &Opt) -> String {
    match option.kind {
        Kind::Word { words, .. } => format!(" One of {}.", words.join(", ")),
        Kind::Words(words) => format!(" Any of {}.", words.join(", ")),
        _ => String::new(),
    }
}

/// The names of the options that are accepted and ignored, in lines of at most 78 characters, for
/// the server's own help.
#[must_use]
pub fn accepted_text() -> String {
    let mut names: Vec<&str> = all()
        .filter(|option| option.status == Status::Accepted && !option.flags.hidden)
        .map(|option| option.name)
        .collect();
    names.sort_unstable();
    let mut text = String::from("Options accepted for compatibility and ignored:\n");
    let mut column = 0;
    for name in names {
        if column == 0 || column + name.len() + 1 > 78 {
            text.push_str(if column == 0 { "  " } else { "\n  " });
            column = 2;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(name);
        column += name.len();
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_every_option_that_is_not_hidden() {
        let page = markdown();
        for option in all() {
            let listed = page.contains(&format!("| `{}`", option.name));
            assert_eq!(listed, !option.flags.hidden, "{}", option.name);
        }
        assert!(
            page.lines().all(|line| !line.starts_with("| `") || line.split(" | ").count() == 5)
        );
    }

    #[test]
    fn ignored_options_are_listed_in_short_lines() {
        let text = accepted_text();
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
        assert!(text.contains("io-threads") && !text.contains("maxclients"));
    }
}
