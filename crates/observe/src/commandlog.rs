use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use parking_lot::Mutex;

/// Arguments kept of one command, and bytes kept of one argument.
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

    /// Whether anything is logged.
    pub fn is_on(&self) -> bool {
        self.threshold.load(Ordering::Relaxed) >= 0
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
            args: shorten(args),
            peer: peer.to_owned(),
            name: name.to_vec(),
        };
        let mut entries = self.entries.lock();
        entries.push_front(entry);
        entries.truncate(max_len);
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

fn shorten<'a>(args: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let total = args.len();
    let kept = if total > ARGS_MAX { ARGS_MAX - 1 } else { total };
    let mut words: Vec<Vec<u8>> = args.take(kept).map(shorten_one).collect();
    if total > ARGS_MAX {
        words.push(format!("... ({} more arguments)", total - kept).into_bytes());
    }
    words
}

fn shorten_one(word: &[u8]) -> Vec<u8> {
    if word.len() <= ARG_BYTES_MAX {
        return word.to_vec();
    }
    let mut short = word[..ARG_BYTES_MAX].to_vec();
    short.extend_from_slice(format!("... ({} more bytes)", word.len() - ARG_BYTES_MAX).as_bytes());
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
