//! Filling in expectations from the reference server.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::case::{self, Expected};
use crate::runner::{Answer, Runner};
use crate::server::Program;

/// Writes the reference's answers into the file at `path`: where none are expected yet, or
/// with `all` also where they differ from what is expected (expectations that fit stay as they
/// are, wildcards included). Answers how many it wrote.
///
/// # Errors
/// When the file cannot be understood or the reference does not start.
pub fn bless(path: &Path, reference: &Program, all: bool) -> Result<usize> {
    let file = case::load(path)?;
    let text = std::fs::read_to_string(path)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut runner = Runner::new(reference.clone(), BTreeSet::new());
    let mut edits: Vec<((usize, usize), String)> = Vec::new();
    for case in &file.cases {
        let second = runner.run(case, 2)?;
        let third = runner.run(case, 3)?;
        let (second, third) = match (second, third) {
            (Ok(second), Ok(third)) => (second, Some(third)),
            (Ok(only), Err(_)) | (Err(_), Ok(only)) => (only, None),
            (Err(_), Err(_)) => continue,
        };
        for answer in &second {
            let step = &case.steps[answer.step];
            let other = third.as_ref().and_then(|t| t.iter().find(|a| a.step == answer.step));
            let misfit = answer.fits == Some(false) || other.is_some_and(|a| a.fits == Some(false));
            if step.expected.is_none() || (all && misfit) {
                edits.push((step.span, expectation(answer, other, step.expected.as_ref())));
            }
        }
    }
    let count = edits.len();
    for ((from, to), text) in edits.into_iter().rev() {
        lines.splice(from - 1..to - 1, text.lines().map(str::to_owned));
    }
    if count > 0 {
        std::fs::write(path, lines.join("\n") + "\n")?;
    }
    Ok(count)
}

fn expectation(second: &Answer, third: Option<&Answer>, old: Option<&Expected>) -> String {
    let raw = second.text.starts_with("<<") || matches!(old, Some(Expected::Raw(..)));
    match third {
        Some(third) if !raw && third.text != second.text && !same_nil(second, third) => {
            format!("{}\n3: {}", second.text, third.text)
        }
        _ => second.text.clone(),
    }
}

/// Whether the two differ only in how the protocols spell "nothing".
fn same_nil(second: &Answer, third: &Answer) -> bool {
    let plain = |text: &str| text.replace("(nil array)", "(nil)").replace("(null)", "(nil)");
    plain(&second.text) == plain(&third.text)
}
