//! Append-only files that are encrypted: what is left of them, wherever a crash ends them.
#![forbid(unsafe_code)]

use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use aof::{Appender, ReadError, Reader};
use effects::{Effect, Sink, Targets, encode_slices};
use encryption::{BLOCK_MAX, End, Input, Keyring, Kind, Sealer};

static NUMBER: AtomicU32 = AtomicU32::new(0);

struct Log {
    path: PathBuf,
    keys: Keyring,
    appender: Appender,
}

impl Log {
    fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("aof-enc-{}-{number}", std::process::id()));
        let keys = Keyring::parse(format!("k:{}", "5a".repeat(32)).as_bytes()).expect("a key");
        File::create(&path).expect("a file");
        let file = OpenOptions::new().append(true).open(&path).expect("a file");
        let sealer = Sealer::new(&keys, Kind::Log).expect("a header");
        Self { path, keys, appender: Appender::new(file, 0, Some(sealer)) }
    }

    /// Takes a SET of so many bytes, without writing it.
    fn take(&mut self, key: &str, bytes: usize) {
        let mut command = Vec::new();
        encode_slices(&mut command, &[&b"SET"[..], key.as_bytes(), &vec![b'v'; bytes]]);
        let targets = Targets::AOF;
        self.appender.take(Effect {
            seq: 1,
            database: 0,
            targets,
            unix_s: 0,
            opens: false,
            bytes: &command,
        });
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).expect("a file")
    }

    /// The keys that are set, why there are no more, how the file ends, and up to where its content is whole.
    fn read(&self, bytes: &[u8]) -> (Vec<String>, Option<ReadError>, Option<End>, u64) {
        let mut input = Input::open(bytes, Some(&self.keys)).expect("it is known");
        let mut reader = Reader::new(std::io::BufReader::new(&mut input));
        let (mut set, mut whole) = (Vec::new(), 0);
        let problem = loop {
            match reader.command() {
                Ok(None) => break None,
                Err(error) => break Some(error),
                Ok(Some(words)) if words[0] == b"SET" => {
                    set.push(String::from_utf8_lossy(&words[1]).into_owned());
                }
                Ok(Some(_)) => {}
            }
            whole = reader.offset();
        };
        (set, problem, input.end(), whole)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[test]
fn a_crash_at_any_byte_loses_only_what_was_not_written_as_a_whole() {
    let mut log = Log::new();
    let mut sizes = Vec::new();
    for key in ["a", "b", "c"] {
        log.take(key, 10);
        log.take(key, 5);
        log.appender.write().expect("there is room");
        sizes.push(log.bytes().len());
    }
    assert_eq!(log.appender.size(), sizes[2] as u64);
    let whole = log.bytes();
    for length in 2..=whole.len() {
        let (set, problem, end, _) = log.read(&whole[..length]);
        assert!(problem.is_none(), "cut at {length}: {problem:?}");
        let batches = sizes.iter().filter(|size| **size <= length).count();
        assert_eq!(set.len(), 2 * batches, "cut at {length}");
        let is_clean = length == 128 || sizes.contains(&length);
        assert_eq!(matches!(end, Some(End::Open)), is_clean, "cut at {length}: {end:?}");
    }
}

#[test]
fn blocks_end_where_effects_end_so_that_a_cut_goes_through_none() {
    let mut log = Log::new();
    let sizes = [100, 30_000, 30_000, 200_000, 7, 60_000, 60_000, BLOCK_MAX - 40, BLOCK_MAX];
    for (number, size) in sizes.iter().enumerate() {
        log.take(&number.to_string(), *size);
    }
    log.appender.set_checksums(true);
    log.take("summed", 40_000);
    log.appender.write().expect("there is room");
    let bytes = log.bytes();
    let header = bytes[..128].to_vec();
    for length in (200..bytes.len()).step_by(9_973) {
        fs::write(&log.path, &bytes[..length]).expect("a file");
        let (set, _, end, whole) = log.read(&bytes[..length]);
        assert!(matches!(end, Some(End::Torn { .. })), "{end:?}");
        encryption::cut_off(&log.path, whole, Some(&log.keys)).expect("it is cut");
        let left = log.bytes();
        let (again, problem, end, _) = log.read(&left);
        assert_eq!((again, end), (set, Some(if whole == 0 { End::Plain } else { End::Finished })));
        assert!(problem.is_none());
        assert!(whole == 0 || left.starts_with(&header), "written anew at {length}");
    }
}

#[test]
fn a_file_that_was_ended_may_go_on() {
    let mut log = Log::new();
    log.appender.end().expect("an end mark");
    assert_eq!(log.read(&log.bytes()).2, Some(End::Finished));
    for key in ["a", "b"] {
        log.take(key, 3);
        log.appender.write().expect("there is room");
        assert_eq!(log.read(&log.bytes()).2, Some(End::Open));
        log.appender.end().expect("an end mark");
        log.appender.end().expect("the same again");
        assert_eq!(log.appender.size(), log.bytes().len() as u64);
        assert_eq!(log.read(&log.bytes()).2, Some(End::Finished));
    }
    assert_eq!(log.read(&log.bytes()).0, ["a", "b"]);
}
