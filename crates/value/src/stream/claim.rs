//! Deliveries that change hands.

use super::id::Id;
use super::{Entry, Stream};

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
            Some(nack) if now_ms.saturating_sub(nack.delivered_ms) < claim.min_idle_ms => {
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

    /// The entries of some IDs that exist, for replies.
    pub fn entries<'a>(&'a self, ids: &'a [Id]) -> impl Iterator<Item = Entry<'a>> {
        ids.iter().filter_map(|&id| self.get(id))
    }
}
