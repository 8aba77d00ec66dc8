//! Conditional puts of one database.

use keyspace::{Db, Deadline, Digits, Key, Payload, Put};

const NOW_MS: i64 = 1_000;

fn put(db: &mut Db, text: &[u8], deadline: Deadline, admits: bool) -> (Put, Option<Vec<u8>>) {
    let mut seen = None;
    let put = db.put_if(Key::new(b"k"), NOW_MS, Payload::string(text), deadline, 0, |entry| {
        let mut digits = Digits::new();
        seen = entry.and_then(|entry| entry.value().text(&mut digits).map(<[u8]>::to_vec));
        admits
    });
    (put, seen)
}

fn held(db: &Db) -> Option<(Vec<u8>, Option<i64>)> {
    let entry = db.get(Key::new(b"k"))?;
    let mut digits = Digits::new();
    Some((entry.value().text(&mut digits)?.to_vec(), entry.deadline_ms()))
}

#[test]
fn nothing_is_stored_unless_admitted() {
    let mut db = Db::new(0);
    let (done, seen) = put(&mut db, b"a", Deadline::None, false);
    assert!(!done.stored && !done.created && seen.is_none());
    assert_eq!(held(&db), None);

    assert!(put(&mut db, b"a", Deadline::At(5_000), true).0.created);
    let (done, seen) = put(&mut db, b"12", Deadline::None, false);
    assert!(!done.stored);
    assert_eq!(seen.as_deref(), Some(&b"a"[..]));
    assert_eq!(held(&db), Some((b"a".to_vec(), Some(5_000))));
}

#[test]
fn a_deadline_is_set_kept_or_dropped() {
    let mut db = Db::new(0);
    for (deadline, expected) in [
        (Deadline::Keep, None),
        (Deadline::At(5_000), Some(5_000)),
        (Deadline::Keep, Some(5_000)),
        (Deadline::At(9_000), Some(9_000)),
        (Deadline::None, None),
        (Deadline::Keep, None),
    ] {
        let (done, _) = put(&mut db, b"some text", deadline, true);
        assert!(done.stored);
        assert_eq!(held(&db), Some((b"some text".to_vec(), expected)));
        assert_eq!(db.volatile(), usize::from(expected.is_some()));
    }
}

#[test]
fn an_entry_whose_time_has_come_counts_as_absent() {
    let mut db = Db::new(0);
    put(&mut db, b"old", Deadline::At(NOW_MS), true);
    let (done, seen) = put(&mut db, b"new", Deadline::Keep, true);
    assert!(done.created && done.expired.is_some() && seen.is_none());
    assert_eq!(held(&db), Some((b"new".to_vec(), None)));
    assert_eq!((db.len(), db.volatile()), (1, 0));
}
