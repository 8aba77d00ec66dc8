use std::sync::Arc;

use proptest::prelude::*;

use crate::{Effect, Group, Log, Merger, Recorder, Sink, Targets};

#[derive(Default)]
struct Kept(Vec<(u64, usize, Vec<u8>)>);

impl Sink for Kept {
    /// Keeps every command by itself, and by its number: of several commands together each has its own.
    fn take(&mut self, effect: Effect<'_>) {
        let is_start = |at: &usize| effect.bytes[*at] == b'*';
        let starts: Vec<usize> = (0..effect.bytes.len()).filter(is_start).collect();
        let ends = starts.iter().skip(1).copied().chain([effect.bytes.len()]);
        for (index, (start, end)) in starts.iter().zip(ends).enumerate() {
            let seq = effect.seq + 1 + index as u64 - starts.len() as u64;
            self.0.push((seq, effect.database, effect.bytes[*start..end].to_vec()));
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &[u8]> {
    text.split(' ').map(str::as_bytes)
}

fn one(recorder: &Recorder, text: &str) {
    recorder.record_one(0, Targets::all(), text.split(' ').count(), words(text), 0);
}

#[test]
fn a_command_is_encoded_as_an_array_of_its_words() {
    let log = Arc::new(Log::default());
    let recorder = Recorder::new(&log);
    one(&recorder, "SET k value");
    recorder.publish();
    let mut kept = Kept::default();
    Merger::new(log).merge(u64::MAX, &mut kept);
    assert_eq!(kept.0, [(1, 0, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n".to_vec())]);
}

#[test]
fn several_effects_of_a_group_become_a_transaction() {
    let log = Arc::new(Log::default());
    let recorder = Recorder::new(&log);
    let mut group = Group::default();
    group.push(3, Targets::all(), 2, words("DEL a"));
    group.push(5, Targets::all(), 2, words("DEL b"));
    recorder.record(&mut group, 0);
    recorder.publish();
    let mut kept = Kept::default();
    Merger::new(log).merge(u64::MAX, &mut kept);
    let databases: Vec<usize> = kept.0.iter().map(|one| one.1).collect();
    assert_eq!(databases, [3, 3, 5, 5]);
    assert_eq!(kept.0[0].2, b"*1\r\n$5\r\nMULTI\r\n");
    assert_eq!(kept.0[3].2, b"*1\r\n$4\r\nEXEC\r\n");
}

#[test]
fn what_comes_behind_a_number_not_handed_over_waits_for_it() {
    let log = Arc::new(Log::default());
    let (first, second) = (Recorder::new(&log), Recorder::new(&log));
    one(&first, "SET a 1");
    one(&second, "SET a 2");
    second.publish();
    let mut merger = Merger::new(log);
    let mut kept = Kept::default();
    merger.merge(u64::MAX, &mut kept);
    assert_eq!((kept.0.len(), merger.merged()), (0, 0));
    first.publish();
    merger.merge(u64::MAX, &mut kept);
    assert_eq!((kept.0.len(), merger.merged()), (2, 2));
}

#[test]
fn merging_stops_at_the_number_asked_for() {
    let log = Arc::new(Log::default());
    let recorder = Recorder::new(&log);
    (0..10).for_each(|_| one(&recorder, "PING"));
    recorder.publish();
    let mut merger = Merger::new(log);
    let mut kept = Kept::default();
    merger.merge(4, &mut kept);
    assert_eq!((kept.0.len(), merger.merged()), (4, 4));
    merger.merge(u64::MAX, &mut kept);
    assert_eq!((kept.0.len(), merger.merged()), (10, 10));
}

#[test]
fn what_goes_together_is_given_together_and_nothing_else_is() {
    #[derive(Default)]
    struct Taken(Vec<(u64, usize, usize)>);
    impl Sink for Taken {
        fn take(&mut self, effect: Effect<'_>) {
            self.0.push((effect.seq, effect.database, effect.bytes.len()));
        }
    }
    let log = Arc::new(Log::default());
    let recorder = Recorder::new(&log);
    let mut group = Group::default();
    (0..5).for_each(|_| one(&recorder, "PING"));
    recorder.record_one(3, Targets::all(), 1, words("PING"), 0);
    recorder.record_one(3, Targets::AOF, 1, words("PING"), 0);
    recorder.record_one(3, Targets::AOF, 1, words("PING"), 1000);
    (0..2).for_each(|_| group.push(3, Targets::AOF, 1, words("PING")));
    recorder.record(&mut group, 1000);
    (0..2000).for_each(|_| recorder.record_one(3, Targets::AOF, 1, words("PING"), 1000));
    recorder.publish();
    let mut merger = Merger::new(log);
    let mut taken = Taken::default();
    merger.merge(3, &mut taken);
    assert_eq!(taken.0, [(3, 0, 3 * 14)], "not behind the number asked for");
    merger.merge(u64::MAX, &mut taken);
    let firsts = [(5, 0, 28), (6, 3, 14), (7, 3, 14), (8, 3, 14)];
    let transaction = [(9, 3, 15), (9, 3, 14), (9, 3, 14), (9, 3, 14)];
    assert_eq!(taken.0[1..9], [firsts, transaction].concat());
    let rest: Vec<_> = taken.0[9..].iter().map(|one| one.2).collect();
    assert_eq!(rest, [1170 * 14, 830 * 14], "at most 16 KiB");
    assert_eq!(merger.merged(), 2009);
}

#[test]
fn threads_that_record_under_a_lock_come_out_in_the_locks_order() {
    const EACH: usize = 2000;
    let log = Arc::new(Log::default());
    let state = Arc::new(parking_lot::Mutex::new(0u64));
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let (log, state) = (Arc::clone(&log), Arc::clone(&state));
            std::thread::spawn(move || {
                let recorder = Recorder::new(&log);
                for turn in 0..EACH {
                    let mut state = state.lock();
                    *state += 1;
                    one(&recorder, &format!("SET k {}", *state));
                    drop(state);
                    if turn % (number + 3) == 0 {
                        recorder.publish();
                    }
                }
            })
        })
        .collect();
    let mut merger = Merger::new(Arc::clone(&log));
    let mut kept = Kept::default();
    let mut posts = 0;
    while merger.merged() < 4 * EACH as u64 {
        log.sleep(posts, std::time::Duration::from_secs(5));
        posts = log.posts();
        merger.merge(u64::MAX, &mut kept);
    }
    threads.into_iter().for_each(|thread| thread.join().expect("the thread ends well"));
    for (index, (seq, _, bytes)) in kept.0.iter().enumerate() {
        assert_eq!(*seq, index as u64 + 1);
        let number = (index + 1).to_string();
        assert!(bytes.ends_with(format!("${}\r\n{number}\r\n", number.len()).as_bytes()));
    }
}

/// What one thread does next.
#[derive(Clone, Debug)]
enum Step {
    One,
    Group(u8),
    Publish,
    Merge,
}

proptest! {
    #[test]
    fn whatever_the_threads_do_the_order_is_that_of_the_numbers_and_nothing_is_lost(
        steps in prop::collection::vec(
            (0..3usize, prop_oneof![
                4 => Just(Step::One),
                1 => (1..4u8).prop_map(Step::Group),
                2 => Just(Step::Publish),
                1 => Just(Step::Merge),
            ]),
            0..200,
        )
    ) {
        let log = Arc::new(Log::default());
        let recorders: Vec<Recorder> = (0..3).map(|_| Recorder::new(&log)).collect();
        let mut merger = Merger::new(Arc::clone(&log));
        let mut kept = Kept::default();
        let mut expected = Vec::new();
        for (index, (thread, step)) in steps.iter().enumerate() {
            let recorder = &recorders[*thread];
            match step {
                Step::One => {
                    one(recorder, &format!("SET k {index}"));
                    expected.push(1);
                }
                Step::Group(size) => {
                    let mut group = Group::default();
                    for part in 0..*size {
                        let text = format!("SET k {index}:{part}");
                        group.push(usize::from(part), Targets::all(), 3, words(&text));
                    }
                    recorder.record(&mut group, 0);
                    expected.push(usize::from(if *size > 1 { size + 2 } else { 1 }));
                }
                Step::Publish => recorder.publish(),
                Step::Merge => merger.merge(u64::MAX, &mut kept),
            }
        }
        drop(recorders);
        merger.merge(u64::MAX, &mut kept);
        let mut found = vec![0; expected.len()];
        let mut last = 0;
        for (seq, _, _) in &kept.0 {
            prop_assert!(*seq >= last);
            last = *seq;
            found[*seq as usize - 1] += 1;
        }
        prop_assert_eq!(found, expected);
    }
}
