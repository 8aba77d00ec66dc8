use std::collections::HashSet;

use super::*;
use crate::value::Value;
use crate::{Config, Status};

#[test]
fn names_and_aliases_are_unique_and_in_lower_case() {
    let mut seen = HashSet::new();
    for option in all() {
        for name in std::iter::once(&option.name).chain(option.aliases) {
            assert!(seen.insert(*name), "{name} twice");
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase()
                    || byte.is_ascii_digit()
                    || matches!(byte, b'-' | b'_')),
                "{name}"
            );
        }
    }
}

#[test]
fn a_name_is_found_in_any_case_and_by_its_aliases() {
    assert_eq!(find(b"MaxMemory").unwrap().name, "maxmemory");
    assert_eq!(find(b"slave-read-only").unwrap().name, "replica-read-only");
    assert!(find(b"maxmemory ").is_none());
}

#[test]
fn documentation_is_one_sentence_or_more() {
    for option in all() {
        assert!(option.doc.ends_with('.') && option.doc.len() > 10, "{}", option.name);
        assert!(!option.doc.contains('\n'), "{}", option.name);
    }
}

/// Values at the ends of what a kind accepts.
fn extremes(kind: &Kind) -> Vec<Value> {
    match *kind {
        Kind::Bool(_) => vec![Value::Bool(true), Value::Bool(false)],
        Kind::Int { min, max, .. } | Kind::Memory { min, max, .. } => {
            vec![Value::Int(min), Value::Int(max)]
        }
        Kind::MemoryOrPercent { max } => vec![Value::Int(-100), Value::Int(0), Value::Int(max)],
        Kind::Octal { max } => vec![Value::Int(0), Value::Int(max)],
        Kind::Word { words, .. } => words.iter().map(|word| Value::Word(word)).collect(),
        ref kind => vec![kind.default_value()],
    }
}

#[test]
fn every_value_that_a_kind_accepts_fits_the_field() {
    for option in all() {
        let mut config = Config::default();
        assert_eq!(option.value(&config), option.kind.default_value(), "{}", option.name);
        for value in extremes(&option.kind) {
            assert!(option.put(&mut config, value.clone()), "{}: {value:?}", option.name);
            assert_eq!(option.value(&config), value, "{}", option.name);
        }
    }
}

#[test]
fn defaults_are_within_bounds_and_pass_their_checks() {
    for option in all() {
        if let Kind::Int { min, max, default } | Kind::Memory { min, max, default } = option.kind {
            assert!((min..=max).contains(&default), "{}", option.name);
        }
        if let Kind::Word { words, default, same } = option.kind {
            assert!(words.contains(&default), "{}", option.name);
            assert!(same.iter().all(|(_, meant)| words.contains(meant)), "{}", option.name);
        }
        let default = option.kind.default_value();
        assert!(option.check.is_none_or(|check| check(&default, true).is_ok()), "{}", option.name);
    }
}

#[test]
fn an_option_that_works_has_a_field() {
    for option in all().filter(|option| option.status == Status::Works) {
        assert!(matches!(option.slot, crate::value::Slot::Field { .. }), "{}", option.name);
    }
}
