//! What stands in the append-only file behind every write: as `redis-server` writes it.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use suite::client::Client;
use suite::effects::{self, Case};
use suite::reply::{Parts, Reply};
use suite::server::{Program, Server};

fn differences(program: &Program, cases: &[&Case]) -> Vec<String> {
    let found = effects::effects_of(program, cases).expect("the cases run");
    let mut failures = Vec::new();
    for (case, found) in cases.iter().zip(found) {
        let found: Vec<String> = found.into_iter().map(|(_, words)| words).collect();
        let expected = case.expected();
        if found != expected {
            failures.push(format!(
                "{}: {}\n  expected\n    {}\n  found\n    {}",
                case.line,
                case.title,
                expected.join("\n    "),
                found.join("\n    ")
            ));
        }
    }
    failures
}

#[test]
fn every_write_is_logged_as_the_cases_say() {
    let cases = effects::load().expect("the cases can be read");
    let tested = Program::tested().expect("there is a server");
    let failures = differences(&tested, &cases.iter().collect::<Vec<_>>());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_reference_logs_as_the_cases_say() {
    let Some(reference) = Program::reference() else { return };
    let cases = effects::load().expect("the cases can be read");
    let known: Vec<&Case> = cases.iter().filter(|case| case.not_on_reference.is_none()).collect();
    let failures = differences(&reference, &known);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_write_has_a_case() {
    let tested = Program::tested().expect("there is a server");
    let server = Server::start(&tested, &[]).expect("it starts");
    let mut client = Client::connect(server.addr(), 2).expect("it accepts");
    let mut writes = BTreeSet::new();
    collect(&client.call(&["COMMAND"]).expect("it answers"), &mut writes);
    let cases = effects::load().expect("the cases can be read");
    let covered: BTreeSet<String> = cases.iter().flat_map(Case::commands).collect();
    let bare: Vec<&String> = writes.difference(&covered).collect();
    assert!(bare.is_empty(), "writes without a case in effects/cases.txt: {bare:?}");
}

fn collect(commands: &Reply, writes: &mut BTreeSet<String>) {
    for info in commands.as_elements().unwrap_or_default() {
        let fields = info.as_elements().unwrap_or_default();
        let name = fields.first().and_then(Parts::as_text).unwrap_or_default();
        let flags = fields.get(2).and_then(Reply::as_elements).unwrap_or_default();
        if flags.iter().any(|flag| flag.as_text().as_deref() == Some("write")) {
            writes.insert(name.to_lowercase());
        }
        if let Some(subcommands) = fields.get(9) {
            collect(subcommands, writes);
        }
    }
}
