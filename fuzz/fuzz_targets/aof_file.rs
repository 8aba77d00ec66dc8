#![no_main]

#[path = "../bodies/aof_file.rs"]
mod aof_file;

libfuzzer_sys::fuzz_target!(|input: &[u8]| aof_file::aof_file(input));
