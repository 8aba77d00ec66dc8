//! Replication.

use super::{INT, KB, LONG, MB, NO, OPTIONAL, PORT, YES, int, memory, word};
use crate::Opt;
use crate::kind::Kind;

const DISKLESS_LOAD: &[&str] = &["disabled", "on-empty-db", "swapdb", "flush-before-load"];
const ON_PROPAGATION_ERROR: &[&str] = &["ignore", "panic", "panic-on-replicas"];

pub(super) const OPTIONS: &[Opt] = &[
    Opt::ignored("replicaof", Kind::Primary, "Host and port of the primary to replicate.")
        .alias(&["slaveof"])
        .immutable(),
    Opt::ignored("masterauth", Kind::Secret, "Password for the primary.")
        .alias(&["primaryauth"])
        .sensitive(),
    Opt::ignored("masteruser", OPTIONAL, "User name for the primary.")
        .alias(&["primaryuser"])
        .sensitive(),
    Opt::ignored(
        "replica-serve-stale-data",
        YES,
        "Answer reads while the primary is not reachable.",
    )
    .alias(&["slave-serve-stale-data"]),
    Opt::ignored("replica-read-only", YES, "Refuse writes of clients on a replica.")
        .alias(&["slave-read-only"]),
    Opt::ignored("replica-ignore-maxmemory", YES, "Let only the primary evict keys.")
        .alias(&["slave-ignore-maxmemory"]),
    Opt::ignored(
        "replica-ignore-disk-write-errors",
        NO,
        "Let a replica go on when it cannot write to disk.",
    ),
    Opt::ignored(
        "replica-lazy-flush",
        NO,
        "Free the old data set in the background at a full synchronisation.",
    )
    .alias(&["slave-lazy-flush"]),
    Opt::ignored(
        "replica-priority",
        int(0, INT, 100),
        "Order in which replicas are promoted, lowest first; 0 means never.",
    )
    .alias(&["slave-priority"]),
    Opt::ignored("replica-announced", YES, "Let Sentinel list this replica."),
    Opt::ignored(
        "replica-announce-ip",
        OPTIONAL,
        "Address that the primary lists for this replica.",
    )
    .alias(&["slave-announce-ip"]),
    Opt::ignored("replica-announce-port", PORT, "Port that the primary lists for this replica.")
        .alias(&["slave-announce-port"]),
    Opt::ignored(
        "replica-full-sync-buffer-limit",
        memory(0, LONG, 0),
        "Bytes that a replica may buffer during a full synchronisation; 0 means the limit \
         of its output buffer.",
    ),
    Opt::ignored("repl-diskless-sync", YES, "Send snapshots to replicas without a file."),
    Opt::ignored(
        "repl-diskless-sync-delay",
        int(0, INT, 5),
        "Seconds to wait for further replicas before a snapshot is sent.",
    ),
    Opt::ignored(
        "repl-diskless-sync-max-replicas",
        int(0, INT, 0),
        "Replicas after which the wait ends; 0 means no limit.",
    ),
    Opt::ignored(
        "repl-diskless-load",
        word(DISKLESS_LOAD, "disabled"),
        "Whether a replica loads a snapshot as it arrives.",
    )
    .deny_loading(),
    Opt::ignored(
        "repl-rdb-channel",
        NO,
        "Send snapshots over a connection of their own, in Redis.",
    ),
    Opt::ignored(
        "dual-channel-replication-enabled",
        NO,
        "Send snapshots over a connection of their own, in Valkey.",
    ),
    Opt::ignored("repl-disable-tcp-nodelay", NO, "Send fewer, larger packets to replicas."),
    Opt::ignored("repl-mptcp", NO, "Connect to the primary with multipath TCP.").immutable(),
    Opt::ignored(
        "repl-ping-replica-period",
        int(1, INT, 10),
        "Seconds between signs of life to replicas.",
    )
    .alias(&["repl-ping-slave-period"]),
    Opt::ignored(
        "repl-timeout",
        int(1, INT, 60),
        "Seconds of silence after which a replication link is given up.",
    ),
    Opt::ignored(
        "repl-backlog-size",
        memory(1, LONG, MB),
        "Bytes of writes that are kept for replicas which return, at least 16kb.",
    )
    .clamp(16 * KB, LONG),
    Opt::ignored(
        "repl-backlog-ttl",
        int(0, LONG, 3600),
        "Seconds after the last replica left for which they are kept; 0 means for ever.",
    ),
    Opt::ignored(
        "min-replicas-to-write",
        int(0, INT, 0),
        "Replicas without which writes are refused; 0 means none.",
    )
    .alias(&["min-slaves-to-write"]),
    Opt::ignored(
        "min-replicas-max-lag",
        int(0, INT, 10),
        "Seconds that such a replica may lag behind.",
    )
    .alias(&["min-slaves-max-lag"]),
    Opt::ignored("rdb-del-sync-files", NO, "Delete snapshots that served replication only."),
    Opt::ignored(
        "propagation-error-behavior",
        word(ON_PROPAGATION_ERROR, "ignore"),
        "What happens when a propagated command fails.",
    ),
    Opt::ignored(
        "bind-source-addr",
        OPTIONAL,
        "Local address of connections that the server makes.",
    ),
];
