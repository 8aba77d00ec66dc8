#![no_main]

#[path = "../bodies/encrypted.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|input: &[u8]| body::encrypted(input));
