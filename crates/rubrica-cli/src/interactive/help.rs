//! `help`, `help <command>` and `help @<group>`.

use super::catalog::{Catalog, Entry, usages};

/// What `help` alone says.
pub fn general() -> String {
    format!(
        "rubrica-cli {}\n\
         help <command>    what a command does and takes\n\
         help @<group>     the commands of a group; <tab> after \"help @\" names the groups\n\
         :set hints        show a command's arguments while typing (:set nohints)\n\
         connect <host> <port>, clear, quit\n\
         <n> <command>     run a command n times\n\
         Preferences are read from ~/.rubricaclirc.\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Everything about the commands that begin with these words, or of the group after `@`.
pub fn about(catalog: &Catalog, topics: &[Vec<u8>]) -> String {
    let topics: Vec<String> =
        topics.iter().map(|topic| String::from_utf8_lossy(topic).to_uppercase()).collect();
    let group = topics.first().and_then(|topic| topic.strip_prefix('@'));
    let mut out = String::new();
    for entry in &catalog.entries {
        match group {
            Some(group) => {
                if entry.group.eq_ignore_ascii_case(group) {
                    describe(&mut out, entry, false);
                }
            }
            None => {
                let words: Vec<&str> = entry.name.split(' ').collect();
                if words.len() >= topics.len() && words.iter().zip(&topics).all(|(a, b)| a == b) {
                    describe(&mut out, entry, true);
                }
            }
        }
    }
    out.push_str("\r\n");
    out
}

fn describe(out: &mut String, entry: &Entry, with_group: bool) {
    let arguments = usages(&entry.arguments, " ");
    out.push_str(&format!("\r\n  \x1b[1m{}\x1b[0m \x1b[90m{arguments}\x1b[0m\r\n", entry.name));
    let mut field = |name: &str, value: &str| {
        out.push_str(&format!("  \x1b[33m{name}:\x1b[0m {value}\r\n"));
    };
    field("summary", &entry.summary);
    if let Some(since) = &entry.since {
        field("since", since);
    }
    if with_group {
        field("group", &entry.group);
    }
}
