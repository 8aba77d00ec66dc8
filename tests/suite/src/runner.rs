//! Running cases against a server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::case::{Action, Case, CaseFile, Expected, Outcome, Step};
use crate::client::{Client, Got, REPLY_TIMEOUT};
use crate::pattern::{Captures, substitute};
use crate::reply::Reply;
use crate::server::{Program, Server};
use crate::text::{quote, render};

/// How long nothing may come before `(no reply)` counts as shown.
const SILENCE: Duration = Duration::from_millis(150);
/// Time given to a server to take in a command whose reply is not waited for.
const SETTLE: Duration = Duration::from_millis(40);

/// What a step got, as a case file would write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Index of the step in its case.
    pub step: usize,
    /// The text.
    pub text: String,
    /// Whether it is what was expected; `None` when nothing was.
    pub fits: Option<bool>,
}

/// Why a case was not run.
pub type Skipped = String;

/// Runs cases one after another on one server, which it starts again where a case has left
/// something behind that `FLUSHALL` does not undo.
pub struct Runner {
    program: Program,
    server: Option<(Server, Vec<String>)>,
    missing: BTreeSet<String>,
}

impl Runner {
    /// A runner for `program`; cases that use a command in `missing` are left out.
    pub fn new(program: Program, missing: BTreeSet<String>) -> Self {
        Self { program, server: None, missing }
    }

    /// Runs `case` under `protocol`: its answers, or why it does not apply to this server.
    ///
    /// # Errors
    /// When the server cannot be started or talks nonsense.
    pub fn run(&mut self, case: &Case, protocol: u8) -> Result<Result<Vec<Answer>, Skipped>> {
        if let Some(why) = self.skips(case, protocol)? {
            return Ok(Err(why));
        }
        self.prepare(case)?;
        let (server, _) = self.server.as_mut().context("no server")?;
        let mut session =
            Session { server, protocol, clients: BTreeMap::new(), captures: Captures::new() };
        let mut answers = Vec::new();
        let mut result = Ok(());
        for (index, step) in case.steps.iter().enumerate() {
            match session.step(step) {
                Ok(Some((text, fits))) => answers.push(Answer { step: index, text, fits }),
                Ok(None) => {}
                Err(e) => {
                    result = Err(e.context(format!("line {}", step.line)));
                    break;
                }
            }
        }
        drop(session);
        let died = !server.alive();
        let log = if died { server.log_tail() } else { String::new() };
        if died || leaves_traces(case) {
            self.server = None;
        }
        if died {
            bail!("the server ended during {:?}: {log}", case.title);
        }
        result.map(|()| Ok(answers))
    }

    fn skips(&mut self, case: &Case, protocol: u8) -> Result<Option<Skipped>> {
        if case.tags.protocol.is_some_and(|p| p != protocol) {
            return Ok(Some(format!("not under RESP{protocol}")));
        }
        if protocol == 3 && self.missing.contains("hello") {
            return Ok(Some("HELLO is not served yet".to_owned()));
        }
        if self.program.foreign {
            if let Some(why) = &case.tags.rubrica {
                return Ok(Some(format!("intended difference: {why}")));
            }
            if let Some(since) = case.tags.since {
                self.prepare(case)?;
                let version = self.server.as_ref().map(|(s, _)| s.version()).unwrap_or_default();
                if version < since {
                    return Ok(Some(format!("since {}.{}", since.0, since.1)));
                }
            }
        }
        let mut sent =
            commands_of(case).chain(commands_asked_about(case)).chain(words_in_raw(case));
        let absent = sent.find(|c| self.missing.contains(c));
        Ok(absent.map(|command| format!("{command} is not served yet")))
    }

