//! Cluster mode.

use super::{INT, LONG, MB, NO, OPTIONAL, PORT, ULONG, YES, check, int, memory, text, word};
use crate::Opt;
use crate::kind::Kind;

const ENDPOINTS: &[&str] = &["ip", "hostname", "unknown-endpoint"];
const SLOT_STATS: Kind = Kind::Words(&["no", "yes", "cpu", "net", "mem"]);

pub(super) const OPTIONS: &[Opt] = &[
    Opt::ignored("cluster-enabled", NO, "Be a node of a cluster.").immutable(),
    Opt::ignored(
        "cluster-config-file",
        text("nodes.conf"),
        "File in which the node keeps what it knows of the cluster.",
    )
    .immutable()
    .check(check::cluster_config_file),
    Opt::ignored(
        "cluster-node-timeout",
        int(0, LONG, 15000),
        "Milliseconds after which a silent node counts as failed.",
    ),
    Opt::ignored(
        "cluster-ping-interval",
        int(0, LONG, 0),
        "Milliseconds between signs of life to every node, for tests.",
    )
    .hidden(),
    Opt::ignored(
        "cluster-port",
        PORT,
        "Port of the cluster's bus; 0 means the client port plus 10000.",
    )
    .immutable(),
    Opt::ignored("cluster-announce-ip", OPTIONAL, "Address that other nodes learn."),
    Opt::ignored("cluster-announce-port", PORT, "Client port that other nodes learn."),
    Opt::ignored("cluster-announce-tls-port", PORT, "TLS port that other nodes learn."),
    Opt::ignored("cluster-announce-bus-port", PORT, "Port of the bus that other nodes learn."),
    Opt::ignored("cluster-announce-client-ipv4", OPTIONAL, "IPv4 address that clients learn.")
        .check(check::ipv4),
    Opt::ignored("cluster-announce-client-ipv6", OPTIONAL, "IPv6 address that clients learn.")
        .check(check::ipv6),
    Opt::ignored("cluster-announce-client-port", PORT, "Port that clients learn."),
    Opt::ignored("cluster-announce-client-tls-port", PORT, "TLS port that clients learn."),
    Opt::ignored("cluster-announce-hostname", OPTIONAL, "Host name that clients learn.")
        .check(check::hostname),
    Opt::ignored("cluster-announce-human-nodename", OPTIONAL, "Name of the node in logs.")
        .check(check::node_name),
    Opt::ignored(
        "cluster-preferred-endpoint-type",
        word(ENDPOINTS, "ip"),
        "What clients are redirected to.",
    ),
    Opt::ignored(
        "cluster-require-full-coverage",
        YES,
        "Refuse commands unless every slot is served.",
    ),
    Opt::ignored("cluster-allow-reads-when-down", NO, "Answer reads while the cluster is down."),
    Opt::ignored(
        "cluster-allow-pubsubshard-when-down",
        YES,
        "Serve sharded channels while the cluster is down.",
    ),
    Opt::ignored(
        "cluster-migration-barrier",
        int(0, INT, 1),
        "Replicas that a primary keeps before one moves to another.",
    ),
    Opt::ignored(
        "cluster-allow-replica-migration",
        YES,
        "Let replicas move to primaries that have none.",
    ),
    Opt::ignored(
        "cluster-replica-validity-factor",
        int(0, INT, 10),
        "Node timeouts after which a replica's data is too old for it to be promoted; 0 \
         means never.",
    )
    .alias(&["cluster-slave-validity-factor"]),
    Opt::ignored("cluster-replica-no-failover", NO, "Do not promote this replica by itself.")
        .alias(&["cluster-slave-no-failover"]),
    Opt::ignored(
        "cluster-manual-failover-timeout",
        int(1, INT, 5000),
        "Milliseconds that a manual failover may take.",
    ),
    Opt::ignored(
        "cluster-link-sendbuf-limit",
        memory(0, ULONG, 0),
        "Bytes that a link to another node may buffer; 0 means no limit.",
    ),
    Opt::ignored(
        "cluster-blacklist-ttl",
        int(0, LONG, 60),
        "Seconds for which a forgotten node is not taken back.",
    ),
    Opt::ignored(
        "cluster-message-gossip-perc",
        int(1, 100, 10),
        "Percent of the nodes that a message tells of.",
    ),
    Opt::ignored(
        "cluster-config-save-behavior",
        word(&["sync", "best-effort"], "sync"),
        "Whether a node stops when it cannot save what it knows.",
    ),
    Opt::ignored("cluster-databases", int(1, INT, 1), "Number of databases in cluster mode.")
        .immutable(),
    Opt::ignored("cluster-slot-stats-enabled", SLOT_STATS, "Which statistics are kept per slot."),
    Opt::ignored(
        "cluster-compatibility-sample-ratio",
        int(0, 100, 0),
        "Percent of the commands that are checked for use in a cluster.",
    ),
    Opt::ignored(
        "cluster-slot-migration-log-max-len",
        int(0, LONG, 1000),
        "Finished slot migrations that are remembered, in Valkey.",
    ),
    Opt::ignored(
        "slot-migration-max-failover-repl-bytes",
        int(-1, LONG, 0),
        "Bytes in flight at which a slot migration may finish; -1 means any.",
    ),
    Opt::ignored(
        "cluster-slot-migration-max-archived-tasks",
        int(1, INT, 32),
        "Finished slot migrations that are remembered, in Redis.",
    )
    .hidden(),
    Opt::ignored(
        "cluster-slot-migration-handoff-max-lag-bytes",
        memory(0, LONG, MB),
        "Bytes of lag at which writes are paused to finish a slot migration.",
    ),
    Opt::ignored(
        "cluster-slot-migration-write-pause-timeout",
        int(0, LONG, 10000),
        "Milliseconds for which writes may be paused to finish a slot migration.",
    ),
    Opt::ignored(
        "cluster-slot-migration-sync-buffer-drain-timeout",
        int(0, LONG, 60000),
        "Milliseconds in which the target must catch up.",
    )
    .hidden(),
];
