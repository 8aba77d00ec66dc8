#![no_main]

#[path = "../bodies/payload.rs"]
mod payload;

libfuzzer_sys::fuzz_target!(|input: &[u8]| payload::payload(input));
