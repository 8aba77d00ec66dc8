use std::collections::VecDeque;
use std::sync::Arc;

use crate::group::{Part, Targets};
use crate::log::{Log, Slot};
use crate::recorder::{Chunk, Mark};

/// One effect as it comes out of the log, or several that follow each other and have everything in common but
/// their numbers: so many small ones cost little more than one.
#[derive(Clone, Copy, Debug)]
pub struct Effect<'a> {
    /// The number of its group; of several the last one's.
    pub seq: u64,
    /// The database that it belongs to. Of MULTI and EXEC the one of their neighbour inside.
    pub database: usize,
    /// Who is to have it.
    pub targets: Targets,
    /// When it happened, seconds since the epoch.
    pub unix_s: i64,
    /// Whether it opens a transaction; the database need not be selected before it.
    pub opens: bool,
    /// The command or commands, in RESP.
    pub bytes: &'a [u8],
}

/// Bytes up to which effects are given together.
const RUN_MOST: usize = 16 * 1024;

/// Takes effects in their order.
pub trait Sink {
    /// Takes an effect.
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
                self.next = lane.emit(mark, until, sink) + 1;
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

    /// Gives the group that is next to `sink`, with those behind it that go with it, up to number `until`. Gives back
    /// the last one's number.
    fn emit(&mut self, mark: Mark, until: u64, sink: &mut impl Sink) -> u64 {
        if mark.parts == 1 {
            let last = self.last_of_run(mark, until);
            let count = (last.seq - mark.seq) as usize + 1;
            self.give(last, count, false, sink);
            self.group += count;
            return last.seq;
        }
        for index in 0..mark.parts {
            self.give(mark, 1, index == 0, sink);
        }
        self.group += 1;
        mark.seq
    }

    /// The last of the groups of one effect each that begin with `first` and can be given together.
    fn last_of_run(&self, first: Mark, until: u64) -> Mark {
        let Some(chunk) = self.chunks.front() else { return first };
        let groups = chunk.groups.get(self.group..).unwrap_or_default();
        let parts = chunk.parts.get(self.part..).unwrap_or_default();
        let Some(common) = parts.first() else { return first };
        let mut bytes = 0;
        let goes_on = |&(index, (mark, part)): &(usize, (&Mark, &Part))| {
            bytes += part.bytes;
            let follows = mark.seq == first.seq + index as u64 && mark.seq <= until;
            let is_like = mark.parts == 1 && mark.unix_s == first.unix_s;
            let goes_there = part.database == common.database && part.targets == common.targets;
            index == 0 || follows && is_like && goes_there && bytes <= RUN_MOST
        };
        let run = groups.iter().zip(parts).enumerate().take_while(goes_on);
        run.last().map_or(first, |(_, (mark, _))| *mark)
    }

    /// Gives the next `count` parts to `sink` as one effect of the group with `mark`.
    fn give(&mut self, mark: Mark, count: usize, opens: bool, sink: &mut impl Sink) {
        let Some(chunk) = self.chunks.front() else { return };
        let parts = chunk.parts.get(self.part..self.part + count).unwrap_or_default();
        let Some(first) = parts.first() else { return };
        let end = self.byte + parts.iter().map(|part| part.bytes).sum::<usize>();
        sink.take(Effect {
            seq: mark.seq,
            database: first.database as usize,
            targets: first.targets,
            unix_s: mark.unix_s,
            opens,
            bytes: chunk.bytes.get(self.byte..end).unwrap_or_default(),
        });
        self.part += count;
        self.byte = end;
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
