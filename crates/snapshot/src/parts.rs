//! Large values, some elements at a time: no lock is held for long, and no more than some elements are in memory twice.
//!
//! When a large value is seen (`Witness::see`), only what stands before its elements is encoded. From then on the value
//! shows its elements (`value::cut`): those that the walk fetches, between others' commands, and those that somebody
//! is about to change, which wait here for the walk. Where the value lies, or that nobody has it any more, it tells too.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use keyspace::{EntryMut, Key, Value};
use parking_lot::Mutex;
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
    /// Elements that were about to change, encoded.
    bytes: Vec<u8>,
    /// How many elements have been shown.
    shown: usize,
    /// What is left of the value when nobody else has it.
    rest: Option<Object>,
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
            count: object.elements(),
            state: Mutex::new(State { place, bytes: Vec::new(), shown: 0, rest: None }),
        });
        entry.object_mut()?.begin_cut(Arc::clone(&parts) as Arc<dyn Scribe>);
        Some(parts)
    }

    fn encode(&self, element: Element<'_>, out: &mut Vec<u8>) {
        if let Some(parts) = self.encode.parts() {
            parts.element(element, out);
        }
    }

    /// Appends some more elements.
    pub(crate) fn step(self: &Arc<Self>, shards: &mut impl Shards, out: &mut Vec<u8>) -> Step {
        let mut shown = 0;
        let mut show = |element: Element<'_>| {
            shown += 1;
            self.encode(element, out);
        };
        let rest = self.state.lock().rest.take();
        let step = match rest {
            Some(mut rest) => {
                let is_done = rest.view_mut().show_some(ELEMENTS_PER_LOCK, &mut show);
                self.state.lock().rest = Some(rest).filter(|_| !is_done);
                if is_done { Step::Done } else { Step::More }
            }
            None => self.step_in_place(shards, &mut show),
        };
        let mut state = self.state.lock();
        state.shown += shown;
        out.append(&mut state.bytes);
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
            let entry = shard.db_mut(physical).get_mut(key);
            let Some(value) = entry.and_then(EntryMut::into_object_mut) else { return Step::Away };
            match value.scribe() {
                Some(scribe) if std::ptr::addr_eq(Arc::as_ptr(&scribe), Arc::as_ptr(self)) => {}
                _ => return Step::Away,
            }
            if value.show_some(ELEMENTS_PER_LOCK, show) { Step::Done } else { Step::More }
        })
    }

    /// Whether as many elements have been shown as there were.
    pub(crate) fn is_whole(&self) -> bool {
        self.state.lock().shown == self.count
    }
}

impl Scribe for Parts {
    fn see(&self, element: Element<'_>) -> bool {
        if self.progress.given_up.load(Ordering::Acquire) {
            return false;
        }
        let mut state = self.state.lock();
        state.shown += 1;
        self.encode(element, &mut state.bytes);
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
