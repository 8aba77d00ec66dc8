//! What commands put into the append-only file: cases, how they are run, and how they are filled in.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::args;
use crate::client::{Client, Got, REPLY_TIMEOUT};
use crate::server::{Program, Server};
use crate::text::quote;

/// A case.
#[derive(Debug, Default)]
pub struct Case {
    /// What it shows.
    pub title: String,
    /// Line of the title, from 1.
    pub line: usize,
    /// Why the reference does not run it.
    pub not_on_reference: Option<String>,
    steps: Vec<Step>,
    /// What is expected in the file, and the line behind which it stands.
    expected: Vec<(usize, String)>,
}

#[derive(Debug)]
struct Step {
    line: usize,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Send { connection: String, words: Vec<Vec<u8>>, waits: bool },
    Receive { connection: String },
    Sleep(Duration),
}

/// The file of cases.
pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("effects/cases.txt")
}

/// Reads the cases.
///
/// # Errors
/// When a line cannot be understood.
pub fn load() -> Result<Vec<Case>> {
    let text = std::fs::read_to_string(path())?;
    let mut cases: Vec<Case> = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let line = index + 1;
        let read = || -> Result<Option<Action>> {
            let (mark, rest) = text.split_once(' ').unwrap_or((text, ""));
            Ok(match mark {
                ">" | ">&" => {
                    let (connection, rest) = connection(rest);
                    let words = args::split(rest)?;
                    Some(Action::Send { connection, words, waits: mark == ">" })
                }
                "<" => Some(Action::Receive { connection: connection(rest).0 }),
                "!" => {
                    let ms = rest.strip_prefix("sleep ").context("only `sleep` is known")?;
                    Some(Action::Sleep(Duration::from_millis(ms.parse()?)))
                }
                _ => None,
            })
        };
        if let Some(title) = text.strip_prefix("== ") {
            cases.push(Case { title: title.to_owned(), line, ..Case::default() });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(action) = read().with_context(|| format!("line {line}: {text}"))? {
            case.steps.push(Step { line, action });
        } else if let Some(words) = text.strip_prefix("= ") {
            case.expected.push((line, words.to_owned()));
        } else if let Some(why) = text.strip_prefix('@') {
            case.not_on_reference = Some(why.to_owned());
        } else if !text.is_empty() && !text.starts_with('#') {
            bail!("line {line}: {text}");
        }
    }
    Ok(cases)
}

fn connection(rest: &str) -> (String, &str) {
    let named = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    named.map_or(("a".to_owned(), rest), |(name, rest)| (name.to_owned(), rest.trim_start()))
}

impl Case {
    /// The commands that it sends, lower-case.
    pub fn commands(&self) -> BTreeSet<String> {
        let words = self.steps.iter().filter_map(|step| match &step.action {
            Action::Send { words, .. } => Some(words),
            _ => None,
        });
        let text = |word: &[u8]| String::from_utf8_lossy(word).to_lowercase();
        words
            .flat_map(|words| {
                let name = text(words.first().map_or(&[][..], Vec::as_slice));
                let sub = words.get(1).map(|word| format!("{name}|{}", text(word)));
                std::iter::once(name).chain(sub)
            })
            .collect()
    }

    /// What is expected in the file.
    pub fn expected(&self) -> Vec<String> {
        self.expected.iter().map(|(_, words)| words.clone()).collect()
    }

    /// Runs the steps; the marks that it leaves in the file tell which step an effect comes from.
    fn run(&self, server: &Server, number: usize) -> Result<Vec<(usize, i64)>> {
        let mut main = Client::connect(server.addr(), 2)?;
        main.call(&["FLUSHALL"])?;
        let mut connections: HashMap<String, Client> = HashMap::new();
        let mut marks = Vec::new();
        for step in &self.steps {
            main.call(&["SET", "__mark__", &format!("{number}:{}", marks.len())])?;
            main.call(&["DEL", "__mark__"])?;
            marks.push((step.line, now_ms()));
            match &step.action {
                Action::Sleep(time) => std::thread::sleep(*time),
                Action::Send { connection, words, waits } => {
                    if !connections.contains_key(connection) {
                        let client = Client::connect(server.addr(), 2)?;
                        connections.insert(connection.clone(), client);
                    }
                    let client = connections.get_mut(connection).context("just made")?;
                    client.send(words);
                    if *waits {
                        receive(client, step.line)?;
                    }
                }
                Action::Receive { connection } => {
                    let client = connections.get_mut(connection).context("nothing was sent")?;
                    receive(client, step.line)?;
                }
            }
        }
        Ok(marks)
    }
}

