use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use encryption::{Input, Keyring};
use rdb::{Chunk, Dialect, Error, Item, Limits, Meta, Scanner, Value};
use value::Object;

use crate::progress::Progress;
use crate::statistics::{Statistics, shown};

/// What a snapshot is, and whether it is whole.
#[derive(Debug, Default)]
pub struct Report {
    /// Its version, with the name of whose numbers it has.
    pub version: String,
    /// Bytes of the file, or of its content when it is encrypted.
    pub size: u64,
    /// Texts about it, and where they end.
    pub texts: Vec<(u64, String, String)>,
    /// What it holds.
    pub statistics: Statistics,
    /// Function libraries.
    pub functions: u64,
    /// Collections without members, which a server passes over.
    pub empty: u64,
    /// Whether there is a checksum that was right.
    pub checked: bool,
    /// Where the snapshot ends in the file; commands may come behind.
    pub end: u64,
    /// The name of the key that it is encrypted with.
    pub key: Option<String>,
    /// What is wrong, and at which byte.
    pub problem: Option<(u64, String)>,
}

impl Report {
    fn fail(&mut self, at: u64, why: String) {
        self.problem.get_or_insert((at, why));
    }
}

/// Reads a snapshot, decodes every value, and compares the checksum.
///
/// # Errors
/// When the file cannot be read.
pub fn check(path: &Path, keys: Option<&Keyring>) -> io::Result<Report> {
    let file = File::open(path)?;
    let mut input = Input::open(Progress::new(&file, file.metadata()?.len()), keys)?;
    let key = input.key_name().map(str::to_owned);
    let mut report = Report { size: encryption::content_len(path)?, key, ..Report::default() };
    match Scanner::new(&mut input) {
        Ok(scanner) => scan(scanner, &mut report),
        Err(error) => report.fail(0, error.to_string()),
    }
    if report.problem.is_none() && input.is_encrypted() {
        // Its end mark is to be seen as well.
        if let Err(error) = io::copy(&mut input, &mut io::sink()) {
            report.fail(report.end, error.to_string());
        }
    }
    Ok(report)
}

fn scan<R: Read>(mut scanner: Scanner<R>, report: &mut Report) {
    let dialect = match scanner.dialect() {
        Dialect::Redis => "",
        Dialect::Valkey => "Valkey's ",
    };
    report.version = format!("{dialect}{}", scanner.version());
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_millis());
    let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    loop {
        match scanner.next_item() {
            Ok(Item::Aux(name, text)) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                let name = String::from_utf8_lossy(&name).into_owned();
                report.texts.push((scanner.position(), name, text));
            }
            Ok(Item::Size { .. }) => {}
            Ok(Item::Function(_)) => report.functions += 1,
            Ok(Item::ModuleAux(name)) => {
                let why = format!("data of the module '{name}', which a server passes over");
                report.texts.push((scanner.position(), "module".to_owned(), why));
            }
            Ok(Item::Chunk(chunk)) => {
                let start = scanner.position() - chunk.bytes() as u64;
                check_chunk(&chunk, start, now_ms, report);
                if report.problem.is_some() {
                    return;
                }
            }
            Ok(Item::End { checked }) => {
                report.checked = checked;
                report.end = scanner.position();
                return;
            }
            Err(error) => {
                let at = match &error {
                    rdb::ScanError::At { offset, .. } => *offset,
                    _ => scanner.position(),
                };
                let why = match error {
                    rdb::ScanError::At { error: Error::Truncated, .. } => {
                        "the file ends early, or a length in it is wrong".to_owned()
                    }
                    rdb::ScanError::At { error, .. } => error.to_string(),
                    error => error.to_string(),
                };
                return report.fail(at, why);
            }
        }
    }
}

fn check_chunk(chunk: &Chunk, start: u64, now_ms: i64, report: &mut Report) {
    for record in chunk.records() {
        let at = start + chunk.offset_of(record) as u64;
        let (key, value) = match chunk.decode(record, &Limits::default()) {
            Ok(decoded) => decoded,
            Err(Error::Empty) => {
                report.empty += 1;
                continue;
            }
            Err(error) => {
                let key = chunk.key(record).map(|key| shown(&key)).unwrap_or_default();
                let title = record.kind.title();
                return report.fail(at, format!("key '{key}', a {title}: {error}"));
            }
        };
        let Meta { deadline_ms, .. } = record.meta;
        report.statistics.volatile += u64::from(deadline_ms.is_some());
        report.statistics.expired += u64::from(deadline_ms.is_some_and(|at_ms| at_ms < now_ms));
        let bytes = chunk.len_of(record) as u64;
        report.statistics.add(record.kind.title(), elements(&value), bytes, &key);
    }
}

fn elements(value: &Value<'_>) -> u64 {
    let Value::Object(object) = value else { return 1 };
    let len = match &**object {
        Object::String(_) => 1,
        Object::List(list) => list.len(),
        Object::Set(set) => set.len(),
        Object::SortedSet(zset) => zset.len(),
        Object::Hash(hash) => hash.len(),
        Object::Stream(stream) => stream.len() as usize,
    };
    len as u64
}
