//! The line editor's helper: completion of commands and topics, hints of arguments.

use super::catalog::Catalog;
use super::hints;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::{Context, Helper, Validator};
use std::borrow::Cow;

/// Knows the server's commands.
#[derive(Helper, Validator)]
pub struct Assistant {
    pub catalog: Catalog,
    /// Whether hints are shown.
    pub hints: bool,
}

impl Assistant {
    /// With hints on.
    pub fn new(catalog: Catalog) -> Self {
        Self { catalog, hints: true }
    }

    /// The names that the line may become, with where they start.
    fn candidates(&self, line: &str) -> (usize, Vec<String>) {
        let help = line.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("help "));
        let start =
            if help { line.len() - line.get(5..).unwrap_or("").trim_start().len() } else { 0 };
        let typed = line.get(start..).unwrap_or_default();
        let names = self.catalog.entries.iter().map(|entry| entry.name.clone());
        let groups = self.catalog.groups.iter().map(|group| format!("@{group}"));
        let matches = |name: &String| {
            name.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
        };
        (start, names.chain(groups.filter(|_| help)).filter(matches).collect())
    }
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.candidates(line.get(..pos).unwrap_or(line)))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<String> {
        if !self.hints || pos < line.len() {
            return None;
        }
        hints::hint(&self.catalog, line)
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[90m{hint}\x1b[0m"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interactive::catalog::Entry;

    #[test]
    fn commands_and_groups_are_completed() {
        let entry = |name: &str| Entry { name: name.into(), ..Entry::default() };
        let entries = ["CONFIG", "CONFIG GET", "GET"].map(entry).to_vec();
        let assistant = Assistant::new(Catalog { entries, groups: vec!["string".into()] });
        assert_eq!(assistant.candidates("config g"), (0, vec!["CONFIG GET".to_string()]));
        assert_eq!(assistant.candidates("help  g"), (6, vec!["GET".to_string()]));
        assert_eq!(assistant.candidates("help @s"), (5, vec!["@string".to_string()]));
        assert!(assistant.candidates("@s").1.is_empty());
        assert!(assistant.candidates("é").1.is_empty());
    }
}
