//! What the server says about its commands (COMMAND DOCS): all that help, hints and completion know.

use crate::session::Session;
use resp::Value;

/// One argument, which may stand for several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Argument {
    pub name: String,
    pub kind: Kind,
    /// The word that precedes the value, or is all there is.
    pub token: Option<String>,
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// Each repetition begins with the token.
    pub multiple_token: bool,
    /// The parts of a block or the choices of a [`Kind::OneOf`].
    pub children: Vec<Argument>,
}

/// The shapes of arguments that matter here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// A word of the user's.
    #[default]
    Value,
    /// The token alone.
    PureToken,
    /// One of the children.
    OneOf,
    /// All of the children.
    Block,
}

/// One command or subcommand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// In capitals: `GET`, `CONFIG SET`.
    pub name: String,
    pub summary: String,
    pub since: Option<String>,
    pub group: String,
    pub arguments: Vec<Argument>,
}

/// All commands, sorted by name.
#[derive(Debug, Default)]
pub struct Catalog {
    pub entries: Vec<Entry>,
    /// The groups' names, sorted.
    pub groups: Vec<String>,
}

impl Catalog {
    /// Asks the server; empty when there is none or when it does not know.
    pub fn fetch(session: &mut Session) -> Self {
        let Some(connection) = session.connection() else { return Self::default() };
        let reply = connection.call(&["COMMAND", "DOCS"]);
        reply.map(|reply| Self::read(&reply)).unwrap_or_default()
    }

    /// Reads the reply to COMMAND DOCS, of either protocol.
    pub fn read(reply: &Value) -> Self {
        let mut catalog = Self::default();
        for (name, docs) in pairs(reply) {
            catalog.add(&text(name).to_uppercase(), docs);
        }
        catalog.entries.sort_by(|a, b| a.name.cmp(&b.name));
        catalog.groups = catalog.entries.iter().map(|entry| entry.group.clone()).collect();
        catalog.groups.sort();
        catalog.groups.dedup();
        catalog
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry whose name takes up the most words at the start of a line, and how many.
    pub fn lookup(&self, words: &[String]) -> Option<(&Entry, usize)> {
        (1..=words.len().min(2)).rev().find_map(|count| {
            let name = words.get(..count)?.join(" ").to_uppercase();
            let index = self.entries.binary_search_by(|entry| entry.name.cmp(&name)).ok()?;
            Some((self.entries.get(index)?, count))
        })
    }

    fn add(&mut self, name: &str, docs: &Value) {
        let mut entry = Entry { name: name.to_string(), ..Entry::default() };
        for (field, value) in pairs(docs) {
            match text(field).as_str() {
                "summary" => entry.summary = text(value),
                "since" => entry.since = Some(text(value)),
                "group" => entry.group = text(value),
                "arguments" => entry.arguments = arguments(value),
                "subcommands" => {
                    for (full, docs) in pairs(value) {
                        let full = text(full).to_uppercase();
                        let sub = full.rsplit('|').next().unwrap_or_default();
                        self.add(&format!("{name} {sub}"), docs);
                    }
                }
                _ => {}
            }
        }
        self.entries.push(entry);
    }
}

impl Argument {
    /// How help shows it: `[EX seconds|PX milliseconds]`, `key [key ...]`.
    pub fn usage(&self) -> String {
        let token = self.token.as_deref().map(shown_token).unwrap_or_default();
        let body = match self.kind {
            Kind::Value => self.name.clone(),
            Kind::PureToken => String::new(),
            Kind::OneOf => usages(&self.children, "|"),
            Kind::Block => usages(&self.children, " "),
        };
        let head = if token.is_empty() || body.is_empty() { token } else { format!("{token} ") };
        let mut out = format!("{head}{body}");
        if self.multiple {
            let head = if self.multiple_token { head.as_str() } else { "" };
            out.push_str(&format!(" [{head}{body} ...]"));
        }
        if self.optional { format!("[{out}]") } else { out }
    }
}

/// The usages of arguments with a separator between them.
pub fn usages(arguments: &[Argument], separator: &str) -> String {
    arguments.iter().map(Argument::usage).collect::<Vec<_>>().join(separator)
}

fn shown_token(token: &str) -> String {
    if token.is_empty() { "\"\"".into() } else { token.into() }
}

fn arguments(value: &Value) -> Vec<Argument> {
    value.as_elements().unwrap_or_default().iter().map(argument).collect()
}

fn argument(value: &Value) -> Argument {
    let mut argument = Argument::default();
    for (field, value) in pairs(value) {
        match text(field).as_str() {
            "name" => argument.name = text(value),
            "token" => argument.token = Some(text(value)),
            "type" => {
                argument.kind = match text(value).as_str() {
                    "pure-token" => Kind::PureToken,
                    "oneof" => Kind::OneOf,
                    "block" => Kind::Block,
                    _ => Kind::Value,
                }
            }
            "arguments" => argument.children = arguments(value),
            "flags" => {
                for flag in value.as_elements().unwrap_or_default() {
                    match text(flag).as_str() {
                        "optional" => argument.optional = true,
                        "multiple" => argument.multiple = true,
                        "multiple_token" => argument.multiple_token = true,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    argument
}

/// The pairs of a map, which RESP2 sends as a flat array.
fn pairs(value: &Value) -> Vec<(&Value, &Value)> {
    match value {
        Value::Map(pairs) => pairs.iter().map(|(key, value)| (key, value)).collect(),
        other => {
            let items = other.as_elements().unwrap_or_default();
            items.chunks_exact(2).filter_map(|pair| Some((pair.first()?, pair.get(1)?))).collect()
        }
    }
}

fn text(value: &Value) -> String {
    String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned()
}
