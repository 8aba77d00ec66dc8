//! Reading through a group, and how far behind a group is.

use super::id::Id;
use super::{Entry, Group, Stream};

impl Stream {
    /// Delivers up to `limit` (0: all) entries that the group has not delivered yet to a consumer, which is
    /// made if it is not there, shows each to `f` until that wants no more, and gives their number. With
    /// `noack` nothing becomes pending. `None` if there is no such group.
    pub fn deliver(
        &mut self,
        group: &[u8],
        consumer: &[u8],
        limit: usize,
        noack: bool,
        now_ms: u64,
        mut f: impl FnMut(Entry<'_>) -> bool,
    ) -> Option<usize> {
        // The group leaves the map so that the entries can be read meanwhile.
        let mut state = std::mem::take(self.groups.get_mut(group)?);
        state.create_consumer(consumer, now_ms);
        let mut count = 0;
        for entry in self.after(state.last_id).take(if limit == 0 { usize::MAX } else { limit }) {
            self.advance(&mut state, entry.id);
            if !noack {
                state.assign(entry.id, consumer, now_ms, 1);
            }
            count += 1;
            if !f(entry) {
                break;
            }
        }
        if let Some(consumer) = state.consumer_mut(consumer) {
            consumer.seen_ms = now_ms;
            if count > 0 && !noack {
                consumer.active_ms = Some(now_ms);
            }
        }
        *self.groups.get_mut(group)? = state;
        Some(count)
    }

    /// Delivers again what a consumer has pending after an ID, up to `limit` (0: all), and shows each to
    /// `f` until that wants no more, without the entry if that has been deleted. `None` if there is no such group; a consumer
    /// that is not there is made and has nothing.
    pub fn replay(
        &mut self,
        group: &[u8],
        consumer: &[u8],
        after: Id,
        limit: usize,
        now_ms: u64,
        mut f: impl FnMut(Id, Option<Entry<'_>>) -> bool,
    ) -> Option<usize> {
        let state = self.groups.get_mut(group)?;
        state.create_consumer(consumer, now_ms);
        let Some(reader) = state.consumer_mut(consumer) else { return Some(0) };
        reader.seen_ms = now_ms;
        let Some(start) = after.next() else { return Some(0) };
        let most = if limit == 0 { usize::MAX } else { limit };
        let ids: Vec<Id> = reader.pending().range(start..).take(most).copied().collect();
        let (mut count, mut more) = (0, true);
        for id in ids {
            if !more {
                break;
            }
            let entry = self.get(id);
            more = f(id, entry);
            count += 1;
            if entry.is_some()
                && let Some(state) = self.groups.get_mut(group)
            {
                state.redeliver(id, now_ms);
            }
        }
        Some(count)
    }

    /// Lets a group go on from an ID (XGROUP SETID, XCLAIM's LASTID).
    pub fn set_group_id(&mut self, group: &[u8], last_id: Id, entries_read: Option<u64>) -> bool {
        let Some(group) = self.groups.get_mut(group) else { return false };
        group.last_id = last_id;
        group.entries_read = entries_read;
        true
    }

    /// How many entries a group has still to read; `None` where deletions make that unknowable. Negative
    /// where a client has set the counters so.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        if self.entries_added == 0 || self.len == 0 {
            return Some(0);
        }
        if group.last_id < self.first_id && self.max_deleted_id < self.first_id {
            return Some(self.len as i64);
        }
        let read = match group.entries_read {
            Some(read) if !self.has_gap_from(group.last_id) => Some(read),
            _ => self.added_up_to(group.last_id),
        };
        Some((self.entries_added as i64).wrapping_sub(read? as i64))
    }

    /// How many entries were added up to an ID since the stream began, where that is certain.
    pub fn added_up_to(&self, id: Id) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if id == self.last_id || self.len == 0 && id < self.last_id {
            return Some(self.entries_added);
        }
        let gap = self.max_deleted_id != Id::MIN && self.max_deleted_id >= self.first_id;
        if id > self.last_id || gap || id > self.first_id {
            return None;
        }
        let before = self.entries_added.checked_sub(self.len)?;
        Some(if id < self.first_id { before } else { before + 1 })
    }

    /// Whether an entry at or after an ID, among those that are left, has been deleted.
    fn has_gap_from(&self, id: Id) -> bool {
        self.len > 0
            && self.max_deleted_id != Id::MIN
            && self.first_id <= self.max_deleted_id
            && id <= self.max_deleted_id
    }

    /// Moves a group on to the entry that it reads.
    fn advance(&self, group: &mut Group, id: Id) {
        group.entries_read = match group.entries_read {
            Some(read) if !self.has_gap_from(id) => Some(read.saturating_add(1)),
            _ => self.added_up_to(id),
        };
        group.last_id = id;
    }
}
