use std::collections::VecDeque;
use std::sync::Arc;

use crate::group::Targets;
use crate::log::{Log, Slot};
use crate::recorder::{Chunk, Mark};

/// One effect as it comes out of the log.
#[derive(Clone, Copy, Debug)]
pub struct Effect<'a> {
    /// The number of its group.
    pub seq: u64,
    /// The database that it belongs to. Of MULTI and EXEC the one of their neighbour inside.
    pub database: usize,
    /// Who is to have it.
    pub targets: Targets,
    /// When it happened, seconds since the epoch.
    pub unix_s: i64,
    /// Whether it opens a transaction; the database need not be selected before it.
    pub opens: bool,
    /// The command, in RESP.
    pub bytes: &'a [u8],
}

/// Takes effects in their order.
pub trait Sink {
    /// Takes one effect.
    fn take(&mut self, effect: Effect<'_>);
}

/// Brings what all threads have recorded into one order.
///
/// A thread's buffers are in the order of their numbers, and every number is drawn once. So the next effect
/// is always at the front of some thread's buffers; if it is at none, its thread has not handed it over yet,
/// and everything behind it waits.
pub struct Merger {
    log: Arc<Log>,
    lanes: Vec<Lane>,
    /// The number that comes next.
    next: u64,
}

/// What one thread has handed over.
struct Lane {
    slot: Arc<Slot>,
    chunks: VecDeque<Chunk>,
    /// Place in the first chunk: groups, parts and bytes that have come out.
    group: usize,
    part: usize,
    byte: usize,
}

impl Merger {
    /// The reader of `log`; there is one.
    pub fn new(log: Arc<Log>) -> Self {
        Self { log, lanes: Vec::new(), next: 1 }
    }

    /// The number up to which everything has come out.
    pub fn merged(&self) -> u64 {
        self.next - 1
    }

    /// Gives to `sink` what has been handed over and is next in the order, up to number `until` inclusive.
    pub fn merge(&mut self, until: u64, sink: &mut impl Sink) {
        self.collect();
        let mut at = 0;
        let mut idle = 0;
        while idle < self.lanes.len() && self.next <= until {
            let Some(lane) = self.lanes.get_mut(at) else { break };
            let before = self.next;
            while self.next <= until
                && let Some(mark) = lane.front().filter(|mark| mark.seq == self.next)
            {
                lane.emit(mark, sink);
                self.next += 1;
                if let Some(bytes) = lane.finish() {
                    self.log.taken(bytes);
                }
            }
            idle = if self.next == before { idle + 1 } else { 1 };
            at = (at + 1) % self.lanes.len();
        }
    }

    fn collect(&mut self) {
        for slot in self.log.slots(self.lanes.len()) {
            let lane = Lane { slot, chunks: VecDeque::new(), group: 0, part: 0, byte: 0 };
            self.lanes.push(lane);
        }
        for lane in &mut self.lanes {
            lane.chunks.append(&mut lane.slot.queue.lock());
        }
    }
}

impl Lane {
    fn front(&self) -> Option<Mark> {
        self.chunks.front()?.groups.get(self.group).copied()
    }

    fn emit(&mut self, mark: Mark, sink: &mut impl Sink) {
        let Some(chunk) = self.chunks.front() else { return };
        for index in 0..mark.parts {
            let Some(part) = chunk.parts.get(self.part) else { return };
            let bytes = chunk.bytes.get(self.byte..self.byte + part.bytes).unwrap_or_default();
            sink.take(Effect {
                seq: mark.seq,
                database: part.database as usize,
                targets: part.targets,
                unix_s: mark.unix_s,
                opens: mark.parts > 1 && index == 0,
                bytes,
            });
            self.part += 1;
            self.byte += part.bytes;
        }
        self.group += 1;
    }

    /// Gives the first chunk back when all of it has come out; how many bytes it had.
    fn finish(&mut self) -> Option<usize> {
        let first = self.chunks.front()?;
        if self.group < first.groups.len() {
            return None;
        }
        let chunk = self.chunks.pop_front()?;
        let bytes = chunk.bytes.len();
        self.slot.recycle(chunk);
        (self.group, self.part, self.byte) = (0, 0, 0);
        Some(bytes)
    }
}
