//! When members expire. Most sorted sets have none of this.

use std::collections::{BTreeSet, HashMap};

/// Absolute times in milliseconds by member, and the members by time.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines {
    by_member: HashMap<Box<[u8]>, u64>,
    by_time: BTreeSet<(u64, Box<[u8]>)>,
    bytes: usize,
}

impl Deadlines {
    pub(super) fn get(&self, member: &[u8]) -> Option<u64> {
        self.by_member.get(member).copied()
    }

    pub(super) fn set(&mut self, member: &[u8], at_ms: u64) {
        self.remove(member);
        self.by_member.insert(member.into(), at_ms);
        self.by_time.insert((at_ms, member.into()));
        self.bytes += cost(member);
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> bool {
        let Some((member, at_ms)) = self.by_member.remove_entry(member) else { return false };
        self.bytes -= cost(&member);
        self.by_time.remove(&(at_ms, member))
    }

    pub(super) fn next(&self) -> Option<u64> {
        self.by_time.first().map(|&(at_ms, _)| at_ms)
    }

    /// Takes out the earliest member whose time is not after `now_ms`.
    pub(super) fn pop_due(&mut self, now_ms: u64) -> Option<Box<[u8]>> {
        if self.next()? > now_ms {
            return None;
        }
        let (_, member) = self.by_time.pop_first()?;
        self.by_member.remove(&member);
        self.bytes -= cost(&member);
        Some(member)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_member.is_empty()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.bytes
    }
}

/// Both copies of the member, an entry of the map at 7/8 of its load, one of the set at 2/3.
fn cost(member: &[u8]) -> usize {
    2 * member.len().next_multiple_of(8) + 28 + 36
}
