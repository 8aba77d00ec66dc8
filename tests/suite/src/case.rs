//! Case files: reading them.
//!
//! The format is described in this package's README.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::args;
use crate::pattern::{Pattern, Text};
use crate::pattern_parse;
use crate::server::parse_version;

/// A file of cases.
#[derive(Debug)]
pub struct CaseFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

/// One case: steps on an empty data set with fresh connections.
#[derive(Debug)]
pub struct Case {
    /// What it shows.
    pub title: String,
    /// Line of the title, from 1.
    pub line: usize,
    /// What it needs.
    pub tags: Tags,
    /// What it does.
    pub steps: Vec<Step>,
}

/// Conditions of a case.
#[derive(Clone, Debug, Default)]
pub struct Tags {
    /// First version of the reference that has it.
    pub since: Option<(u32, u32)>,
    /// Why Rubrica intends to differ.
    pub rubrica: Option<String>,
    /// Only under this protocol.
    pub protocol: Option<u8>,
    /// Options the server is started with.
    pub config: Vec<String>,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Line it starts in, from 1.
    pub line: usize,
    /// Its connection's name.
    pub conn: String,
    /// What is done.
    pub action: Action,
    /// What must come back.
    pub expected: Option<Expected>,
    /// Lines of the expectation: from (inclusive) and to (exclusive), from 1.
    pub span: (usize, usize),
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// Sends a command and waits for its reply.
    Call(Vec<Vec<u8>>),
    /// Sends a command only.
    Send(Vec<Vec<u8>>),
    /// Waits for the next reply or push.
    Read,
    /// Sends bytes.
    Raw(Vec<u8>),
    /// Walks a whole scan (`$` stands for the cursor): sorted elements without repetitions.
    Scan(Vec<Vec<u8>>),
    /// Waits so many milliseconds.
    Sleep(u64),
    /// Closes the connection.
    Close,
}

impl Action {
    /// Whether something is expected of it.
    pub fn has_reply(&self) -> bool {
        !matches!(self, Self::Send(_) | Self::Sleep(_) | Self::Close)
    }
}

/// What must come back.
#[derive(Debug)]
pub enum Expected {
    /// A reply; under RESP3 the second one where given.
    Reply(Outcome, Option<Outcome>),
    /// Raw bytes, and whether the server closes the connection after them.
    Raw(Text, bool),
}

/// One expected outcome.
#[derive(Debug)]
pub enum Outcome {
    /// A reply that fits.
    Fits(Box<Pattern>),
    /// `(no reply)`
    Silence,
    /// `(closed)`
    Closed,
}

/// Reads a case file.
///
/// # Errors
/// When it cannot be read or understood, with the line.
pub fn load(path: &Path) -> Result<CaseFile> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let cases = parse(&text).map_err(|(line, e)| anyhow!("{}:{line}: {e:#}", path.display()))?;
    Ok(CaseFile { path: path.to_owned(), cases })
}

type Numbered<T> = Result<T, (usize, anyhow::Error)>;

/// Parses the text of a case file; errors carry their line.
fn parse(text: &str) -> Numbered<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    let mut file_tags = Tags::default();
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        let number = at + 1;
        let line = lines[at].trim_end();
        let here = |e| (number, e);
        at += 1;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("== ") {
            cases.push(Case {
                title: title.to_owned(),
                line: number,
                tags: file_tags.clone(),
                steps: Vec::new(),
            });
        } else if let Some(tag) = line.strip_prefix('@') {
            let tags = cases.last_mut().map_or(&mut file_tags, |case| &mut case.tags);
            read_tag(tags, tag).map_err(here)?;
        } else if starts_step(line) {
            let case = cases.last_mut().ok_or_else(|| here(anyhow!("a step before any case")))?;
            let (action, conn) = read_step(line).map_err(here)?;
            let from = at;
            while at < lines.len() && continues(lines[at]) {
                at += 1;
            }
            let expected = read_expected(&action, &lines[from..at]).map_err(|e| (from + 1, e))?;
            let span = (from + 1, at + 1);
            case.steps.push(Step { line: number, conn, action, expected, span });
        } else {
            return Err(here(anyhow!("an expectation without a step: {line:?}")));
        }
    }
    Ok(cases)
}

fn starts_step(line: &str) -> bool {
    line.starts_with('>') || line.starts_with("! ") || line == "<" || line.starts_with("< ")
}

