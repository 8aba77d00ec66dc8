//! Concurrent histories are linearizable, and the checker rejects those that are not.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use suite::journal::number_from;
use suite::linear::record::{Load, record};
use suite::linear::{Call, Step, check};
use suite::reply::Reply;
use suite::server::{Program, Server};

const LOAD: Load = Load { clients: 6, batches: 250, groups: 3, seed: 1 };

fn history(program: &Program, workers: Option<usize>, seed: u64) -> Vec<Call> {
    let workers =
        workers.map(|count| vec!["--workers".to_owned(), count.to_string()]).unwrap_or_default();
    let server = Server::start(program, &workers).unwrap();
    record(server.addr(), Load { seed, ..LOAD }).unwrap()
}

fn explain(history: &[Call]) {
    if let Err(violation) = check(history) {
        let mut calls: Vec<(bool, &Call)> = violation
            .calls
            .iter()
            .enumerate()
            .map(|(number, call)| (violation.explained.contains(&number), call))
            .collect();
        calls.sort_by_key(|(_, call)| call.called_ns);
        for (is_explained, call) in calls.iter().filter(|(explained, _)| !explained).take(20) {
            println!("{is_explained} {call:?}");
        }
        panic!("{} of {} calls explained", violation.explained.len(), violation.calls.len());
    }
}

#[test]
fn what_clients_of_several_workers_see_has_one_order() {
    let first = number_from("SUITE_SEED", 1);
    for seed in first..first + number_from("SUITE_HISTORIES", 3) {
        let workers = if seed % 3 == 0 { 4 } else { 2 };
        explain(&history(&Program::tested().unwrap(), Some(workers), seed));
    }
}

#[test]
fn the_reference_passes_too() {
    if let Some(program) = Program::reference() {
        explain(&history(&program, None, 4));
    }
}

/// A call from `called_ns` to `returned_ns` with one step.
fn call(called_ns: u64, returned_ns: u64, step: Step, reply: Reply) -> Call {
    Call { client: 0, called_ns, returned_ns, steps: vec![step], replies: vec![reply] }
}

fn key(name: &str) -> String {
    name.to_owned()
}

fn ok() -> Reply {
    Reply::Simple(b"OK".to_vec())
}

fn bulk(text: &str) -> Reply {
    Reply::Bulk(text.into())
}

#[test]
fn a_lost_update_is_rejected() {
    let twice = [
        call(0, 10, Step::Incr(key("n")), Reply::Integer(1)),
        call(0, 10, Step::Incr(key("n")), Reply::Integer(1)),
    ];
    assert!(check(&twice).is_err());
}

#[test]
fn a_stale_read_is_rejected_and_an_overlapping_one_is_not() {
    let set = call(0, 10, Step::Set(key("t"), key("new")), ok());
    let stale = call(11, 12, Step::Get(key("t")), Reply::NullBulk);
    assert!(check(&[set.clone(), stale]).is_err());
    let overlapping = call(5, 12, Step::Get(key("t")), Reply::NullBulk);
    assert!(check(&[set.clone(), overlapping.clone()]).is_ok());
    // Once the new value has been seen, nobody sees the old one.
    let seen = call(1, 3, Step::Get(key("t")), bulk("new"));
    assert!(check(&[set, seen, overlapping]).is_err());
}

#[test]
fn a_transaction_seen_in_part_is_rejected() {
    let both = Call {
        client: 0,
        called_ns: 0,
        returned_ns: 10,
        steps: vec![Step::Set(key("a"), key("1")), Step::Set(key("b"), key("1"))],
        replies: vec![ok(), ok()],
    };
    let part = Call {
        client: 1,
        called_ns: 1,
        returned_ns: 9,
        steps: vec![Step::Get(key("a")), Step::Get(key("b"))],
        replies: vec![bulk("1"), Reply::NullBulk],
    };
    assert!(check(&[both, part]).is_err());
}

#[test]
fn an_item_moved_twice_is_rejected() {
    let push = call(0, 1, Step::Push(key("l"), key("x")), Reply::Integer(1));
    let moved = |to: &str| call(2, 9, Step::Move(key("l"), key(to)), bulk("x"));
    assert!(check(&[push.clone(), moved("m")]).is_ok());
    assert!(check(&[push, moved("m"), moved("o")]).is_err());
}

/// A real history in which one reply is another's.
#[test]
fn a_history_with_one_false_reply_is_rejected() {
    let mut history = history(&Program::tested().unwrap(), Some(2), 5);
    assert!(check(&history).is_ok());
    let is_increment = |call: &Call| matches!(call.steps[..], [Step::Incr(_)]);
    let places: Vec<usize> =
        (0..history.len()).filter(|place| is_increment(&history[*place])).collect();
    let falsified = places[places.len() / 2];
    let number = history[falsified].replies[0].as_i64().unwrap();
    history[falsified].replies[0] = Reply::Integer(number - 1);
    assert!(check(&history).is_err());
}
