//! Deliveries that change hands.

use super::id::Id;
use super::{Entry, Nack, Stream};

/// How entries are claimed (XCLAIM).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Deliveries younger than this stay where they are.
    pub min_idle_ms: u64,
    /// When the delivery is to have happened, in milliseconds since the epoch; `None`: now.
    pub delivered_ms: Option<u64>,
    /// How often it is to have happened; `None`: once more, or with `just_id` as often as before.
    pub count: Option<u64>,
    /// Whether entries that nobody holds are claimed too.
    pub force: bool,
    /// Whether only the ID is wanted, so that it is no delivery.
    pub just_id: bool,
}

/// What a claim came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The consumer holds it now.
    Done,
    /// Nobody holds it, or not for long enough.
    Left,
    /// It was held, but the entry is gone; nobody holds it now.
    Gone,
}

/// What an automatic claim came to (XAUTOCLAIM).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AutoClaimed {
    /// Where to go on; 0-0 at the end.
    pub next: Id,
    /// The IDs that the consumer holds now.
    pub claimed: Vec<Id>,
    /// Those that nobody holds any longer since their entries are gone.
    pub deleted: Vec<Id>,
}

/// How often a delivery that is given back counts as delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recount {
    /// As if the last time had not been.
    Less,
    /// As before.
    Same,
    /// So often.
    To(u64),
}

impl Stream {
    /// Gives an entry's delivery to a consumer, which is made if it is not there and gets something. `None` if there is no such group.
    pub fn claim(
        &mut self,
        group: &[u8],
        consumer: &[u8],
        id: Id,
        claim: Claim,
        now_ms: u64,
    ) -> Option<Claimed> {
        let exists = self.get(id).is_some();
        let group = self.groups.get_mut(group)?;
        let nack = group.nack(id).map(|(nack, _)| nack);
        if !exists {
            return Some(if group.ack(id) { Claimed::Gone } else { Claimed::Left });
        }
        let before = match nack {
            Some(nack) if nack.idle_ms(now_ms).is_some_and(|idle| idle < claim.min_idle_ms) => {
                return Some(Claimed::Left);
            }
            Some(nack) => nack.count,
            // A delivery that is made here starts with one, which only a delivery adds to.
            None if claim.force => 1,
            None => return Some(Claimed::Left),
        };
        let count = claim.count.unwrap_or(before.saturating_add(u64::from(!claim.just_id)));
        group.assign(id, consumer, claim.delivered_ms.unwrap_or(now_ms), count);
        if let Some(consumer) = group.consumer_mut(consumer) {
            consumer.seen_ms = now_ms;
            consumer.active_ms = Some(now_ms);
        }
        Some(Claimed::Done)
    }

    /// Gives deliveries from an ID on that are old enough to a consumer: at most `limit` changes, and ten times as
    /// many looked at. `None` if there is no such group.
    pub fn auto_claim(
        &mut self,
        group: &[u8],
        consumer: &[u8],
        start: Id,
        limit: usize,
        claim: Claim,
        now_ms: u64,
    ) -> Option<AutoClaimed> {
        self.groups.get(group)?;
        let mut result = AutoClaimed::default();
        let mut from = Some(start);
        let mut looks = limit.saturating_mul(10);
        while let Some(at) = from
            && let Some((id, _)) = self.groups.get(group)?.first_pending_from(at)
        {
            result.next = id;
            if looks == 0 || result.claimed.len() + result.deleted.len() >= limit {
                return Some(result);
            }
            looks -= 1;
            match self.claim(group, consumer, id, claim, now_ms)? {
                Claimed::Done => result.claimed.push(id),
                Claimed::Gone => result.deleted.push(id),
                Claimed::Left => {}
            }
            from = id.next();
        }
        result.next = Id::MIN;
        Some(result)
    }

    /// Gives deliveries that are old enough, and those that were given back, to a consumer, which is made if it
    /// is not there: those given back first, then the oldest, at most `limit` (0: all). Each is shown to `f` with
    /// the delivery as it was, until that wants no more; so are entries that are gone, which are nobody's any longer. `None` if
    /// there is no such group.
    pub fn claim_idle(
        &mut self,
        group: &[u8],
        consumer: &[u8],
        min_idle_ms: u64,
        limit: usize,
        now_ms: u64,
        mut f: impl FnMut(Id, Option<Entry<'_>>, Nack) -> bool,
    ) -> Option<usize> {
        // The group leaves the map so that the entries can be read meanwhile, and the deliveries leave their
        // order so that none comes twice.
        let mut state = std::mem::take(self.groups.get_mut(group)?);
        let mut times = std::mem::take(state.by_time());
        let (mut count, mut more) = (0, true);
        while more && (limit == 0 || count < limit) {
            let id = match state.first_released() {
                Some(id) => id,
                None => match times.first() {
                    Some(&(at, id)) if now_ms.saturating_sub(at) >= min_idle_ms => {
                        times.pop_first();
                        id
                    }
                    _ => break,
                },
            };
            let Some((nack, _)) = state.nack(id) else { continue };
            let Some(entry) = self.get(id) else {
                state.ack(id);
                more = f(id, None, nack);
                continue;
            };
            state.assign(id, consumer, now_ms, nack.count.saturating_add(1));
            more = f(id, Some(entry), nack);
            count += 1;
        }
        // Far fewer are new than are left, in most cases, so they go to those.
        times.extend(std::mem::take(state.by_time()));
        *state.by_time() = times;
        if let Some(consumer) = state.consumer_mut(consumer).filter(|_| count > 0) {
            (consumer.seen_ms, consumer.active_ms) = (now_ms, Some(now_ms));
        }
        *self.groups.get_mut(group)? = state;
        Some(count)
    }

    /// From when on [`Stream::claim_idle`] has something to give, milliseconds since the epoch; `None` while
    /// nothing is pending.
    pub fn idle_from(&mut self, group: &[u8], min_idle_ms: u64) -> Option<u64> {
        let group = self.groups.get_mut(group)?;
        if group.first_released().is_some() {
            return Some(0);
        }
        let (at, _) = *group.by_time().first()?;
        Some(at.saturating_add(min_idle_ms))
    }

    /// Takes a delivery from its consumer and leaves it pending, for whoever claims it next (XNACK); with
    /// `force` it may be an entry that is not pending. Whether it is so now; `None` if there is no such group.
    pub fn release(&mut self, group: &[u8], id: Id, count: Recount, force: bool) -> Option<bool> {
        let exists = || self.get(id).is_some();
        let before = self.groups.get(group)?.nack(id).map(|(nack, _)| nack.count);
        if before.is_none() && !(force && exists()) {
            return Some(false);
        }
        let before = before.unwrap_or(0);
        let count = match count {
            Recount::Less => before.saturating_sub(1),
            Recount::Same => before,
            Recount::To(count) => count,
        };
        self.groups.get_mut(group)?.release(id, count);
        Some(true)
    }

    /// The entries of some IDs that exist, for replies.
    pub fn entries<'a>(&'a self, ids: &'a [Id]) -> impl Iterator<Item = Entry<'a>> {
        ids.iter().filter_map(|&id| self.get(id))
    }
}

#[cfg(test)]
mod tests;