    /// A running server with the case's options and nothing in it.
    fn prepare(&mut self, case: &Case) -> Result<()> {
        let young = self.missing.contains("flushall");
        if young || self.server.as_ref().is_none_or(|(_, config)| *config != case.tags.config) {
            self.server = None;
            let server = Server::start(&self.program, &case.tags.config)?;
            self.server = Some((server, case.tags.config.clone()));
        }
        if young {
            return Ok(());
        }
        let (server, _) = self.server.as_ref().context("no server")?;
        match server.client()?.call(&["FLUSHALL"])? {
            Reply::Simple(_) => Ok(()),
            other => bail!("FLUSHALL was answered {}", render(&other)),
        }
    }
}

/// Names of the commands a case sends, in lower case; with `container|sub` for two words.
pub fn commands_of(case: &Case) -> impl Iterator<Item = String> + '_ {
    case.steps.iter().flat_map(|step| match &step.action {
        Action::Call(args) | Action::Send(args) | Action::Scan(args) => {
            let lower = |a: &Vec<u8>| String::from_utf8_lossy(a).to_lowercase();
            let first = args.first().map(lower).unwrap_or_default();
            let second = args.get(1).map(|sub| format!("{first}|{}", lower(sub)));
            [Some(first), second].into_iter().flatten().collect::<Vec<_>>()
        }
        _ => Vec::new(),
    })
}

/// Commands that a case asks COMMAND about, in lower case.
fn commands_asked_about(case: &Case) -> impl Iterator<Item = String> + '_ {
    const ABOUT: [&str; 4] = ["docs", "getkeys", "getkeysandflags", "info"];
    case.steps.iter().filter_map(|step| {
        let Action::Call(args) = &step.action else { return None };
        let lower =
            |index: usize| args.get(index).map(|arg| String::from_utf8_lossy(arg).to_lowercase());
        let asks = lower(0)? == "command" && ABOUT.contains(&lower(1)?.as_str());
        if asks { lower(2) } else { None }
    })
}

/// The words in a case's raw bytes, in lower case: some are commands.
fn words_in_raw(case: &Case) -> impl Iterator<Item = String> + '_ {
    let raw = case.steps.iter().filter_map(|step| match &step.action {
        Action::Raw(bytes) => Some(bytes),
        _ => None,
    });
    raw.flat_map(|bytes| {
        let words = bytes.split(|b| !b.is_ascii_alphabetic());
        words.map(|w| String::from_utf8_lossy(w).to_lowercase())
    })
}

/// Whether a case does what only a new server undoes.
fn leaves_traces(case: &Case) -> bool {
    const MARKS: [&str; 14] = [
        "acl|setuser",
        "acl|deluser",
        "client|pause",
        "config|set",
        "config|rewrite",
        "debug",
        "function|load",
        "function|restore",
        "latency|reset",
        "replicaof",
        "slaveof",
        "script|load",
        "eval",
        "module|load",
    ];
    commands_of(case).any(|command| MARKS.contains(&command.as_str()))
}

struct Session<'a> {
    server: &'a Server,
    protocol: u8,
    clients: BTreeMap<String, Client>,
    captures: Captures,
}

