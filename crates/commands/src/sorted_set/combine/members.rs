/// Members with scores, copied out of sets so that other sets can be read meanwhile.
#[derive(Debug, Default)]
pub struct Members {
    bytes: Vec<u8>,
    items: Vec<Item>,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    start: usize,
    len: usize,
    score: f64,
}

impl Item {
    fn bytes(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.start + self.len).unwrap_or_default()
    }
}

impl Members {
    pub fn with_capacity(members: usize) -> Self {
        Self { bytes: Vec::new(), items: Vec::with_capacity(members) }
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Appends a member and gives its place.
    pub fn push(&mut self, member: &[u8], score: f64) -> u32 {
        let place = self.items.len();
        self.items.push(Item { start: self.bytes.len(), len: member.len(), score });
        self.bytes.extend_from_slice(member);
        // 2^32 items of this size do not fit into the memory of today's machines.
        place as u32
    }

    /// The member at a place, with its score.
    pub fn get(&self, place: u32) -> (&[u8], f64) {
        match self.items.get(place as usize) {
            Some(item) => (item.bytes(&self.bytes), item.score),
            None => (&[], 0.0),
        }
    }

    pub fn set_score(&mut self, place: u32, score: f64) {
        if let Some(item) = self.items.get_mut(place as usize) {
            item.score = score;
        }
    }

    /// Keeps the members for which `f` gives a new score, and no more than `limit` of them.
    pub fn retain(&mut self, limit: usize, mut f: impl FnMut(&[u8], f64) -> Option<f64>) {
        let mut kept = 0;
        let bytes = &self.bytes;
        self.items.retain_mut(|item| {
            if kept >= limit {
                return false;
            }
            let Some(score) = f(item.bytes(bytes), item.score) else { return false };
            item.score = score;
            kept += 1;
            true
        });
    }

    /// Puts the members in the order of a sorted set.
    pub fn sort(&mut self) {
        let bytes = &self.bytes;
        let order = |a: &Item, b: &Item| {
            let by_score = a.score.partial_cmp(&b.score).unwrap_or(std::cmp::Ordering::Equal);
            by_score.then_with(|| a.bytes(bytes).cmp(b.bytes(bytes)))
        };
        if !self.items.is_sorted_by(|a, b| order(a, b).is_le()) {
            self.items.sort_unstable_by(order);
        }
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], f64)> {
        self.items.iter().map(|item| (item.bytes(&self.bytes), item.score))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_sort_by_score_and_then_by_bytes() {
        let mut members = Members::with_capacity(3);
        members.push(b"b", 1.0);
        members.push(b"a", 1.0);
        members.push(b"z", f64::NEG_INFINITY);
        members.sort();
        let sorted: Vec<_> = members.iter().collect();
        assert_eq!(sorted, [(&b"z"[..], f64::NEG_INFINITY), (b"a", 1.0), (b"b", 1.0)]);
    }

    #[test]
    fn retaining_stops_at_the_limit() {
        let mut members = Members::default();
        for name in [b"a", b"b", b"c"] {
            members.push(name, 1.0);
        }
        members.retain(1, |name, score| (name != b"a").then_some(score + 1.0));
        assert_eq!(members.iter().collect::<Vec<_>>(), [(&b"b"[..], 2.0)]);
    }
}
