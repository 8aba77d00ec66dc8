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
use value::stream::Id;

use crate::encode::{Encode, Form, Frame, Run};
use crate::take::{Progress, Shards};

/// Elements looked at under one lock: some tens of microseconds.
const ELEMENTS_PER_LOCK: usize = 128;

/// A value that is written in parts.
pub(crate) struct Parts {
    form: Box<dyn Form>,
    progress: Arc<Progress>,
    /// The database, by its number at the cut.
    pub(crate) database: usize,
    /// What stands behind the elements.
    tail: Vec<u8>,
    /// Elements at the cut.
    count: usize,
    state: Mutex<State>,
}

struct State {
    /// The physical database and the key.
    place: (usize, Box<[u8]>),
    /// What stands before the elements, until it is handed out.
    head: Option<Vec<u8>>,
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
    run: Run,
    /// Deadlines of members.
    deadlines: Run,
    /// Elements that come in an order, which wait for those before them.
    waiting: BTreeMap<Place, Run>,
    /// How many nodes were handed out.
    nodes: u32,
    /// The block to which the walk has come.
    block: Option<Id>,
}

/// Where an element stands among those of its value.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Node(u32),
    Block(Id),
}

impl Taken {
    fn take(&mut self, element: Element<'_>, form: &dyn Form) {
        let run = match element {
            Element::Deadline(..) => return form.element(element, &mut self.deadlines),
            Element::Node(turn, _) => self.waiting.entry(Place::Node(turn)).or_default(),
            Element::Block(first, _) => self.waiting.entry(Place::Block(first)).or_default(),
            _ => &mut self.run,
        };
        self.count += 1;
        form.element(element, run);
    }

    /// The same by the walk.
    fn take_in_walk(&mut self, element: Element<'_>, form: &dyn Form) {
        if let Element::Block(first, _) = element {
            self.block = Some(first);
        }
        self.take(element, form);
    }

    /// Adds elements that the walk has taken.
    fn add(&mut self, mut more: Self) {
        self.count += more.count;
        self.run.append(more.run);
        self.deadlines.append(more.deadlines);
        self.waiting.append(&mut more.waiting);
        self.block = more.block.or(self.block);
    }

    /// Hands out deadlines, if there are any.
    fn hand_out_deadlines(&mut self, form: &dyn Form, out: &mut Vec<u8>) {
        if !self.deadlines.bytes.is_empty() {
            form.hand_out_deadlines(std::mem::take(&mut self.deadlines), out);
        }
    }

    /// Hands out what can be, all of it at the end.
    fn hand_out(&mut self, is_done: bool, form: &dyn Form, out: &mut Vec<u8>) {
        let mut run = std::mem::take(&mut self.run);
        while let Some(first) = self.waiting.first_entry()
            && match first.key() {
                _ if is_done => true,
                Place::Node(turn) => *turn == self.nodes + 1,
                Place::Block(first) => Some(*first) <= self.block,
            }
        {
            self.nodes += 1;
            run.append(first.remove());
        }
        if !run.bytes.is_empty() || !run.after.is_empty() {
            form.hand_out(run, out);
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
        if !object.has_parts() {
            return None;
        }
        let Frame { head, tail, form } = encode.frame(**entry, object);
        let place = (physical, entry.key().into());
        let parts = Arc::new(Self {
            form,
            progress: Arc::clone(progress),
            database: number,
            tail,
            count: object.parts(),
            state: Mutex::new(State {
                place,
                head: Some(head),
                taken: Taken::default(),
                rest: None,
            }),
        });
        entry.object_mut()?.begin_cut(Arc::clone(&parts) as Arc<dyn Scribe>);
        Some(parts)
    }

    /// Appends some more elements, and what stands around them.
    pub(crate) fn step(self: &Arc<Self>, shards: &mut impl Shards, out: &mut Vec<u8>) -> Step {
        // Others have elements to show meanwhile, so the lock is not held.
        let mut taken = Taken::default();
        let mut show = |element: Element<'_>| taken.take_in_walk(element, &*self.form);
        let rest = self.state.lock().rest.take();
        let step = match rest {
            Some(mut rest) => {
                let is_done = rest.view_mut().show_some(ELEMENTS_PER_LOCK, &mut show);
                self.state.lock().rest = Some(rest).filter(|_| !is_done);
                if is_done { Step::Done } else { Step::More }
            }
            None => self.step_in_place(shards, &mut show),
        };
        let is_done = step == Step::Done;
        // Deadlines come before all elements that the walk is shown.
        let has_deadlines = taken.count > 0 || is_done;
        let mut state = self.state.lock();
        state.taken.add(taken);
        if self.form.has_deadlines_first() {
            state.taken.hand_out_deadlines(&*self.form, out);
        }
        if has_deadlines && let Some(mut head) = state.head.take() {
            out.append(&mut head);
        }
        if state.head.is_none() {
            state.taken.hand_out(is_done, &*self.form, out);
        }
        if is_done {
            state.taken.hand_out_deadlines(&*self.form, out);
            out.extend_from_slice(&self.tail);
        }
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
        self.state.lock().taken.count == self.count
    }
}

impl Scribe for Parts {
    fn see(&self, element: Element<'_>) -> bool {
        if self.progress.given_up.load(Ordering::Acquire) {
            return false;
        }
        self.state.lock().taken.take(element, &*self.form);
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
