#![no_main]

#[path = "../bodies/glob.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|input: &[u8]| body::glob(input));
