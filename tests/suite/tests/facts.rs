//! COMMAND INFO and COMMAND DOCS say of every command what the reference says.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use suite::client::Client;
use suite::facts;
use suite::reply::Reply;
use suite::server::{Program, Server};

/// Lines of `facts.txt`: command and fact.
fn listed() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("facts.txt");
    let text = std::fs::read_to_string(path).expect("facts.txt");
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let mut word = || words.next().unwrap_or_default().to_owned();
            (word(), word())
        })
        .collect()
}

fn check(protocol: u8) {
    let Some(reference) = Program::reference() else {
        println!("no redis-server on PATH: nothing to compare with");
        return;
    };
    let tested = Program::tested().expect("a server to test");
    let facts_of = |program: &Program| {
        let server = Server::start(program, &[]).expect("the server starts");
        let mut client = Client::connect(server.addr(), protocol).expect("a connection");
        facts::of(&mut client).expect("COMMAND is answered as documented")
    };
    let (ours, theirs) = (facts_of(&tested), facts_of(&reference));
    let found = facts::differences(&ours, &theirs);
    let listed = listed();
    let is_listed = |difference: &str| {
        listed.iter().any(|(command, fact)| {
            difference == format!("{command} {fact}")
                || (command == "*" && difference.ends_with(&format!(" {fact}")))
        })
    };
    let unlisted: Vec<String> = found
        .iter()
        .filter(|(difference, _)| !is_listed(difference))
        .map(|(difference, (ours, theirs))| format!("{difference}\n  {ours}\n  not {theirs}"))
        .collect();
    let stale: Vec<String> = listed
        .iter()
        .filter(|(command, _)| ours.contains_key(command) && theirs.contains_key(command))
        .map(|(command, fact)| format!("{command} {fact}"))
        .filter(|difference| !found.contains_key(difference))
        .collect();
    assert!(stale.is_empty(), "no longer different, so strike from facts.txt: {stale:?}");
    assert!(unlisted.is_empty(), "{} facts differ:\n{}", unlisted.len(), unlisted.join("\n"));
}

#[test]
fn commands_are_described_as_the_reference_does_in_resp2() {
    check(2);
}

#[test]
fn commands_are_described_as_the_reference_does_in_resp3() {
    check(3);
}

/// The members of every category, as ACL CAT lists them.
fn categories_of(program: &Program) -> BTreeMap<String, BTreeSet<String>> {
    let server = Server::start(program, &[]).expect("the server starts");
    let mut client = Client::connect(server.addr(), 2).expect("a connection");
    let mut names = |words: &[&str]| -> BTreeSet<String> {
        let reply = client.call(words).expect("ACL CAT is answered");
        let Reply::Array(names) = reply else { panic!("{words:?}: no array") };
        names.iter().map(text).collect()
    };
    let categories = names(&["ACL", "CAT"]);
    categories.into_iter().map(|name| (name.clone(), names(&["ACL", "CAT", &name]))).collect()
}

fn text(reply: &Reply) -> String {
    match reply {
        Reply::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
        other => panic!("{other:?} is no name"),
    }
}

#[test]
fn categories_have_the_members_that_they_have_in_the_reference() {
    let Some(reference) = Program::reference() else { return };
    let ours = categories_of(&Program::tested().expect("a server to test"));
    let theirs = categories_of(&reference);
    assert!(ours.keys().eq(theirs.keys()), "{:?} are not {:?}", ours.keys(), theirs.keys());
    let all = |categories: &BTreeMap<String, BTreeSet<String>>| -> BTreeSet<String> {
        categories.values().flatten().cloned().collect()
    };
    let common: BTreeSet<String> = &all(&ours) & &all(&theirs);
    for (category, members) in &ours {
        let theirs = theirs.get(category).map(|theirs| theirs & &common).unwrap_or_default();
        assert_eq!(members & &common, theirs, "@{category}");
    }
}
