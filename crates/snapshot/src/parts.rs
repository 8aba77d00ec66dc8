//! Large values, some elements at a time: no lock is held for long, and no more than some elements are in memory twice.
//!
//! When a large value is seen (`Witness::see`), only what stands before its elements is encoded. From then on the value
//! shows its elements (`value::cut`): those that the walk fetches, between others' commands, and those that somebody
//! is about to change, which wait here for the walk. Where the value lies, or that nobody has it any more, it tells too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use keyspace::{EntryMut, Key, Value};
use table::lock::Mutex;
use value::Object;
use value::cut::{Element, Scribe};

use crate::encode::Encode;
use crate::take::{Progress, Shards};

/// Elements looked at under one lock: some tens of microseconds.
const ELEMENTS_PER_LOCK: usize = 128;

/// A value that is written in parts.
pub(crate) struct Parts {
    encode: Arc<dyn Encode>,
    progress: Arc<Progress>,
    /// The database, by its number at the cut.
    pub(crate) database: usize,
    /// What stands before the elements.
    pub(crate) head: Vec<u8>,
    /// Elements at the cut.
    count: usize,
    state: Mutex<State>,
}

struct State {
    /// The physical database and the key.
    place: (usize, Box<[u8]>),
    /// Elements that have been shown.
    taken: Taken,
    /// What is left of the value when nobody else has it.
    rest: Option<Object>,
}

/// Elements, encoded, before they are handed out.
#[derive(Default)]
struct Taken {
    /// How many they were from the beginning on.
    count: usize,
    bytes: Vec<u8>,
    /// Those that come in an order, which wait for one before them.
    waiting: BTreeMap<u32, Vec<u8>>,
    /// How many of these were handed out.
    handed_out: u32,
}

impl Taken {
    fn take(&mut self, element: Element<'_>, encode: &dyn Encode) {
        let Some(parts) = encode.parts() else { return };
        self.count += 1;
        match element {
            Element::Node(turn, _) => parts.element(element, self.waiting.entry(turn).or_default()),
            _ => parts.element(element, &mut self.bytes),
        }
    }

    /// Adds elements that others have not taken.
    fn add(&mut self, mut more: Self) -> &mut Self {
        self.count += more.count;
        self.bytes.append(&mut more.bytes);
        self.waiting.append(&mut more.waiting);
        self
    }

    /// Hands out what can be.
    fn hand_out(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.bytes);
        while let Some(bytes) = self.waiting.remove(&(self.handed_out + 1)) {
            self.handed_out += 1;
            out.extend_from_slice(&bytes);
        }
    }
}

/// What came of a step.
#[derive(PartialEq, Eq)]
pub(crate) enum Step {
    /// There is more.
    More,
    /// The value is on its way to another key, or to be dropped.
    Away,
    /// All elements have been shown.
    Done,
}

impl Parts {
    /// Makes this moment the one as of which an entry's value is written in parts; `None` if it is to be written whole.
    /// The entry lies in a physical database, whose number is `number`.
    pub(crate) fn begin(
        encode: &Arc<dyn Encode>,
        progress: &Arc<Progress>,
        (physical, number): (usize, usize),
        entry: &mut EntryMut<'_>,
    ) -> Option<Arc<Self>> {
        let Value::Object(object) = entry.value() else { return None };
        let in_parts = encode.parts().filter(|_| object.has_parts())?;
        let mut head = Vec::new();
        in_parts.head(**entry, object, &mut head);
        let place = (physical, entry.key().into());
        let parts = Arc::new(Self {
            encode: Arc::clone(encode),
            progress: Arc::clone(progress),
            database: number,
            head,
            count: object.parts(),
            state: Mutex::new(State { place, taken: Taken::default(), rest: None }),
        });
        entry.object_mut()?.begin_cut(Arc::clone(&parts) as Arc<dyn Scribe>);
        Some(parts)
    }

    /// Appends some more elements.
    pub(crate) fn step(self: &Arc<Self>, shards: &mut impl Shards, out: &mut Vec<u8>) -> Step {
        // Others have elements to show meanwhile, so the lock is not held.
        let mut taken = Taken::default();
        let mut show = |element: Element<'_>| taken.take(element, &*self.encode);
        let rest = self.state.lock().rest.take();
        let step = match rest {
            Some(mut rest) => {
                let is_done = rest.view_mut().show_some(ELEMENTS_PER_LOCK, &mut show);
                self.state.lock().rest = Some(rest).filter(|_| !is_done);
                if is_done { Step::Done } else { Step::More }
            }
            None => self.step_in_place(shards, &mut show),
        };
        self.state.lock().taken.add(taken).hand_out(out);
        step
    }

    fn step_in_place(
        self: &Arc<Self>,
        shards: &mut impl Shards,
        show: &mut dyn FnMut(Element<'_>),
    ) -> Step {
        let (physical, key) = self.state.lock().place.clone();
        let key = Key::new(&key);
        shards.visit(key.hash().shard(), |shard| {
            let Some(entry) = shard.db_mut(physical).get_mut(key) else { return Step::Away };
            let scribe = match entry.value() {
                Value::Object(object) => object.scribe(),
                _ => None,
            };
            if !scribe.is_some_and(|own| std::ptr::addr_eq(Arc::as_ptr(&own), Arc::as_ptr(self))) {
                return Step::Away;
            }
            let Some(value) = entry.into_object_mut() else { return Step::Away };
            if value.show_some(ELEMENTS_PER_LOCK, show) { Step::Done } else { Step::More }
        })
    }

    /// Whether as many elements have been shown as there were.
    pub(crate) fn is_whole(&self) -> bool {
        let state = self.state.lock();
        state.taken.count == self.count && state.taken.waiting.is_empty()
    }
}

impl Scribe for Parts {
    fn see(&self, element: Element<'_>) -> bool {
        if self.progress.given_up.load(Ordering::Acquire) {
            return false;
        }
        self.state.lock().taken.take(element, &*self.encode);
        true
    }

    fn placed(&self, database: usize, key: &[u8]) {
        self.state.lock().place = (database, key.into());
    }

    fn inherit(&self, rest: Object) {
        if !self.progress.given_up.load(Ordering::Acquire) {
            self.state.lock().rest = Some(rest);
        }
    }
}
