//! Memory, eviction, expiry and work in the background.

use super::{INT, LONG, MB, NO, ULONG, YES, check, int, memory, word};
use crate::MaxmemoryPolicy;
use crate::Opt;
use crate::Status::Works;
use crate::value::at;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::new(
        Works,
        "maxmemory",
        memory(0, ULONG, 0),
        at!(maxmemory),
        "Bytes of memory for data; 0 means no limit.",
    ),
    Opt::new(
        Works,
        "maxmemory-policy",
        word(MaxmemoryPolicy::WORDS, "noeviction"),
        at!(maxmemory_policy),
        "Which keys go when `maxmemory` is reached.",
    ),
    Opt::new(
        Works,
        "maxmemory-samples",
        int(1, 64, 5),
        at!(maxmemory_samples),
        "Keys examined to choose one to evict.",
    ),
    Opt::new(
        Works,
        "maxmemory-eviction-tenacity",
        int(0, 100, 10),
        at!(maxmemory_eviction_tenacity),
        "Effort of eviction: 0 for the lowest latency, 100 to evict without regard to it.",
    ),
    Opt::new(
        Works,
        "lfu-log-factor",
        int(0, INT, 10),
        at!(lfu_log_factor),
        "How slowly the access frequency counter grows.",
    ),
    Opt::new(
        Works,
        "lfu-decay-time",
        int(0, INT, 1),
        at!(lfu_decay_time_min),
        "Minutes after which an access frequency falls; 0 means never.",
    ),
    Opt::new(
        Works,
        "lazyfree-lazy-eviction",
        NO,
        at!(lazyfree_lazy_eviction),
        "Free evicted values in the background.",
    ),
    Opt::new(
        Works,
        "lazyfree-lazy-expire",
        NO,
        at!(lazyfree_lazy_expire),
        "Free expired values in the background.",
    ),
    Opt::new(
        Works,
        "lazyfree-lazy-server-del",
        NO,
        at!(lazyfree_lazy_server_del),
        "Free values that a command replaces in the background.",
    ),
    Opt::new(
        Works,
        "lazyfree-lazy-user-del",
        NO,
        at!(lazyfree_lazy_user_del),
        "Let DEL free in the background, as UNLINK does.",
    ),
    Opt::new(
        Works,
        "lazyfree-lazy-user-flush",
        NO,
        at!(lazyfree_lazy_user_flush),
        "Let FLUSHALL and FLUSHDB free in the background unless they are told SYNC.",
    ),
    Opt::new(
        Works,
        "hz",
        int(0, INT, 10),
        at!(hz),
        "Rounds of background work a second; values beyond 1 to 500 are taken as these.",
    )
    .clamp(1, 500),
    Opt::new(Works, "dynamic-hz", YES, at!(dynamic_hz), "Raise `hz` with the number of clients."),
    Opt::new(
        Works,
        "active-expire-effort",
        int(1, 10, 1),
        at!(active_expire_effort),
        "Effort of removing expired keys that nobody asks for, 1 to 10.",
    ),
    Opt::ignored("activerehashing", YES, "Spend spare time on tables that grow."),
    Opt::ignored("activedefrag", NO, "Move values to reduce fragmentation.")
        .check(check::activedefrag),
    Opt::ignored(
        "active-defrag-ignore-bytes",
        memory(1, LONG, 100 * MB),
        "Bytes of fragmentation below which nothing is moved.",
    ),
    Opt::ignored(
        "active-defrag-threshold-lower",
        int(0, 1000, 10),
        "Percent of fragmentation below which nothing is moved.",
    ),
    Opt::ignored(
        "active-defrag-threshold-upper",
        int(0, 1000, 100),
        "Percent of fragmentation at which the effort is greatest.",
    ),
    Opt::ignored(
        "active-defrag-cycle-min",
        int(1, 99, 1),
        "Least effort of defragmentation in percent of a core.",
    ),
    Opt::ignored(
        "active-defrag-cycle-max",
        int(1, 99, 25),
        "Greatest effort of defragmentation in percent of a core.",
    ),
    Opt::ignored(
        "active-defrag-cycle-us",
        int(0, 100_000, 500),
        "Microseconds of one step of defragmentation.",
    ),
    Opt::ignored(
        "active-defrag-max-scan-fields",
        int(1, LONG, 1000),
        "Fields from which a key is defragmented in steps.",
    ),
    Opt::ignored("jemalloc-bg-thread", YES, "Let the allocator return memory in the background."),
    Opt::ignored("key-memory-histograms", NO, "Keep distributions of the memory of keys."),
    Opt::ignored(
        "lazyexpire-nested-arbitrary-keys",
        YES,
        "Expire further keys within scripts and transactions.",
    )
    .hidden(),
    Opt::ignored("import-mode", NO, "Do not expire keys while data is imported."),
];
