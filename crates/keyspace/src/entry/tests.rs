use proptest::prelude::*;

use super::*;

fn bytes(value: Value<'_>) -> Vec<u8> {
    match value {
        Value::Bytes(bytes) => bytes.to_vec(),
        Value::Int(number) => number.to_string().into_bytes(),
        Value::Object(Object::String(bytes)) => bytes.clone(),
        Value::Object(_) => unreachable!("only strings here"),
    }
}

proptest! {
    #[test]
    fn an_entry_gives_back_what_it_was_made_of(
        key in prop::collection::vec(any::<u8>(), 0..600),
        text in prop::collection::vec(any::<u8>(), 0..6000),
        deadline in prop::option::of(i64::MIN + 1..=i64::MAX),
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
        deadline in prop::option::of(0..i64::MAX - 1),
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
fn integers_take_eight_bytes() {
    let entry = Entry::new(b"k", Payload::string(b"-9223372036854775808"), None, 0);
    assert!(matches!(entry.view().value(), Value::Int(i64::MIN)));
    assert_eq!(entry.view().block_bytes(), 16);
}
