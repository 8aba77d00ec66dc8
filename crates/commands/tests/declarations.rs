//! What every declaration of a command has to say, whatever the command.

use command::syntax::{self, Arg, ArgKind};
use command::{Spec, Table};

fn all() -> Vec<&'static Spec> {
    Table::new(commands::FAMILIES).all().iter().map(command::Command::spec).collect()
}

/// Reports all that `check` finds wrong, by command.
fn none_wrong(check: impl Fn(&'static Spec) -> Option<String>) {
    let wrong: Vec<String> = all()
        .into_iter()
        .filter_map(|spec| check(spec).map(|text| format!("{}: {text}", spec.full_name())))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_syntax_is_in_the_notation() {
    none_wrong(|spec| {
        let read = syntax::parse(spec.syntax, spec.keys.len());
        read.err().map(|error| format!("{error}: {}", spec.syntax))
    });
}

#[test]
fn keys_in_the_syntax_have_a_key_specification_each() {
    fn keys(args: &[Arg], found: &mut Vec<Option<usize>>) {
        for arg in args {
            match &arg.kind {
                ArgKind::Key => found.push(arg.key_spec),
                ArgKind::OneOf(inner) | ArgKind::Block(inner) => keys(inner, found),
                _ => {}
            }
        }
    }
    none_wrong(|spec| {
        let args = syntax::parse(spec.syntax, spec.keys.len()).ok()?;
        let mut found = Vec::new();
        keys(&args, &mut found);
        found
            .iter()
            .any(|key| key.is_none_or(|index| index >= spec.keys.len()))
            .then(|| format!("a key without a specification: {}", spec.syntax))
    });
}

#[test]
fn every_command_says_what_it_does_and_since_when() {
    none_wrong(|spec| {
        let missing = spec.summary.is_empty() || spec.since.is_empty() || spec.arity == 0;
        let is_lower = spec.name.bytes().all(|byte| !byte.is_ascii_uppercase());
        (missing || !is_lower).then(|| "summary, since, arity or a lower-case name".to_owned())
    });
}

#[test]
fn subcommands_name_their_container() {
    for spec in all() {
        for sub in spec.subcommands {
            assert_eq!(sub.container, Some(spec.name), "{}", sub.name);
            assert_eq!(sub.group, spec.group, "{}", sub.full_name());
        }
    }
}
