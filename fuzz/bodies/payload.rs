//! Payloads of RESTORE: no bytes panic the reader, and a value that was read is written and read again as the same.

use rdb::{Limits, Value, View};

/// The newest version that is read, and a checksum of zero: none.
const FOOTER: [u8; 10] = [rdb::REDIS_VERSION_MAX as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// `input` is a type and a value.
pub fn payload(input: &[u8]) {
    let limits = Limits::default();
    let payload = [input, &FOOTER].concat();
    let _ = rdb::restore_functions(&payload, false);
    let Ok(value) = rdb::restore(&payload, &limits, false) else { return };
    let written = rdb::dump(view(&value), true);
    let again = rdb::restore(&written, &limits, true).expect("what is written can be read");
    assert_eq!(sorted(&rdb::dump(view(&again), false)), sorted(&rdb::dump(view(&value), false)));
}

fn view<'v>(value: &'v Value<'_>) -> View<'v> {
    match value {
        Value::Int(number) => View::Int(*number),
        Value::Bytes(bytes) => View::Bytes(bytes),
        Value::Object(object) => View::Object(object.view()),
    }
}

/// The bytes of a payload in order, without its checksum: members of tables have no place of their own.
fn sorted(payload: &[u8]) -> Vec<u8> {
    let mut bytes = payload[..payload.len() - 8].to_vec();
    bytes.sort_unstable();
    bytes
}
