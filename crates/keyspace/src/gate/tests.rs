use std::sync::atomic::AtomicU64;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use super::*;

#[test]
fn an_open_gate_lets_everyone_in_together() {
    let gate = Gate::new();
    let slots = [gate.register(), gate.register()];
    slots.iter().for_each(GateSlot::enter);
    assert!(slots.iter().all(GateSlot::is_inside));
    slots.iter().for_each(GateSlot::leave);
    drop(gate.close());
    slots.iter().for_each(GateSlot::enter);
}

#[test]
fn who_comes_to_a_closed_gate_waits_until_it_opens() {
    let gate = Gate::new();
    let closed = gate.close();
    let slot = gate.register();
    let (inside, is_inside) = channel();
    let waiter = thread::spawn(move || {
        slot.enter();
        inside.send(()).unwrap();
        slot.leave();
    });
    assert!(is_inside.recv_timeout(Duration::from_millis(20)).is_err());
    drop(closed);
    is_inside.recv_timeout(Duration::from_secs(10)).unwrap();
    waiter.join().unwrap();
}

#[test]
fn participants_and_closers_never_overlap_under_load() {
    let gate = Gate::new();
    let (inside, done) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let slot = gate.register();
                    for _ in 0..100 {
                        slot.enter();
                        inside.fetch_add(1, Ordering::Relaxed);
                        inside.fetch_sub(1, Ordering::Relaxed);
                        slot.leave();
                    }
                }
            });
        }
        let closers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let _closed = gate.close();
                        assert_eq!(inside.fetch_add(1000, Ordering::Relaxed), 0);
                        inside.fetch_sub(1000, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        closers.into_iter().for_each(|closer| closer.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
#[ignore = "a measurement: prints the cost of passing the open gate and of closing it"]
fn cost() {
    let gate = Gate::new();
    let slots: Vec<_> = (0..16).map(|_| gate.register()).collect();
    let rounds = 10_000_000;
    let start = Instant::now();
    for _ in 0..rounds {
        slots[0].enter();
        slots[0].leave();
    }
    println!("enter and leave: {:?}", start.elapsed() / rounds);
    let start = Instant::now();
    (0..rounds / 10).for_each(|_| drop(gate.close()));
    println!("close and open, 16 idle participants: {:?}", start.elapsed() / (rounds / 10));
}
