#![no_main]

#[path = "../bodies/append_only.rs"]
mod append_only;

libfuzzer_sys::fuzz_target!(|input: &[u8]| append_only::append_only(input));
