//! Limits of clients, requests and databases.

use super::{GB, INT, LONG, MB, UINT, int, memory};
use crate::Opt;
use crate::OutputLimit;
use crate::Status::{Accepted, Works};
use crate::kind::Kind;
use crate::value::at;

const NO_LIMIT: OutputLimit = OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_s: 0 };
const REPLICA: OutputLimit =
    OutputLimit { hard_bytes: 256 << 20, soft_bytes: 64 << 20, soft_s: 60 };
const PUBSUB: OutputLimit = OutputLimit { hard_bytes: 32 << 20, soft_bytes: 8 << 20, soft_s: 60 };

pub(super) const OPTIONS: &[Opt] = &[
    Opt::new(
        Works,
        "maxclients",
        int(1, UINT, 10000),
        at!(maxclients),
        "Number of clients that may be connected at once.",
    ),
    Opt::new(
        Works,
        "client-output-buffer-limit",
        Kind::Limits([NO_LIMIT, REPLICA, PUBSUB]),
        at!(client_output_buffer_limit),
        "Groups of class (normal, replica, pubsub), hard limit, soft limit and seconds: a \
         client whose unread replies pass the hard limit, or the soft limit for that \
         long, is closed. 0 means no limit.",
    ),
    Opt::new(
        Works,
        "client-query-buffer-limit",
        memory(MB, LONG, GB),
        at!(client_query_buffer_limit),
        "Bytes that the unprocessed requests of a client may take.",
    ),
    Opt::new(
        Works,
        "proto-max-bulk-len",
        memory(MB, LONG, 512 * MB),
        at!(proto_max_bulk_len),
        "Bytes of the longest argument of a command, and of the longest string.",
    ),
    Opt::new(
        Accepted,
        "maxmemory-clients",
        Kind::MemoryOrPercent { max: LONG },
        at!(maxmemory_clients),
        "Bytes, or percent of `maxmemory`, that all clients together may use before the \
         largest are closed; 0 means no limit.",
    ),
    Opt::new(Works, "databases", int(1, INT, 16), at!(databases), "Number of databases.")
        .immutable(),
    Opt::new(
        Accepted,
        "tracking-table-max-keys",
        int(0, LONG, 1_000_000),
        at!(tracking_table_max_keys),
        "Keys that are remembered for client-side caching; 0 means no limit.",
    ),
];