impl Session<'_> {
    fn client(&mut self, name: &str) -> Result<&mut Client> {
        if !self.clients.contains_key(name) {
            let client = Client::connect(self.server.addr(), self.protocol)?;
            self.clients.insert(name.to_owned(), client);
        }
        self.clients.get_mut(name).context("just inserted")
    }

    fn fill_in(&self, args: &[Vec<u8>]) -> Vec<Vec<u8>> {
        args.iter().map(|a| substitute(a, &self.captures)).collect()
    }

    fn step(&mut self, step: &Step) -> Result<Option<(String, Option<bool>)>> {
        match &step.action {
            Action::Call(args) => {
                let args = self.fill_in(args);
                let client = self.client(&step.conn)?;
                client.send(&args);
                let got = client.reply(REPLY_TIMEOUT)?;
                Ok(Some(self.judge(step, &got)))
            }
            Action::Send(args) => {
                let args = self.fill_in(args);
                self.client(&step.conn)?.send(&args);
                std::thread::sleep(SETTLE);
                Ok(None)
            }
            Action::Read => {
                let timeout = match &step.expected {
                    Some(Expected::Reply(Outcome::Silence, None)) => SILENCE,
                    None => Duration::from_secs(1),
                    _ => REPLY_TIMEOUT,
                };
                let got = self.client(&step.conn)?.next(timeout)?;
                Ok(Some(self.judge(step, &got)))
            }
            Action::Raw(bytes) => self.raw(step, bytes).map(Some),
            Action::Scan(args) => {
                let got = Got::Reply(self.scan(&step.conn, args)?);
                Ok(Some(self.judge(step, &got)))
            }
            Action::Sleep(ms) => {
                std::thread::sleep(Duration::from_millis(*ms));
                Ok(None)
            }
            Action::Close => {
                self.clients.remove(&step.conn);
                std::thread::sleep(SETTLE);
                Ok(None)
            }
        }
    }

    fn judge(&mut self, step: &Step, got: &Got) -> (String, Option<bool>) {
        let text = match got {
            Got::Reply(reply) => render(reply),
            Got::Silence => "(no reply)".to_owned(),
            Got::Closed => "(closed)".to_owned(),
        };
        let fits = match &step.expected {
            Some(Expected::Reply(second, third)) => {
                let outcome = match third {
                    Some(third) if self.protocol == 3 => third,
                    _ => second,
                };
                Some(match (outcome, got) {
                    (Outcome::Fits(pattern), Got::Reply(reply)) => {
                        pattern.fits(reply, self.protocol, &mut self.captures)
                    }
                    (Outcome::Silence, Got::Silence) | (Outcome::Closed, Got::Closed) => true,
                    _ => false,
                })
            }
            _ => None,
        };
        (text, fits)
    }

    fn raw(&mut self, step: &Step, bytes: &[u8]) -> Result<(String, Option<bool>)> {
        let bytes = substitute(bytes, &self.captures);
        let wanted = match &step.expected {
            Some(Expected::Raw(text, closed)) => Some((text.clone(), *closed)),
            _ => None,
        };
        let captures = self.captures.clone();
        let client = self.client(&step.conn)?;
        client.send_raw(&bytes);
        let enough = |got: &[u8], closed: bool| {
            wanted.as_ref().is_some_and(|(text, close)| {
                closed == *close && text.fits(got, &mut captures.clone())
            })
        };
        let patience = if wanted.is_some() { 2000 } else { 300 };
        let (mut got, mut closed) = client.read_raw(Duration::from_millis(patience), enough)?;
        if !closed {
            // Whatever comes behind the expected bytes is a failure too.
            let (more, now_closed) = client.read_raw(Duration::from_millis(15), |_, _| false)?;
            got.extend(more);
            closed = now_closed;
        }
        let mut lines = Vec::new();
        if !got.is_empty() {
            lines.push(format!("<< {}", quote(&got)));
        }
        if closed {
            lines.push("<< (closed)".to_owned());
        } else if got.is_empty() {
            lines.push("<< \"\"".to_owned());
        }
        let fits =
            wanted.map(|(text, close)| close == closed && text.fits(&got, &mut self.captures));
        Ok((lines.join("\n"), fits))
    }

    /// The elements that a scan command returns over its whole walk, sorted, without
    /// repetitions; pairs for the commands that return pairs.
    fn scan(&mut self, conn: &str, args: &[Vec<u8>]) -> Result<Reply> {
        let name = args.first().map(|a| a.to_ascii_lowercase()).unwrap_or_default();
        let novalues = args.iter().any(|a| a.eq_ignore_ascii_case(b"novalues"));
        let group = if name == b"zscan" || (name == b"hscan" && !novalues) { 2 } else { 1 };
        let mut cursor = b"0".to_vec();
        let mut found: BTreeMap<String, Vec<Reply>> = BTreeMap::new();
        for _ in 0..100_000 {
            let filled: Vec<Vec<u8>> =
                args.iter().map(|a| if a == b"$" { cursor.clone() } else { a.clone() }).collect();
            let reply = self.client(conn)?.call(&filled)?;
            let Some([Reply::Bulk(next), page]) = reply.as_elements() else {
                return Ok(reply);
            };
            let items = page.as_elements().context("a scan's second element is an array")?;
            found.extend(
                items.chunks(group).map(|g| (render(&Reply::Array(g.to_vec())), g.to_vec())),
            );
            if next == b"0" {
                return Ok(Reply::Array(found.into_values().flatten().collect()));
            }
            cursor = next.clone();
        }
        bail!("the scan does not end")
    }
}

