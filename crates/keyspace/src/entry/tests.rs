use proptest::prelude::*;

use value::ObjectRef;

use super::*;

fn bytes(value: Value<'_>) -> Vec<u8> {
    match value {
        Value::Bytes(bytes) => bytes.to_vec(),
        Value::Int(number) => number.to_string().into_bytes(),
        Value::Object(ObjectRef::String(bytes)) => bytes.clone(),
        Value::Object(_) => unreachable!("only strings here"),
    }
}

fn deadlines() -> impl Strategy<Value = Option<i64>> {
    let near = -2_i64..=2;
    prop_oneof![
        Just(None),
        (i64::MIN + 1..=i64::MAX).prop_map(Some),
        (0..1_i64 << 44).prop_map(Some),
        (near, 0..3_usize).prop_map(|(by, which)| Some(by + [0, 1 << 44, i64::MAX - 2][which])),
    ]
}

proptest! {
    #[test]
    fn integers_and_deadlines_change_in_place_or_not_at_all(
        key in prop::collection::vec(any::<u8>(), 0..300),
        numbers in prop::collection::vec((any::<i64>(), 0..64_u32), 2),
        first in deadlines(),
        second in deadlines(),
    ) {
        let [old, new] = [0, 1].map(|at: usize| numbers[at].0 >> numbers[at].1);
        let block = Entry::new(&key, Payload::Int(old), first, 7).into_raw();
        // SAFETY: the block is referred to from here alone.
        let mut entry = unsafe { EntryMut::from_raw(block) };
        let (set, moved) = (entry.overwrite(&Payload::Int(new)), entry.set_deadline(second));
        // SAFETY: as above; `entry` is not used again.
        let owned = unsafe { Entry::from_raw(block) };
        let entry = owned.view();
        let expected = if set { new } else { old };
        prop_assert!(matches!(entry.value(), Value::Int(number) if number == expected));
        prop_assert_eq!(entry.deadline_ms(), if moved { second } else { first });
        prop_assert!(moved || second.is_some());
        prop_assert_eq!(entry.key(), &key[..]);
        let owned = owned.with_deadline(second);
        prop_assert_eq!(owned.view().deadline_ms(), second);
    }

    #[test]
    fn an_entry_gives_back_what_it_was_made_of(
        key in prop::collection::vec(any::<u8>(), 0..600),
        text in prop::collection::vec(any::<u8>(), 0..6000),
        deadline in deadlines(),
        access in 0..1u32 << 24,
    ) {
        let entry = Entry::new(&key, Payload::Bytes(&text), deadline, access);
        let entry = entry.view();
        prop_assert_eq!(entry.key(), &key[..]);
        prop_assert_eq!(bytes(entry.value()), text);
        prop_assert_eq!(entry.deadline_ms(), deadline);
        prop_assert_eq!(entry.access(), access);
    }

    #[test]
    fn overwriting_in_place_changes_the_value_only(
        key in prop::collection::vec(any::<u8>(), 0..300),
        first in prop::collection::vec(any::<u8>(), 0..600),
        second in prop::collection::vec(any::<u8>(), 0..600),
        deadline in deadlines(),
    ) {
        let block = Entry::new(&key, Payload::Bytes(&first), deadline, 7).into_raw();
        // SAFETY: the block is referred to from here alone.
        let mut entry = unsafe { EntryMut::from_raw(block) };
        let done = entry.overwrite(&Payload::Bytes(&second));
        // SAFETY: as above; `entry` is not used again.
        let owned = unsafe { Entry::from_raw(block) };
        let entry = owned.view();
        prop_assert_eq!(bytes(entry.value()), if done { second } else { first });
        prop_assert_eq!(entry.key(), &key[..]);
        prop_assert_eq!(entry.deadline_ms(), deadline);
    }
}

#[test]
fn integers_take_as_many_bytes_as_they_need() {
    let bytes = |text: &[u8]| {
        let entry = Entry::new(b"k", Payload::string(text), None, 0);
        assert_eq!(super::tests::bytes(entry.view().value()), text);
        entry.view().shape().value_len
    };
    let short = [("0", 1), ("-1", 1), ("127", 1), ("128", 2), ("-128", 1), ("-129", 2)];
    for (text, len) in short.into_iter().chain([("1000000000", 4), ("2147483648", 5)]) {
        assert_eq!(bytes(text.as_bytes()), len, "{text}");
    }
    assert_eq!(bytes(i64::MIN.to_string().as_bytes()), 8);
}