fn receive(client: &mut Client, line: usize) -> Result<()> {
    match client.reply(REPLY_TIMEOUT)? {
        Got::Reply(_) => Ok(()),
        other => bail!("line {line}: {other:?}"),
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}

/// What a server's file holds behind each step of the cases: the line of the step, and a command.
///
/// # Errors
/// When a case cannot be run, or the file cannot be read.
pub fn effects_of(program: &Program, cases: &[&Case]) -> Result<Vec<Vec<(usize, String)>>> {
    let options = ["--appendonly", "yes", "--appendfsync", "no", "--aof-use-rdb-preamble", "no"];
    let server = Server::start(program, &options.map(str::to_owned))?;
    let mut marks = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        marks.push(case.run(&server, number).with_context(|| case.title.clone())?);
    }
    let mut last = Client::connect(server.addr(), 2)?;
    last.call(&["SET", "__mark__", "end"])?;
    let commands = wait_for_file(&server.dir().join("appendonlydir"))?;
    let mut found: Vec<Vec<(usize, String)>> = cases.iter().map(|_| Vec::new()).collect();
    let mut place = None;
    for words in commands {
        let is_mark = words.get(1).is_some_and(|key| key == b"__mark__");
        if is_mark {
            // What a connection's own database makes of the marks' is no effect of the case.
            let value = words.get(2).map(|value| String::from_utf8_lossy(value).into_owned());
            let ids = value.as_deref().and_then(|value| value.split_once(':'));
            if let Some((case, step)) = ids {
                place = Some((case.parse::<usize>()?, step.parse::<usize>()?));
            }
            continue;
        }
        let Some((case, step)) = place else { continue };
        let (line, at_ms) = marks[case][step];
        found[case].push((line, render(&words, at_ms)));
    }
    found.iter_mut().for_each(forget_marks);
    Ok(found)
}

/// Takes out the SELECTs and FLUSHALLs that the marks and the beginning of the next case make.
fn forget_marks(found: &mut Vec<(usize, String)>) {
    let mut kept: Vec<(usize, String)> = Vec::new();
    for (index, one) in found.iter().enumerate() {
        let next_is_elsewhere = found.get(index + 1).is_none_or(|next| next.0 != one.0);
        let back = one.1 == "SELECT 0" && next_is_elsewhere;
        let next_case = one.1 == "FLUSHALL" && index + 1 == found.len();
        if !back && !next_case {
            kept.push(one.clone());
        }
    }
    // The beginning of the next case may have had to select its database first.
    while kept.last().is_some_and(|last| last.1 == "SELECT 0") {
        kept.pop();
    }
    *found = kept;
}

/// The commands of the newest incremental file, once it ends with the last mark.
fn wait_for_file(dir: &Path) -> Result<Vec<Vec<Vec<u8>>>> {
    for _ in 0..200 {
        let mut names: Vec<PathBuf> =
            std::fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        names.retain(|path| path.to_string_lossy().ends_with(".incr.aof"));
        names.sort();
        let bytes = std::fs::read(names.last().context("no incremental file")?)?;
        if bytes.ends_with(b"$3\r\nend\r\n") {
            return parse(&bytes);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("the last command does not arrive in the file");
}

/// Commands in RESP, as a file has them.
fn parse(mut bytes: &[u8]) -> Result<Vec<Vec<Vec<u8>>>> {
    let mut commands = Vec::new();
    while !bytes.is_empty() {
        let count = header(&mut bytes, b'*')?;
        let mut words = Vec::new();
        for _ in 0..count {
            let length = header(&mut bytes, b'$')?;
            words.push(bytes.get(..length).context("cut off")?.to_vec());
            bytes = bytes.get(length + 2..).context("cut off")?;
        }
        commands.push(words);
    }
    Ok(commands)
}

fn header(bytes: &mut &[u8], mark: u8) -> Result<usize> {
    let end = bytes.iter().position(|byte| *byte == b'\r').context("a line without end")?;
    let (line, rest) = bytes.split_at(end);
    *bytes = rest.get(2..).context("cut off")?;
    let digits = line.strip_prefix(&[mark]).context("another mark")?;
    Ok(std::str::from_utf8(digits)?.parse()?)
}

/// A command as cases write it; times near the present are relative to `at_ms`, in whole seconds.
fn render(words: &[Vec<u8>], at_ms: i64) -> String {
    let word = |word: &Vec<u8>| {
        let text = String::from_utf8_lossy(word);
        let (time, rest) = text.split_once('-').map_or((&*text, None), |(ms, n)| (ms, Some(n)));
        if time.len() == 13
            && let Ok(ms) = time.parse::<i64>()
            && (ms - at_ms).abs() < 1_000_000_000
        {
            let rest = rest.map(|rest| format!("-{rest}")).unwrap_or_default();
            return format!("<now{:+}>{rest}", (ms - at_ms + 500).div_euclid(1000) * 1000);
        }
        let plain = !word.is_empty()
            && word.iter().all(|byte| byte.is_ascii_graphic() && !b"\"'\\".contains(byte));
        if plain { text.into_owned() } else { quote(word) }
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Writes what the reference puts into its file into the cases.
///
/// # Errors
/// When the cases cannot be read, run or written.
pub fn bless(reference: &Program) -> Result<usize> {
    let cases = load()?;
    let known: Vec<&Case> = cases.iter().filter(|case| case.not_on_reference.is_none()).collect();
    let found = effects_of(reference, &known)?;
    let text = std::fs::read_to_string(path())?;
    let old: BTreeSet<usize> =
        known.iter().flat_map(|case| case.expected.iter().map(|one| one.0)).collect();
    let mut behind: HashMap<usize, Vec<String>> = HashMap::new();
    for (line, words) in found.into_iter().flatten() {
        behind.entry(line).or_default().push(words);
    }
    let mut lines = Vec::new();
    let mut count = 0;
    for (index, line) in text.lines().enumerate() {
        if !old.contains(&(index + 1)) {
            lines.push(line.to_owned());
        }
        for words in behind.remove(&(index + 1)).unwrap_or_default() {
            lines.push(format!("= {words}"));
            count += 1;
        }
    }
    std::fs::write(path(), lines.join("\n") + "\n")?;
    Ok(count)
}
