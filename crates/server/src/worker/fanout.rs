//! Messages on their way to a large audience.
//!
//! A message to thousands of subscribers takes as many system calls, which is milliseconds in which nobody else
//! is served. So a large audience is served a slice at a time, round and round, with a turn of the worker
//! between two slices: others do not wait, and what is published meanwhile joins the round. Whoever's turn comes
//! next gets all that was published since its last in one system call, so the more is published the less a
//! message costs. Each message ends where it came in, having met everybody once.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use pubsub::Delivery;

/// Subscribers that are served at a time: two hundred microseconds of system calls or so.
const SLICE: usize = 32;
/// Bytes in the round above which it is brought to its end before anything else is done: what is published
/// must not pile up for subscribers that it has not reached.
const FULL_BYTES: usize = 64 * 1024;

/// The round: messages that all go to the same subscribers.
#[derive(Default)]
pub(super) struct Fanout {
    /// Where each came in, as a place in the list of subscribers, in the order of publication.
    under_way: VecDeque<(usize, Delivery)>,
    /// The place in the list of subscribers where the next slice begins.
    place: usize,
    bytes: usize,
}

impl Fanout {
    /// Whether an audience is so large that its messages go round.
    pub fn is_for(delivery: &Delivery) -> bool {
        delivery.members.len() > SLICE
    }

    /// Whether nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Whether a message can join: it has the same audience as the others, and there is room.
    pub fn takes(&self, delivery: &Delivery) -> bool {
        let same = |(_, other): &(usize, Delivery)| Arc::ptr_eq(&other.members, &delivery.members);
        self.under_way.front().is_none_or(same) && self.bytes < FULL_BYTES
    }

    /// Lets a message join that this [takes](Self::takes).
    pub fn join(&mut self, delivery: Delivery) {
        if self.is_empty() {
            (self.place, self.bytes) = (0, 0);
        }
        self.bytes += delivery.bytes.len();
        self.under_way.push_back((self.place, delivery));
    }

    /// The messages under way, in their order.
    pub fn messages(&self) -> impl ExactSizeIterator<Item = &Delivery> + Clone {
        self.under_way.iter().map(|(_, delivery)| delivery)
    }

    /// The places of the subscribers who get all of these next.
    pub fn slice(&self) -> Range<usize> {
        self.place..self.audience().min(self.place + SLICE)
    }

    /// Goes on behind the slice, which has got them.
    pub fn advance(&mut self) {
        let end = self.slice().end;
        self.place = if end == self.audience() { 0 } else { end };
        while let Some((_, done)) = self.under_way.pop_front_if(|(start, _)| *start == self.place) {
            self.bytes -= done.bytes.len();
        }
    }

    fn audience(&self) -> usize {
        self.under_way.front().map_or(0, |(_, delivery)| delivery.members.len())
    }
}

#[cfg(test)]
mod tests {
    use pubsub::{Kind, Member};

    use super::*;

    fn delivery(members: &Arc<Vec<Member>>, text: &str) -> Delivery {
        Delivery {
            kind: Kind::Channel,
            topic: b"news"[..].into(),
            members: Arc::clone(members),
            bytes: text.as_bytes().into(),
        }
    }

    fn audience(size: u64) -> Arc<Vec<Member>> {
        Arc::new((0..size).map(|client| Member { place: client as usize, client }).collect())
    }

    #[test]
    fn everybody_gets_every_message_once_and_in_order_whenever_it_joins() {
        for size in [33, 64, 100] {
            let members = audience(size);
            let mut got = vec![String::new(); size as usize];
            let mut fanout = Fanout::default();
            for step in 0..40 {
                // Messages join in some turns, several at once in others.
                for number in 0..[1, 0, 0, 2, 0][step % 5] {
                    let one = delivery(&members, &format!("{step}.{number} "));
                    assert!(fanout.takes(&one));
                    fanout.join(one);
                }
                serve(&mut fanout, &mut got);
            }
            while !fanout.is_empty() {
                serve(&mut fanout, &mut got);
            }
            let all: String = (0..40)
                .flat_map(|step| {
                    (0..[1, 0, 0, 2, 0][step % 5]).map(move |n| format!("{step}.{n} "))
                })
                .collect();
            assert!(got.iter().all(|one| *one == all), "{size}: {got:?}");
            assert_eq!(fanout.bytes, 0);
        }
    }

    fn serve(fanout: &mut Fanout, got: &mut [String]) {
        for one in &mut got[fanout.slice()] {
            fanout.messages().for_each(|m| one.push_str(std::str::from_utf8(&m.bytes).unwrap()));
        }
        fanout.advance();
    }

    #[test]
    fn another_audience_and_too_much_to_send_do_not_join() {
        let members = audience(40);
        let mut fanout = Fanout::default();
        fanout.join(delivery(&members, "a"));
        assert!(fanout.takes(&delivery(&members, "b")));
        assert!(!fanout.takes(&delivery(&audience(40), "b")));
        fanout.join(delivery(&members, &"x".repeat(FULL_BYTES)));
        assert!(!fanout.takes(&delivery(&members, "b")));
    }
}
