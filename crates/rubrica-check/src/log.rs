use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use aof::{Entry, ReadError, Reader};
use encryption::{Damage, End, Input, Keyring};

use crate::progress::Progress;
use crate::statistics::Statistics;

/// What a file of commands is, and up to where it is whole.
#[derive(Debug, Default)]
pub struct Report {
    /// Bytes of the file; when it is encrypted, of its content and of what is no content.
    pub size: u64,
    /// Up to this byte everything can be loaded: the last whole command, or transaction, ends here.
    pub whole: u64,
    /// The line, counted from 1, where reading ended.
    pub line: u64,
    /// Its commands.
    pub statistics: Statistics,
    /// The seconds since the epoch of the first and the last annotation of time.
    pub times: Option<(i64, i64)>,
    /// Where the first annotation of a later time than asked for begins.
    pub later: Option<u64>,
    /// The name of the key that it is encrypted with.
    pub key: Option<String>,
    /// What is wrong, and at which byte.
    pub problem: Option<(u64, String)>,
}

/// Which part of a file is checked, and what is expected of it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Bytes before the first command.
    pub start: u64,
    /// Where to end: before what is later, seconds since the epoch.
    pub until_s: Option<i64>,
    /// Whether no other file follows.
    pub is_last: bool,
}

/// Reads commands.
///
/// # Errors
/// When the file cannot be read.
pub fn check(path: &Path, wanted: Wanted, keys: Option<&Keyring>) -> io::Result<Report> {
    let file = File::open(path)?;
    let mut input = Input::open(Progress::new(&file, file.metadata()?.len()), keys)?;
    let key = input.key_name().map(str::to_owned);
    let size = encryption::content_len(path)?;
    let mut report = Report { size, whole: wanted.start, key, ..Report::default() };
    io::copy(&mut (&mut input).take(wanted.start), &mut io::sink())?;
    read(BufReader::with_capacity(1 << 18, &mut input), wanted, &mut report)?;
    if report.problem.is_none() && report.later.is_none() {
        report.problem = match input.end() {
            Some(End::Torn { at, bytes }) => Some((
                input.position(),
                format!("the last {bytes} bytes of the file, from byte {at} on, are a torn block"),
            )),
            Some(End::Open) if !wanted.is_last => {
                Some((input.position(), "its end is missing, and others follow it".to_owned()))
            }
            _ => None,
        };
    }
    Ok(report)
}

fn read(input: impl BufRead, wanted: Wanted, report: &mut Report) -> io::Result<()> {
    let Wanted { start, until_s, .. } = wanted;
    let mut reader = Reader::new(input);
    // Where the transaction began that is open.
    let mut multi: Option<u64> = None;
    let stopped = loop {
        let before = start + reader.offset();
        match reader.entry() {
            Ok(Some(Entry::Command(words))) => {
                let bytes = start + reader.offset() - before;
                if let Err(why) = add(&words, bytes, before, &mut multi, report) {
                    break Some((before, why.to_owned()));
                }
            }
            Ok(Some(Entry::Note(note))) => {
                let Some(time_s) = time(&note) else { continue };
                if until_s.is_some_and(|until_s| time_s > until_s) {
                    report.later = Some(before);
                    break None;
                }
                let first = report.times.map_or(time_s, |(first, _)| first);
                report.times = Some((first, time_s));
            }
            Ok(None) => {
                break multi
                    .map(|at| (at, "the transaction that begins here has no end".to_owned()));
            }
            Err(ReadError::Truncated) => {
                break Some((before, "the file ends in the middle of what begins here".to_owned()));
            }
            Err(ReadError::Format { at, why }) => break Some((start + at, why.to_owned())),
            Err(error @ ReadError::Checksum { at, .. }) => {
                // Which of its commands is wrong nobody can tell.
                report.whole = start + at;
                break Some((start + at, error.to_string()));
            }
            Err(ReadError::Io(error)) if Damage::of(&error).is_some() => {
                break Some((before, error.to_string()));
            }
            Err(ReadError::Io(error)) => return Err(error),
        }
        if multi.is_none() {
            report.whole = start + reader.offset();
        }
    };
    report.line = reader.lines() + 1;
    report.problem = stopped;
    Ok(())
}

fn add(
    words: &[Vec<u8>],
    bytes: u64,
    at: u64,
    multi: &mut Option<u64>,
    report: &mut Report,
) -> Result<(), &'static str> {
    let verb = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    match verb.as_slice() {
        b"MULTI" if multi.is_some() => return Err("MULTI within a transaction"),
        b"MULTI" => *multi = Some(at),
        b"EXEC" if multi.is_none() => return Err("EXEC without MULTI"),
        b"EXEC" => *multi = None,
        _ => {}
    }
    let row = crate::statistics::shown(&verb);
    let key = words.get(1).map_or(&[][..], Vec::as_slice);
    report.statistics.add(&row, words.len() as u64, bytes, key);
    Ok(())
}

/// The time that an annotation notes, seconds since the epoch.
fn time(note: &[u8]) -> Option<i64> {
    std::str::from_utf8(note.strip_prefix(b"TS:")?).ok()?.parse().ok()
}
