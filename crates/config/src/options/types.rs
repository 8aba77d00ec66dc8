//! When data types change their encodings.

use super::{INT, KB, LONG, int, memory};
use crate::Opt;
use crate::Status::Works;
use crate::value::at;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::new(
        Works,
        "hash-max-listpack-entries",
        int(0, LONG, 512),
        at!(hash_max_listpack_entries),
        "Fields up to which a hash is packed.",
    )
    .alias(&["hash-max-ziplist-entries"]),
    Opt::new(
        Works,
        "hash-max-listpack-value",
        memory(0, LONG, 64),
        at!(hash_max_listpack_value),
        "Bytes of a field or value up to which its hash is packed.",
    )
    .alias(&["hash-max-ziplist-value"]),
    Opt::new(
        Works,
        "list-max-listpack-size",
        int(i32::MIN as i128, INT, -2),
        at!(list_max_listpack_size),
        "Size of a list's nodes: a number of elements, or -1 to -5 for 4, 8, 16, 32 and \
         64 kilobytes.",
    )
    .alias(&["list-max-ziplist-size"]),
    Opt::new(
        Works,
        "list-compress-depth",
        int(0, INT, 0),
        at!(list_compress_depth),
        "Nodes at either end of a list that stay uncompressed; 0 compresses none.",
    ),
    Opt::new(
        Works,
        "set-max-intset-entries",
        int(0, LONG, 512),
        at!(set_max_intset_entries),
        "Members up to which a set of integers is an array of integers.",
    ),
    Opt::new(
        Works,
        "set-max-listpack-entries",
        int(0, LONG, 128),
        at!(set_max_listpack_entries),
        "Members up to which another set is packed.",
    ),
    Opt::new(
        Works,
        "set-max-listpack-value",
        int(0, LONG, 64),
        at!(set_max_listpack_value),
        "Bytes of a member up to which its set is packed.",
    ),
    Opt::new(
        Works,
        "zset-max-listpack-entries",
        int(0, LONG, 128),
        at!(zset_max_listpack_entries),
        "Members up to which a sorted set is packed.",
    )
    .alias(&["zset-max-ziplist-entries"]),
    Opt::new(
        Works,
        "zset-max-listpack-value",
        memory(0, LONG, 64),
        at!(zset_max_listpack_value),
        "Bytes of a member up to which its sorted set is packed.",
    )
    .alias(&["zset-max-ziplist-value"]),
    Opt::new(
        Works,
        "stream-node-max-bytes",
        memory(0, LONG, 4 * KB),
        at!(stream_node_max_bytes),
        "Bytes of a stream's node; 0 means no limit.",
    ),
    Opt::new(
        Works,
        "stream-node-max-entries",
        int(0, LONG, 100),
        at!(stream_node_max_entries),
        "Entries of a stream's node; 0 means no limit.",
    ),
    Opt::new(
        Works,
        "hll-sparse-max-bytes",
        memory(0, LONG, 3000),
        at!(hll_sparse_max_bytes),
        "Bytes up to which a HyperLogLog is sparse.",
    ),
    Opt::new(
        Works,
        "stream-idmp-duration",
        int(1, 86_400, 100),
        at!(stream_idmp_duration),
        "Seconds for which a stream remembers what idempotent producers sent.",
    ),
    Opt::new(
        Works,
        "stream-idmp-maxsize",
        int(1, 10_000, 100),
        at!(stream_idmp_maxsize),
        "Messages of a producer that a stream remembers.",
    ),
    Opt::ignored("array-slice-size", int(1, INT, 4096), "Elements of a slice of an array."),
    Opt::ignored(
        "array-sparse-kmax",
        int(0, INT, 10),
        "Bound from which a slice of an array becomes dense.",
    ),
    Opt::ignored(
        "array-sparse-kmin",
        int(0, INT, 5),
        "Bound from which a slice of an array becomes sparse.",
    ),
    Opt::ignored(
        "vset-force-single-threaded-execution",
        super::NO,
        "Search vector sets on the main thread.",
    ),
];
