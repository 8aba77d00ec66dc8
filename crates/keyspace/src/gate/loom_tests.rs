//! All interleavings (up to the bound on preemptions) of small cases. `gate.rs` says how to run
//! them. Loom reports a lost wake-up as a deadlock, and broken exclusion as a race on [`Guarded`].

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::*;

/// What participants read while inside and closers write while the gate is closed.
struct Guarded(UnsafeCell<u32>);

// SAFETY: this is what the tests prove: loom checks every access for races.
unsafe impl Sync for Guarded {}
// SAFETY: a number may be sent.
unsafe impl Send for Guarded {}

#[derive(Clone)]
struct Case {
    gate: Gate,
    guarded: Arc<Guarded>,
}

impl Case {
    fn new() -> Self {
        Self { gate: Gate::new(), guarded: Arc::new(Guarded(UnsafeCell::new(0))) }
    }

    /// SAFETY of the access: a participant that is inside; loom verifies it.
    fn read(&self) -> u32 {
        // SAFETY: inside the gate, so nobody writes.
        self.guarded.0.with(|value| unsafe { *value })
    }

    fn pass(&self, slot: &GateSlot) {
        slot.enter();
        self.read();
        slot.leave();
    }

    fn close_and_write(&self) {
        let closed = self.gate.close();
        // SAFETY: the gate is closed, so nobody else reads or writes.
        self.guarded.0.with_mut(|value| unsafe { *value += 1 });
        drop(closed);
    }

    fn spawn(&self, run: impl FnOnce(Self) + 'static) -> thread::JoinHandle<()> {
        let case = self.clone();
        thread::spawn(move || run(case))
    }

    fn participant(&self, rounds: usize) -> thread::JoinHandle<()> {
        let slot = self.gate.register();
        self.spawn(move |case| (0..rounds).for_each(|_| case.pass(&slot)))
    }
}

#[test]
fn a_participant_and_a_closer_exclude_each_other_and_both_come_through() {
    loom::model(|| {
        let case = Case::new();
        let participant = case.participant(2);
        case.close_and_write();
        participant.join().unwrap();
    });
}

#[test]
fn two_participants_and_a_closer() {
    loom::model(|| {
        let case = Case::new();
        let participants = [case.participant(1), case.participant(1)];
        case.close_and_write();
        participants.into_iter().for_each(|participant| participant.join().unwrap());
    });
}

#[test]
fn two_closers_exclude_each_other_and_the_participant() {
    loom::model(|| {
        let case = Case::new();
        let participant = case.participant(1);
        let closer = case.spawn(|case| case.close_and_write());
        case.close_and_write();
        closer.join().unwrap();
        participant.join().unwrap();
        let slot = case.gate.register();
        slot.enter();
        assert_eq!(case.read(), 2);
    });
}

#[test]
fn one_closer_twice() {
    loom::model(|| {
        let case = Case::new();
        let participant = case.participant(1);
        case.close_and_write();
        case.close_and_write();
        participant.join().unwrap();
    });
}

#[test]
fn a_participant_may_register_and_go_at_any_time() {
    loom::model(|| {
        let case = Case::new();
        let late = case.spawn(|case| {
            let slot = case.gate.register();
            case.pass(&slot);
        });
        case.close_and_write();
        late.join().unwrap();
    });
}

#[test]
fn dropping_a_slot_that_is_inside_wakes_the_closer() {
    loom::model(|| {
        let case = Case::new();
        let slot = case.gate.register();
        slot.enter();
        let dropper = case.spawn(move |case| {
            case.read();
            drop(slot);
        });
        case.close_and_write();
        dropper.join().unwrap();
    });
}

#[test]
fn a_participant_that_closes_leaves_first_and_meets_another_that_does_the_same() {
    loom::model(|| {
        let case = Case::new();
        let worker = |case: Case| {
            let slot = case.gate.register();
            slot.enter();
            case.read();
            slot.leave();
            case.close_and_write();
        };
        let other = case.spawn(worker);
        worker(case);
        other.join().unwrap();
    });
}
