use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

/// Arguments kept of one command, and bytes kept of one argument, unless configured otherwise.
const ARGS_MAX: usize = 32;
const ARG_BYTES_MAX: usize = 128;

/// The three logs of COMMANDLOG; SLOWLOG is the first.
#[derive(Default)]
pub struct CommandLogs {
    /// Commands that took long; values are microseconds.
    pub slow: CommandLog,
    /// Commands whose request was large; values are bytes.
    pub large_request: CommandLog,
    /// Commands whose reply was large; values are bytes.
    pub large_reply: CommandLog,
}

/// A log of commands that went above a threshold, newest first.
pub struct CommandLog {
    threshold: AtomicI64,
    max_len: AtomicU64,
    args_max: AtomicUsize,
    arg_bytes_max: AtomicUsize,
    next_id: AtomicU64,
    entries: Mutex<VecDeque<LogEntry>>,
}

/// One logged command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Grows by one with each entry, also across resets.
    pub id: u64,
    /// Seconds since the epoch.
    pub time_s: i64,
    /// What went above the threshold.
    pub value: i64,
    /// The command's words, shortened.
    pub args: Vec<Vec<u8>>,
    /// The client's address.
    pub peer: String,
    /// The client's name.
    pub name: Vec<u8>,
}

impl Default for CommandLog {
    fn default() -> Self {
        Self {
            threshold: AtomicI64::new(-1),
            max_len: AtomicU64::new(128),
            args_max: AtomicUsize::new(ARGS_MAX),
            arg_bytes_max: AtomicUsize::new(ARG_BYTES_MAX),
            next_id: AtomicU64::new(0),
            entries: Mutex::default(),
        }
    }
}

impl CommandLog {
    /// Sets the limits: values at or above `threshold` are logged (negative: none), and `max_len` entries are
    /// kept.
    pub fn configure(&self, threshold: i64, max_len: u64) {
        self.threshold.store(threshold, Ordering::Relaxed);
        self.max_len.store(max_len, Ordering::Relaxed);
        self.entries.lock().truncate(usize::try_from(max_len).unwrap_or(usize::MAX));
    }

    /// Sets how many arguments of a command are kept, the note of how many more there are included, and
    /// how many bytes of an argument.
    pub fn shorten_to(&self, args: u64, arg_bytes: u64) {
        let limit = |value| usize::try_from(value).unwrap_or(usize::MAX);
        self.args_max.store(limit(args).max(2), Ordering::Relaxed);
        self.arg_bytes_max.store(limit(arg_bytes).max(1), Ordering::Relaxed);
    }

    /// Whether anything is logged.
    pub fn is_on(&self) -> bool {
        self.threshold.load(Ordering::Relaxed) >= 0
    }

    /// From which value on commands belong into the log; negative when none does.
    pub fn threshold(&self) -> i64 {
        self.threshold.load(Ordering::Relaxed)
    }

    /// Whether a command with this value belongs into the log.
    pub fn wants(&self, value: i64) -> bool {
        self.is_on() && value >= self.threshold.load(Ordering::Relaxed)
    }

    /// Adds a command.
    pub fn add<'a>(
        &self,
        value: i64,
        time_s: i64,
        args: impl ExactSizeIterator<Item = &'a [u8]>,
        peer: &str,
        name: &[u8],
    ) {
        let max_len = usize::try_from(self.max_len.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        if max_len == 0 {
            return;
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let entry = LogEntry {
            id,
            time_s,
            value,
            args: self.shorten(args),
            peer: peer.to_owned(),
            name: name.to_vec(),
        };
        let mut entries = self.entries.lock();
        entries.push_front(entry);
        entries.truncate(max_len);
    }

    fn shorten<'a>(&self, args: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
        let (total, max) = (args.len(), self.args_max.load(Ordering::Relaxed));
        let bytes_max = self.arg_bytes_max.load(Ordering::Relaxed);
        let kept = if total > max { max - 1 } else { total };
        let mut words: Vec<Vec<u8>> =
            args.take(kept).map(|word| shorten_one(word, bytes_max)).collect();
        if total > max {
            words.push(format!("... ({} more arguments)", total - kept).into_bytes());
        }
        words
    }

    /// The newest `count` entries.
    pub fn newest(&self, count: usize) -> Vec<LogEntry> {
        self.entries.lock().iter().take(count).cloned().collect()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// Whether the log is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops all entries.
    pub fn reset(&self) {
        self.entries.lock().clear();
    }
}

fn shorten_one(word: &[u8], max: usize) -> Vec<u8> {
    let mut short = word[..word.len().min(max)].to_vec();
    if word.len() > max {
        short.extend_from_slice(format!("... ({} more bytes)", word.len() - max).as_bytes());
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_commands_are_shortened_and_old_ones_dropped() {
        let log = CommandLog::default();
        log.configure(10, 2);
        assert!(log.wants(10) && !log.wants(9));
        let words = vec![vec![b'x'; 200]; 40];
        for _ in 0..3 {
            log.add(11, 0, words.iter().map(Vec::as_slice), "peer", b"");
        }
        let entries = log.newest(10);
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].id, 2);
        assert_eq!(entries[0].args.len(), 32);
        assert_eq!(entries[0].args[31], b"... (9 more arguments)");
        assert!(entries[0].args[0].ends_with(b"... (72 more bytes)"));
    }
}
