//! What COMMAND INFO and COMMAND DOCS say of the commands that two servers both have.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::client::Client;
use crate::reply::{Parts, Reply};

/// A command's facts as text, by the name of the fact. Facts without order are sorted.
pub type Facts = BTreeMap<&'static str, String>;

/// The facts of all commands that a server tells, by full name.
///
/// # Errors
/// When a reply has not the shape that Redis gives it.
pub fn of(client: &mut Client) -> Result<BTreeMap<String, Facts>> {
    let mut all = BTreeMap::new();
    let infos = client.call(&["COMMAND", "INFO"])?;
    for info in infos.as_elements().context("COMMAND INFO answers an array")? {
        collect_info(info, &mut all)?;
    }
    let docs = client.call(&["COMMAND", "DOCS"])?;
    collect_docs(&docs, &mut all)?;
    Ok(all)
}

/// What differs between two servers: `command fact`, and what either says.
pub fn differences(
    tested: &BTreeMap<String, Facts>,
    reference: &BTreeMap<String, Facts>,
) -> BTreeMap<String, (String, String)> {
    let mut found = BTreeMap::new();
    for (name, ours) in tested {
        let Some(theirs) = reference.get(name) else { continue };
        let facts: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        for fact in facts {
            let text = |facts: &Facts| facts.get(*fact).cloned().unwrap_or_default();
            let (ours, theirs) = (text(ours), text(theirs));
            if ours != theirs {
                found.insert(format!("{name} {fact}"), (ours, theirs));
            }
        }
    }
    found
}

fn collect_info(info: &Reply, all: &mut BTreeMap<String, Facts>) -> Result<()> {
    const NAMES: [&str; 10] = [
        "name",
        "arity",
        "flags",
        "first-key",
        "last-key",
        "key-step",
        "categories",
        "tips",
        "key-specs",
        "subcommands",
    ];
    let fields = info.as_elements().context("a command's description is an array")?;
    let name = fields.first().and_then(Parts::as_text).context("its first element is its name")?;
    let mut facts = Facts::new();
    for (fact, value) in NAMES.into_iter().zip(fields).take(9) {
        let text = match fact {
            // Specifications have an order: arguments refer to them by number.
            "key-specs" => shape(value, false),
            _ => shape(value, true),
        };
        facts.insert(fact, text);
    }
    all.entry(name).or_default().extend(facts);
    for sub in fields.get(9).and_then(Reply::as_elements).unwrap_or_default() {
        collect_info(sub, all)?;
    }
    Ok(())
}

/// What Redis remarks on some key specifications, for people.
const NOTES: &str = "notes";

fn is_text(reply: &Reply, text: &str) -> bool {
    reply.as_bytes().is_some_and(|bytes| bytes == text.as_bytes())
}

/// A reply as text: its type, and what is in it, with the elements of sets sorted.
fn shape(reply: &Reply, sort: bool) -> String {
    let list = |mark: &str, items: &[Reply], sort: bool| {
        let mut texts: Vec<String> = items.iter().map(|item| shape(item, true)).collect();
        if sort {
            texts.sort();
        }
        format!("{mark}[{}]", texts.join(" "))
    };
    match reply {
        Reply::Set(items) => list("~", items, sort),
        // In RESP2 sets are arrays; only those of status lines are known to be sets.
        Reply::Array(items) if items.first().is_some_and(|item| is_text(item, NOTES)) => {
            shape(&Reply::Array(items.get(2..).unwrap_or_default().to_vec()), sort)
        }
        Reply::Array(items) => {
            let is_set = items.iter().all(|item| matches!(item, Reply::Simple(_)));
            list("", items, sort && is_set)
        }
        Reply::Map(pairs) => {
            let mut texts: Vec<String> = pairs
                .iter()
                .map(|(key, value)| (shape(key, true), value))
                .filter(|(key, _)| key != NOTES)
                .map(|(key, value)| format!("{key}={}", shape(value, true)))
                .collect();
            texts.sort();
            format!("{{{}}}", texts.join(" "))
        }
        Reply::Integer(number) => number.to_string(),
        Reply::Simple(text) => format!("+{}", String::from_utf8_lossy(text)),
        Reply::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
        other => format!("{other:?}"),
    }
}

/// Keys and values of a map in either protocol.
fn pairs(reply: &Reply) -> Vec<(String, &Reply)> {
    let text = |key: &Reply| key.as_text().unwrap_or_default();
    match reply {
        Reply::Map(pairs) => pairs.iter().map(|(key, value)| (text(key), value)).collect(),
        Reply::Array(items) => {
            items.chunks_exact(2).map(|pair| (text(&pair[0]), &pair[1])).collect()
        }
        _ => Vec::new(),
    }
}

fn collect_docs(docs: &Reply, all: &mut BTreeMap<String, Facts>) -> Result<()> {
    for (name, doc) in pairs(docs) {
        let facts = all.entry(name).or_default();
        for fact in ["since", "group", "doc_flags", "deprecated_since"] {
            if let Some(value) = doc.field(fact) {
                facts.insert(fact, shape(value, true));
            }
        }
        // Texts are each server's own: here it counts that there are any.
        for fact in ["summary", "replaced_by"] {
            facts.insert(fact, doc.field(fact).is_some().to_string());
        }
        let history = doc.field("history").and_then(Reply::as_elements).unwrap_or_default();
        let mut versions: Vec<String> = history
            .iter()
            .filter_map(|entry| entry.as_elements()?.first().and_then(Parts::as_text))
            .collect();
        versions.sort();
        facts.insert("history", versions.join(" "));
        let arguments = doc.field("arguments").and_then(Reply::as_elements).unwrap_or_default();
        facts.insert("arguments", arguments.iter().map(argument).collect::<Vec<_>>().join(" "));
        if let Some(subcommands) = doc.field("subcommands") {
            collect_docs(subcommands, all)?;
        }
    }
    Ok(())
}

/// The structure of an argument: what a client has to send, whatever documentation calls its parts.
fn argument(arg: &Reply) -> String {
    let text = |name: &str| arg.field(name).and_then(Parts::as_text);
    let mut out = text("type").unwrap_or_default();
    if let Some(token) = text("token") {
        out = format!("{token:?}:{out}");
    }
    if let Some(index) = arg.field("key_spec_index").and_then(Reply::as_i64) {
        out.push_str(&format!("#{index}"));
    }
    if let Some(flags) = arg.field("flags") {
        out.push_str(&shape(flags, true));
    }
    if let Some(inner) = arg.field("arguments").and_then(Reply::as_elements) {
        let inner: Vec<String> = inner.iter().map(argument).collect();
        out.push_str(&format!("({})", inner.join(" ")));
    }
    out
}
