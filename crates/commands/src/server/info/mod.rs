//! INFO: the server's figures, in sections.

mod commands;
mod keysizes;
mod memory;
mod server;
mod stats;

use std::fmt::{Display, Write as _};

use command::{Args, Categories, Ctx, Flags, Group, Outcome, Spec};

use super::memory::report;

/// `INFO`
pub const INFO: Spec = Spec {
    name: "info",
    arity: -1,
    flags: Flags::LOADING.union(Flags::STALE).union(Flags::WALK),
    categories: Categories::DANGEROUS,
    group: Group::Server,
    since: "1.0.0",
    summary: "Returns the server's figures and settings.",
    complexity: "O(1)",
    syntax: "[section]...",
    history: &[("7.0.0", "Several sections in one call.")],
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    run: info,
    ..Spec::BASE
};

/// The lines of INFO, as far as they are written.
pub struct Lines {
    text: String,
}

impl Lines {
    /// Adds `name:value`.
    pub fn field(&mut self, name: &str, value: impl Display) {
        // Writing to a string does not fail.
        let _ = write!(self.text, "{name}:{value}\r\n");
    }

    /// Adds a number of bytes, and the same rounded for people.
    pub fn bytes(&mut self, name: &str, bytes: u64) {
        self.field(name, bytes);
        self.field(&format!("{name}_human"), human(bytes));
    }
}

/// A number of bytes as INFO rounds it: `1.50M`.
fn human(bytes: u64) -> String {
    const UNITS: [char; 6] = ['B', 'K', 'M', 'G', 'T', 'P'];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes}B") } else { format!("{value:.2}{}", UNITS[unit]) }
}

struct Section {
    /// The name to ask for it by.
    name: &'static str,
    /// Its title.
    title: &'static str,
    /// Whether it is part of a plain INFO.
    default: bool,
    write: fn(&mut Ctx<'_>, &mut Lines),
}

const fn section(
    name: &'static str,
    title: &'static str,
    default: bool,
    write: fn(&mut Ctx<'_>, &mut Lines),
) -> Section {
    Section { name, title, default, write }
}

const SECTIONS: [Section; 15] = [
    section("server", "Server", true, server::server),
    section("clients", "Clients", true, server::clients),
    section("memory", "Memory", true, memory::memory),
    section("persistence", "Persistence", true, stats::persistence),
    section("stats", "Stats", true, stats::stats),
    section("replication", "Replication", true, stats::replication),
    section("cpu", "CPU", true, server::cpu),
    section("modules", "Modules", true, |_, _| {}),
    section("commandstats", "Commandstats", false, commands::commandstats),
    section("errorstats", "Errorstats", true, commands::errorstats),
    section("latencystats", "Latencystats", false, commands::latencystats),
    section("cluster", "Cluster", true, |_, lines| lines.field("cluster_enabled", 0)),
    section("keyspace", "Keyspace", true, keyspace),
    // Taken stock of when asked for, which is too much for every look at the figures.
    section("keysizes", "Keysizes", false, keysizes::keysizes),
    section("debug", "Debug", false, stats::debug),
];

/// The section that has to be asked for by its name.
const HIDDEN: &str = "debug";

fn info(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let asked = |section: &Section| {
        if args.len() == 1 {
            return section.default;
        }
        (1..args.len()).any(|word| {
            args.is(word, section.name)
                || (section.name != HIDDEN && (args.is(word, "all") || args.is(word, "everything")))
                || (args.is(word, "default") && section.default)
                || (args.is(word, "module_list") && section.name == "modules")
        })
    };
    let mut lines = Lines { text: String::new() };
    for section in SECTIONS.iter().filter(|section| asked(section)) {
        if !lines.text.is_empty() {
            lines.text.push_str("\r\n");
        }
        let _ = write!(lines.text, "# {}\r\n", section.title);
        (section.write)(ctx, &mut lines);
    }
    ctx.reply.verbatim("txt", lines.text.as_bytes());
    Ok(())
}

fn keyspace(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let now_ms = ctx.now_ms();
    for database in report::databases(ctx) {
        lines.field(
            &format!("db{}", database.number),
            format_args!(
                "keys={},expires={},avg_ttl={},subexpiry={}",
                database.keys,
                database.volatile,
                database.average_ttl_ms(now_ms),
                database.timed
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_rounded_for_people() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.00K"),
            (1_572_864, "1.50M"),
            (u64::MAX, "16384.00P"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
