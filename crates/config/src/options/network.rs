//! Addresses, ports, sockets and connections.

use super::{INT, NO, OPTIONAL, PORT, UINT, YES, int};
use crate::Opt;
use crate::Status::{Accepted, Works};
use crate::kind::Kind;
use crate::value::at;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::new(
        Works,
        "bind",
        Kind::Bind(&["*", "-::*"]),
        at!(bind),
        "Addresses to listen on. `*` is every IPv4 address, `::*` every IPv6 address; an \
         address that starts with `-` may be missing on this machine. Empty: no TCP.",
    ),
    Opt::new(
        Works,
        "port",
        int(0, 65535, 6379),
        at!(port),
        "TCP port to listen on; 0 listens on none.",
    ),
    Opt::new(
        Works,
        "tcp-backlog",
        int(0, INT, 511),
        at!(tcp_backlog),
        "Length of the queue of connections that wait to be accepted; the system's own \
         limit applies, too.",
    )
    .immutable(),
    Opt::new(Works, "unixsocket", OPTIONAL, at!(unixsocket), "Path of a Unix socket to listen on.")
        .immutable(),
    Opt::new(
        Works,
        "unixsocketperm",
        Kind::Octal { max: 0o777 },
        at!(unixsocketperm),
        "Mode of the Unix socket's file, in octal; 0 leaves it to the process's mask.",
    )
    .immutable(),
    Opt::new(
        Accepted,
        "unixsocketgroup",
        OPTIONAL,
        at!(unixsocketgroup),
        "Group that owns the Unix socket's file.",
    )
    .immutable(),
    Opt::new(
        Works,
        "timeout",
        int(0, INT, 0),
        at!(timeout_s),
        "Seconds after which an idle client is closed; 0 means never.",
    ),
    Opt::new(
        Works,
        "tcp-keepalive",
        int(0, INT, 300),
        at!(tcp_keepalive_s),
        "Seconds of silence after which TCP asks whether a client is still there; 0 means \
         never.",
    ),
    Opt::new(
        Works,
        "protected-mode",
        YES,
        at!(protected_mode),
        "Refuse connections from other machines as long as the default user has no password.",
    ),
    Opt::new(
        Works,
        "workers",
        int(0, 1024, 0),
        at!(workers),
        "Worker threads that serve clients; 0 means one per core.",
    )
    .immutable(),
    Opt::ignored("io-threads", int(1, 256, 1), "I/O threads of Redis and Valkey; see `workers`.")
        .immutable(),
    Opt::ignored("io-threads-do-reads", NO, "Whether I/O threads of Redis 6 and 7 also read.")
        .immutable(),
    Opt::ignored("io-threads-always-active", NO, "Whether I/O threads never sleep.").hidden(),
    Opt::ignored(
        "events-per-io-thread",
        int(0, INT, 2),
        "Ready connections per I/O thread of Valkey.",
    )
    .hidden(),
    Opt::ignored(
        "min-io-threads-avoid-copy-reply",
        int(0, INT, 7),
        "I/O threads from which Valkey sends replies without a copy.",
    )
    .hidden(),
    Opt::ignored(
        "min-string-size-avoid-copy-reply",
        int(0, INT, 16384),
        "Bytes from which Valkey sends a reply without a copy.",
    )
    .hidden(),
    Opt::ignored(
        "min-string-size-avoid-copy-reply-threaded",
        int(0, INT, 65536),
        "The same with I/O threads.",
    )
    .hidden(),
    Opt::ignored("prefetch-batch-max-size", int(0, 128, 16), "Keys that are prefetched together."),
    Opt::ignored(
        "lookahead",
        int(1, INT, 16),
        "Commands of a client that are parsed ahead to prefetch their keys.",
    ),
    Opt::ignored(
        "max-new-connections-per-cycle",
        int(1, 1000, 10),
        "Connections that are accepted in one turn.",
    ),
    Opt::ignored(
        "max-new-tls-connections-per-cycle",
        int(1, 1000, 1),
        "TLS connections that are accepted in one turn.",
    ),
    Opt::ignored("socket-mark-id", int(0, UINT, 0), "Mark of the sockets for the firewall.")
        .immutable(),
    Opt::ignored("mptcp", NO, "Listen with multipath TCP.").immutable(),
    Opt::ignored("rdma-port", PORT, "RDMA port to listen on; 0 listens on none.").immutable(),
    Opt::ignored("rdma-bind", OPTIONAL, "Address of the RDMA port.").immutable(),
    Opt::ignored(
        "rdma-rx-size",
        int(0, INT, 1_048_576),
        "Bytes of an RDMA connection's receive buffer.",
    )
    .immutable(),
    Opt::ignored(
        "rdma-completion-vector",
        int(-1, 1024, -1),
        "Completion vector of RDMA connections; -1 chooses one.",
    )
    .immutable(),
];