/// Whether a line belongs to the expectation above it.
fn continues(line: &str) -> bool {
    !(line.trim_end().is_empty()
        || line.starts_with(['#', '@'])
        || line.starts_with("== ")
        || starts_step(line))
}

fn read_tag(tags: &mut Tags, tag: &str) -> Result<()> {
    let (name, value) = tag.split_once(' ').unwrap_or((tag, ""));
    match name {
        "since" => tags.since = Some(parse_version(value).context("@since MAJOR.MINOR")?),
        "rubrica" if !value.is_empty() => tags.rubrica = Some(value.to_owned()),
        "resp" => tags.protocol = Some(value.parse()?),
        "config" => {
            let words = args::split(value)?;
            let mut words = words.iter().map(|w| String::from_utf8_lossy(w).into_owned());
            tags.config.push(format!("--{}", words.next().context("@config NAME VALUE")?));
            tags.config.extend(words);
        }
        _ => bail!("unknown tag @{tag}"),
    }
    Ok(())
}

fn read_step(line: &str) -> Result<(Action, String)> {
    let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (conn, rest) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((name, rest)) => (name.to_owned(), rest.trim_start()),
        None => ("a".to_owned(), rest),
    };
    let command = || {
        let words = args::split(rest)?;
        if words.is_empty() {
            bail!("a command is missing");
        }
        Ok(words)
    };
    let action = match mark {
        ">" => Action::Call(command()?),
        ">&" => Action::Send(command()?),
        ">>" => {
            let mut words = args::split(rest)?;
            match (words.pop(), words.is_empty()) {
                (Some(bytes), true) => Action::Raw(bytes),
                _ => bail!(">> takes one quoted text"),
            }
        }
        "<" => Action::Read,
        "!" => match rest.split_once(' ').unwrap_or((rest, "")) {
            ("sleep", ms) => Action::Sleep(ms.parse().context("! sleep MILLISECONDS")?),
            ("scan", words) => Action::Scan(args::split(words)?),
            ("close", _) => Action::Close,
            (other, _) => bail!("unknown step {other:?}"),
        },
        other => bail!("unknown step {other:?}"),
    };
    Ok((action, conn))
}

fn read_expected(action: &Action, lines: &[&str]) -> Result<Option<Expected>> {
    if lines.is_empty() {
        return Ok(None);
    }
    if !action.has_reply() {
        bail!("this step has no reply; read it with `<`");
    }
    if matches!(action, Action::Raw(_)) {
        return read_raw(lines).map(Some);
    }
    let third = lines.iter().position(|l| l.starts_with("3: ")).unwrap_or(lines.len());
    let (second, third) = lines.split_at(third);
    if second.is_empty() {
        bail!("the RESP2 expectation comes first");
    }
    let both = outcome(&second.join("\n"))?;
    let third = third.join("\n");
    let resp3 = third.strip_prefix("3: ").map(outcome).transpose()?;
    Ok(Some(Expected::Reply(both, resp3)))
}

fn outcome(text: &str) -> Result<Outcome> {
    Ok(match text {
        "(no reply)" => Outcome::Silence,
        "(closed)" => Outcome::Closed,
        _ => Outcome::Fits(Box::new(pattern_parse::parse(text)?)),
    })
}

fn read_raw(lines: &[&str]) -> Result<Expected> {
    let mut parts = Vec::new();
    let mut closed = false;
    for line in lines {
        let text = line.strip_prefix("<< ").context("raw bytes are expected as << \"...\"")?;
        if text == "(closed)" {
            closed = true;
        } else if let Pattern::Bulk(text) = pattern_parse::parse(text)? {
            parts.extend(text.0);
        } else {
            bail!("raw bytes are expected as << \"...\"");
        }
    }
    Ok(Expected::Raw(Text(parts), closed))
}

impl CaseFile {
    /// `family/topic`, from the file's path.
    pub fn name(&self) -> String {
        let topic = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let family = self.path.parent().and_then(Path::file_name).unwrap_or_default();
        format!("{}/{topic}", family.to_string_lossy())
    }
}

/// The folder of the case files.
pub fn cases_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// Every case file's path, sorted.
///
/// # Errors
/// When the folder cannot be read.
pub fn all_paths() -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for family in std::fs::read_dir(cases_dir())? {
        let family = family?.path();
        if !family.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(family)? {
            let path = file?.path();
            if path.extension().is_some_and(|e| e == "txt") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    Ok(paths)
}
