//! Whether a concurrent history can be explained by one order of its calls that respects real time.
//!
//! The search is that of Wing and Gong (Testing and Verifying Concurrent Objects, 1993) with Lowe's memory of
//! what has been tried (Testing for Linearizability, 2017): calls are taken one by one among those that no
//! other call precedes in time; a set of taken calls with the state it led to is tried once. Calls on keys that
//! no call connects are independent, so each such group is searched alone.
mod model;
pub mod record;

use std::collections::{BTreeMap, HashMap, HashSet};

pub use model::{State, Step, Value};

use crate::reply::Reply;

/// What a client called, when, and what it got. Times are nanoseconds on one clock for all clients.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who called.
    pub client: usize,
    /// Not after the call was sent.
    pub called_ns: u64,
    /// Not before its reply was read.
    pub returned_ns: u64,
    /// What was done, in one atomic step.
    pub steps: Vec<Step>,
    /// The replies of the steps.
    pub replies: Vec<Reply>,
}

/// The calls of a group of keys that no order explains.
#[derive(Debug)]
pub struct Violation {
    /// The calls, as they were made.
    pub calls: Vec<Call>,
    /// The longest order that explains some of them: places in `calls`.
    pub explained: Vec<usize>,
}

/// Checks a history that began with an empty data set.
///
/// # Errors
/// A group of calls that no order explains.
pub fn check(history: &[Call]) -> Result<(), Box<Violation>> {
    for group in groups(history) {
        if let Err(explained) = Search::new(&group).run() {
            let calls = group.into_iter().cloned().collect();
            return Err(Box::new(Violation { calls, explained }));
        }
    }
    Ok(())
}

/// The calls by the groups of keys that they connect.
fn groups(history: &[Call]) -> Vec<Vec<&Call>> {
    let mut parents: HashMap<&str, &str> = HashMap::new();
    fn root<'a>(parents: &mut HashMap<&'a str, &'a str>, key: &'a str) -> &'a str {
        let parent = *parents.entry(key).or_insert(key);
        if parent == key {
            return key;
        }
        let top = root(parents, parent);
        parents.insert(key, top);
        top
    }
    let keys_of = |call: &Call| call.steps.iter().flat_map(Step::keys).count();
    for call in history {
        let mut keys = call.steps.iter().flat_map(Step::keys);
        let Some(first) = keys.next() else { continue };
        let first = root(&mut parents, first);
        for key in keys {
            let other = root(&mut parents, key);
            parents.insert(other, first);
        }
    }
    let mut groups: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in history.iter().filter(|call| keys_of(call) > 0) {
        if let Some(key) = call.steps.iter().flat_map(Step::keys).next() {
            groups.entry(root(&mut parents, key)).or_default().push(call);
        }
    }
    groups.into_values().collect()
}

/// The end of the list.
const NONE: usize = usize::MAX;

/// A call's beginning or end in the order of time; a doubly linked list, so that a call that has been taken is out
/// of the way and can be put back.
struct Event {
    call: usize,
    /// The place of the call's end, for its beginning.
    end: Option<usize>,
    before: usize,
    after: usize,
}

struct Search<'a> {
    calls: &'a [&'a Call],
    /// The last event is the head of the list.
    events: Vec<Event>,
    taken: Vec<u64>,
    tried: HashSet<(Vec<u64>, State)>,
}

impl<'a> Search<'a> {
    fn new(calls: &'a [&'a Call]) -> Self {
        let mut times: Vec<(u64, bool, usize)> = Vec::with_capacity(calls.len() * 2);
        for (number, call) in calls.iter().enumerate() {
            times.push((call.called_ns, false, number));
            times.push((call.returned_ns, true, number));
        }
        // Of events at one time beginnings come first: such calls overlap.
        times.sort_unstable();
        let mut ends = vec![0; calls.len()];
        for (place, (_, is_end, call)) in times.iter().enumerate() {
            if *is_end {
                ends[*call] = place;
            }
        }
        let head = times.len();
        let mut events: Vec<Event> = times
            .iter()
            .enumerate()
            .map(|(place, (_, is_end, call))| Event {
                call: *call,
                end: (!is_end).then(|| ends[*call]),
                before: place.checked_sub(1).unwrap_or(head),
                after: if place + 1 < head { place + 1 } else { NONE },
            })
            .collect();
        let first = if head > 0 { 0 } else { NONE };
        events.push(Event { call: NONE, end: None, before: NONE, after: first });
        let taken = vec![0; calls.len().div_ceil(64)];
        Self { calls, events, taken, tried: HashSet::new() }
    }

    /// Searches an order.
    ///
    /// # Errors
    /// The longest that was found, when none has all calls.
    fn run(mut self) -> Result<(), Vec<usize>> {
        let head = self.events.len() - 1;
        let mut state = State::default();
        let mut order: Vec<(usize, State)> = Vec::new();
        let mut longest = Vec::new();
        let mut at = self.events[head].after;
        while self.events[head].after != NONE {
            let call = self.events[at].call;
            if let Some(end) = self.events[at].end {
                let next = state.after(self.calls[call]);
                let next = next.filter(|next| self.is_new(call, next));
                let Some(next) = next else {
                    at = self.events[at].after;
                    continue;
                };
                self.flip(call);
                order.push((at, std::mem::replace(&mut state, next)));
                if order.len() > longest.len() {
                    longest = order.iter().map(|(at, _)| self.events[*at].call).collect();
                }
                self.take(at);
                self.take(end);
                at = self.events[head].after;
            } else {
                // What has ended must have been taken by now: the last choice was wrong.
                let Some((place, before)) = order.pop() else { return Err(longest) };
                let event = &self.events[place];
                let (call, end) = (event.call, event.end);
                state = before;
                self.flip(call);
                end.into_iter().for_each(|end| self.put_back(end));
                self.put_back(place);
                at = self.events[place].after;
            }
        }
        Ok(())
    }

    fn is_new(&mut self, call: usize, state: &State) -> bool {
        let mut taken = self.taken.clone();
        taken[call / 64] ^= 1 << (call % 64);
        self.tried.insert((taken, state.clone()))
    }

    fn flip(&mut self, call: usize) {
        self.taken[call / 64] ^= 1 << (call % 64);
    }

    fn take(&mut self, place: usize) {
        let (before, after) = (self.events[place].before, self.events[place].after);
        self.events[before].after = after;
        if after != NONE {
            self.events[after].before = before;
        }
    }

    fn put_back(&mut self, place: usize) {
        let (before, after) = (self.events[place].before, self.events[place].after);
        self.events[before].after = place;
        if after != NONE {
            self.events[after].before = place;
        }
    }
}