/// Runs a file's cases on `tested` and on `reference`, each under both protocols, and describes
/// what differs from the expectations. The second value counts what ran and what was left out.
///
/// # Errors
/// When a server cannot be started.
pub fn check_file(
    file: &CaseFile,
    tested: &Program,
    reference: Option<&Program>,
    missing: &BTreeSet<String>,
) -> Result<(Vec<String>, Counts)> {
    let mut failures = Vec::new();
    let mut counts = Counts::default();
    let mut on_tested = Runner::new(tested.clone(), missing.clone());
    let mut on_reference = reference.map(|r| Runner::new(r.clone(), BTreeSet::new()));
    for case in &file.cases {
        for protocol in [2, 3] {
            let got = on_tested.run(case, protocol);
            match &got {
                Ok(Ok(_)) => counts.run += 1,
                Ok(Err(_)) => counts.skipped += 1,
                Err(_) => {}
            }
            let other = on_reference.as_mut().map(|r| r.run(case, protocol));
            failures.extend(compare(file, case, protocol, &got, other.as_ref()));
        }
    }
    Ok((failures, counts))
}

/// How many cases ran (each protocol counts).
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Run.
    pub run: usize,
    /// Left out.
    pub skipped: usize,
}

type RunResult = Result<Result<Vec<Answer>, Skipped>>;

fn compare(
    file: &CaseFile,
    case: &Case,
    protocol: u8,
    tested: &RunResult,
    reference: Option<&RunResult>,
) -> Option<String> {
    let answers = |run: &RunResult| run.as_ref().ok().and_then(|r| r.as_ref().ok()).cloned();
    let reference_answers = reference.and_then(answers);
    let tested_answers = answers(tested);
    let at =
        |line: usize| format!("{}:{line} {:?} RESP{protocol}", file.path.display(), case.title);
    for (who, run) in [("tested", Some(tested)), ("reference", reference)] {
        if let Some(Err(e)) = run {
            return Some(format!("{} {who} server: {e:#}", at(case.line)));
        }
    }
    let text_at = |answers: &Option<Vec<Answer>>, step: usize| {
        let found = answers.as_ref()?.iter().find(|a| a.step == step)?;
        Some(found.text.clone())
    };
    for (index, step) in case.steps.iter().enumerate() {
        let fits = |answers: &Option<Vec<Answer>>| {
            let found = answers.as_ref()?.iter().find(|a| a.step == index)?;
            found.fits.or(Some(false))
        };
        let (ours, theirs) = (fits(&tested_answers), fits(&reference_answers));
        if ours != Some(false) && theirs != Some(false) {
            continue;
        }
        let lines = std::fs::read_to_string(&file.path).unwrap_or_default();
        let lines: Vec<&str> = lines.lines().collect();
        let slice = |from: usize, to: usize| lines.get(from - 1..to - 1).unwrap_or_default();
        let shown = |text: Option<String>| text.unwrap_or_else(|| "(not run)".to_owned());
        return Some(format!(
            "{}\n  sent:      {}\n  expected:  {}\n  tested:    {}\n  reference: {}",
            at(step.line),
            slice(step.line, step.line + 1).join(""),
            indent(&slice(step.span.0, step.span.1).join("\n")),
            indent(&shown(text_at(&tested_answers, index))),
            indent(&shown(text_at(&reference_answers, index))),
        ));
    }
    None
}

fn indent(text: &str) -> String {
    text.replace('\n', "\n             ")
}
