//! The process, scripts, notifications and the rest.

use super::{LONG, NO, OPTIONAL, YES, check, int, text, word};
use crate::Opt;
use crate::Status::{Accepted, Works};
use crate::Supervised;
use crate::kind::Kind;
use crate::value::at;

const OOM_SCORE: Kind = Kind::Word {
    words: &["no", "yes", "relative", "absolute"],
    same: &[("relative", "yes")],
    default: "no",
};

pub(super) const OPTIONS: &[Opt] = &[
    Opt::new(Works, "daemonize", NO, at!(daemonize), "Run in the background.").immutable(),
    Opt::new(Works, "pidfile", OPTIONAL, at!(pidfile), "File for the process's number.")
        .immutable(),
    Opt::new(
        Works,
        "supervised",
        word(Supervised::WORDS, "no"),
        at!(supervised),
        "Which supervisor learns that the server is ready.",
    )
    .immutable(),
    Opt::new(
        Accepted,
        "set-proc-title",
        YES,
        at!(set_proc_title),
        "Say in the process's title what it does.",
    )
    .immutable(),
    Opt::new(
        Accepted,
        "proc-title-template",
        text("{title} {listen-addr} {server-mode}"),
        at!(proc_title_template),
        "The form of the process's title.",
    )
    .check(check::title_template),
    Opt::new(
        Works,
        "notify-keyspace-events",
        Kind::Events,
        at!(notify_keyspace_events),
        "Classes of keyspace events that are published, a letter each; empty means none.",
    ),
    Opt::new(
        Accepted,
        "busy-reply-threshold",
        int(0, LONG, 5000),
        at!(busy_reply_threshold_ms),
        "Milliseconds after which other clients learn that a script runs.",
    )
    .alias(&["lua-time-limit"]),
    Opt::ignored(
        "lua-enable-deprecated-api",
        NO,
        "Offer functions to scripts that newer versions dropped.",
    )
    .alias(&["lua-enable-insecure-api"]),
    Opt::new(
        Works,
        "oom-score-adj",
        OOM_SCORE,
        at!(oom_score_adj),
        "Whether the server changes how likely the system kills it when memory is short.",
    ),
    Opt::new(
        Works,
        "oom-score-adj-values",
        Kind::Scores([0, 200, 800]),
        at!(oom_score_adj_values),
        "Scores of a primary, a replica and a child process.",
    ),
    Opt::ignored("disable-thp", YES, "Turn transparent huge pages off for the process.")
        .immutable(),
    Opt::ignored("server-cpulist", OPTIONAL, "Cores of the server.")
        .alias(&["server_cpulist"])
        .immutable(),
    Opt::ignored("bio-cpulist", OPTIONAL, "Cores of background threads.")
        .alias(&["bio_cpulist"])
        .immutable(),
    Opt::ignored(
        "ignore-warnings",
        text(""),
        "Warnings of the system check that do not stop the server.",
    ),
    Opt::ignored("locale-collate", text(""), "Locale in which SORT compares text."),
    Opt::ignored("hash-seed", OPTIONAL, "Text from which the seed of hash functions is made.")
        .immutable(),
    Opt::ignored("availability-zone", text(""), "The zone that INFO and HELLO tell clients."),
    Opt::ignored("extended-redis-compatibility", NO, "Let Valkey claim to be Redis."),
    Opt::ignored("req-res-logfile", OPTIONAL, "File for requests and replies, for tests.")
        .immutable()
        .hidden(),
    Opt::ignored(
        "client-default-resp",
        int(2, 3, 2),
        "Protocol version of new clients, for tests.",
    )
    .immutable()
    .hidden(),
];
