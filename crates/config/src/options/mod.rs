//! Every option, declared once: a file per theme.

mod advanced;
mod check;
mod cluster;
mod limits;
mod logging;
mod memory;
mod network;
mod persistence;
mod replication;
mod security;
mod tls;
mod types;

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::Opt;
use crate::kind::Kind;

/// The options of a theme.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Its title in the documentation.
    pub title: &'static str,
    /// Its options, in the order of the documentation.
    pub options: &'static [Opt],
}

const THEMES: &[Theme] = &[
    Theme { title: "Network", options: network::OPTIONS },
    Theme { title: "Limits", options: limits::OPTIONS },
    Theme { title: "Memory and background work", options: memory::OPTIONS },
    Theme { title: "Encodings of data types", options: types::OPTIONS },
    Theme { title: "Logging and latency", options: logging::OPTIONS },
    Theme { title: "Security", options: security::OPTIONS },
    Theme { title: "TLS", options: tls::OPTIONS },
    Theme { title: "Persistence", options: persistence::OPTIONS },
    Theme { title: "Replication", options: replication::OPTIONS },
    Theme { title: "Cluster", options: cluster::OPTIONS },
    Theme { title: "Process and advanced", options: advanced::OPTIONS },
];

/// All themes, in the order of the documentation.
#[must_use]
pub fn themes() -> &'static [Theme] {
    THEMES
}

/// All options.
pub fn all() -> impl Iterator<Item = &'static Opt> {
    THEMES.iter().flat_map(|theme| theme.options)
}

/// The option with this name or alias, in any case.
#[must_use]
pub fn find(name: &[u8]) -> Option<&'static Opt> {
    static BY_NAME: OnceLock<HashMap<&'static [u8], &'static Opt>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| {
        let names = |option: &'static Opt| {
            let all = std::iter::once(&option.name).chain(option.aliases);
            all.map(move |name| (name.as_bytes(), option))
        };
        all().flat_map(names).collect()
    });
    by_name.get(name.to_ascii_lowercase().as_slice()).copied()
}

/// The largest 32-bit integer.
const INT: i128 = i32::MAX as i128;
/// The largest 64-bit integer.
const LONG: i128 = i64::MAX as i128;
/// The largest unsigned 64-bit integer.
const ULONG: i128 = u64::MAX as i128;
/// The largest unsigned 32-bit integer.
const UINT: i128 = u32::MAX as i128;
const KB: i128 = 1 << 10;
const MB: i128 = 1 << 20;
const GB: i128 = 1 << 30;

const YES: Kind = Kind::Bool(true);
const NO: Kind = Kind::Bool(false);
/// Text that is there or not.
const OPTIONAL: Kind = Kind::Text { default: "", optional: true };
/// A TCP port that is off by default.
const PORT: Kind = int(0, 65535, 0);

const fn int(min: i128, max: i128, default: i128) -> Kind {
    Kind::Int { min, max, default }
}

const fn memory(min: i128, max: i128, default: i128) -> Kind {
    Kind::Memory { min, max, default }
}

const fn word(words: &'static [&'static str], default: &'static str) -> Kind {
    Kind::Word { words, same: &[], default }
}

const fn text(default: &'static str) -> Kind {
    Kind::Text { default, optional: false }
}

#[cfg(test)]
mod tests;
