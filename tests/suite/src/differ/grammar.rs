//! What commands take, as `COMMAND DOCS` tells it.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::client::Client;
use crate::reply::{Parts, Reply};

/// A command (or subcommand) and its arguments.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Name in lower case; `container|sub` for a subcommand.
    pub name: String,
    /// Family, as `COMMAND DOCS` names it.
    pub group: String,
    /// Arguments in order.
    pub args: Vec<Arg>,
}

/// One argument.
#[derive(Clone, Debug)]
pub struct Arg {
    /// Its name in the documentation.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Word in front of it.
    pub token: Option<String>,
    /// May be left out.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// Each repetition has the word in front.
    pub multiple_token: bool,
    /// Parts of a block, or alternatives.
    pub children: Vec<Arg>,
}

/// Types of arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A key's name.
    Key,
    /// Free text.
    Text,
    /// A whole number.
    Integer,
    /// A floating-point number.
    Double,
    /// A glob.
    Pattern,
    /// A point in time.
    UnixTime,
    /// Only its word.
    Token,
    /// One of the children.
    OneOf,
    /// All of the children.
    Block,
}

/// Reads every command's arguments from a RESP3 connection.
///
/// # Errors
/// When `COMMAND DOCS` is not answered as documented.
pub fn read(client: &mut Client) -> Result<Vec<Spec>> {
    let Reply::Map(docs) = client.call(&["COMMAND", "DOCS"])? else {
        anyhow::bail!("COMMAND DOCS answers a map under RESP3");
    };
    let mut specs = Vec::new();
    for (name, doc) in &docs {
        let name = name.as_text().context("a command's name")?;
        match doc.field("subcommands") {
            Some(Reply::Map(subs)) => {
                for (sub, doc) in subs {
                    specs.push(spec(&sub.as_text().context("a subcommand's name")?, doc)?);
                }
            }
            _ => specs.push(spec(&name, doc)?),
        }
    }
    specs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(specs)
}

/// Keeps the commands of `families` that `served` names and that no entry of [`SKIPPED`] excludes.
pub fn select(specs: Vec<Spec>, families: &[String], served: &BTreeSet<String>) -> Vec<Spec> {
    let wanted = |spec: &Spec| {
        families.iter().any(|f| {
            let database = f == "database" && DATABASE.contains(&spec.name.as_str());
            database || spec.group.replace('-', "_") == f.replace('-', "_")
        })
    };
    specs
        .into_iter()
        .filter(|s| wanted(s) && served.contains(&s.name))
        .filter(|s| !SKIPPED.iter().any(|(name, _)| *name == s.name))
        .filter(|s| !s.name.ends_with("|help"))
        .collect()
}

/// Commands of the family `database`.
const DATABASE: [&str; 4] = ["dbsize", "flushdb", "select", "swapdb"];

/// Commands that are never generated, and why.
pub const SKIPPED: [(&str, &str); 11] = [
    ("spop", "takes random members, so the data sets part"),
    ("migrate", "connects elsewhere"),
    ("wait", "waits for replicas"),
    ("waitaof", "waits for the disk"),
    ("randomkey", "random"),
    ("debug", "no interface to compare"),
    ("pfdebug", "no interface to compare"),
    ("pfselftest", "takes seconds"),
    ("restore-asking", "as RESTORE"),
    ("object|freq", "depends on time and chance"),
    ("object|idletime", "depends on time"),
];

fn spec(name: &str, doc: &Reply) -> Result<Spec> {
    let group = doc.field("group").and_then(Parts::as_text).unwrap_or_default();
    let args = doc.field("arguments").and_then(Reply::as_elements).unwrap_or_default();
    let args = args.iter().map(arg).collect::<Result<_>>().with_context(|| name.to_owned())?;
    Ok(Spec { name: name.to_lowercase(), group, args })
}

fn arg(doc: &Reply) -> Result<Arg> {
    let text = |field: &str| doc.field(field).and_then(Parts::as_text);
    let flags = doc.field("flags").and_then(Reply::as_elements).unwrap_or_default();
    let flag = |name: &str| flags.iter().any(|f| f.as_bytes() == Some(name.as_bytes()));
    let children = doc.field("arguments").and_then(Reply::as_elements).unwrap_or_default();
    let kind = match text("type").context("an argument's type")?.as_str() {
        "key" => Kind::Key,
        "integer" => Kind::Integer,
        "double" => Kind::Double,
        "pattern" => Kind::Pattern,
        "unix-time" => Kind::UnixTime,
        "pure-token" => Kind::Token,
        "oneof" => Kind::OneOf,
        "block" => Kind::Block,
        _ => Kind::Text,
    };
    Ok(Arg {
        name: text("name").context("an argument's name")?,
        kind,
        token: text("token"),
        optional: flag("optional"),
        multiple: flag("multiple"),
        multiple_token: flag("multiple_token"),
        children: children.iter().map(arg).collect::<Result<_>>()?,
    })
}
