#![no_main]

#[path = "../bodies/acl_rules.rs"]
mod acl_rules;

libfuzzer_sys::fuzz_target!(|input: &[u8]| acl_rules::acl_rules(input));
