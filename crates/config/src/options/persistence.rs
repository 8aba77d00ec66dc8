//! Snapshots, append-only files and shutdown.

use super::{INT, LONG, MB, NO, OPTIONAL, YES, check, int, memory, text, word};
use crate::Opt;
use crate::Status::{Accepted, Works};
use crate::kind::Kind;
use crate::value::at;
use crate::{AppendFsync, SavePoint};

const SAVE: &[SavePoint] = &[
    SavePoint { seconds: 3600, changes: 1 },
    SavePoint { seconds: 300, changes: 100 },
    SavePoint { seconds: 60, changes: 10000 },
];
const SHUTDOWN: Kind = Kind::Words(&["default", "save", "nosave", "now", "force"]);

pub(super) const OPTIONS: &[Opt] = &[
    Opt::new(
        Works,
        "dir",
        Kind::Dir,
        at!(dir),
        "The working directory, which holds the data files; the directory of the process \
         by default.",
    )
    .protected()
    .deny_loading(),
    Opt::new(
        Works,
        "save",
        Kind::Save(SAVE),
        at!(save),
        "Pairs of seconds and changes: save a snapshot after that time if at least that \
         much changed. Empty: never.",
    ),
    Opt::new(
        Works,
        "dbfilename",
        text("dump.rdb"),
        at!(dbfilename),
        "Name of the snapshot's file in `dir`.",
    )
    .protected()
    .check(check::dbfilename),
    Opt::new(Works, "rdbcompression", YES, at!(rdbcompression), "Compress strings in snapshots."),
    Opt::new(Works, "rdbchecksum", YES, at!(rdbchecksum), "End snapshots with a checksum.")
        .immutable(),
    Opt::ignored("rdb-save-incremental-fsync", YES, "Make a snapshot durable as it is written."),
    Opt::ignored(
        "rdb-version-check",
        word(&["strict", "relaxed"], "strict"),
        "Whether snapshots of unknown versions are refused.",
    ),
    Opt::new(
        Works,
        "rdb-key-save-delay",
        int(i32::MIN as i128, INT, 0),
        at!(rdb_key_save_delay_us),
        "Microseconds to wait after each key of a snapshot, for tests.",
    )
    .hidden(),
    Opt::new(
        Works,
        "key-load-delay",
        int(i32::MIN as i128, INT, 0),
        at!(key_load_delay_us),
        "Microseconds to wait after each key that is loaded, for tests.",
    )
    .hidden(),
    Opt::ignored(
        "loading-process-events-interval-bytes",
        int(1024, INT, 2 * MB),
        "Bytes to load between looks at clients.",
    )
    .hidden(),
    Opt::new(
        Works,
        "stop-writes-on-bgsave-error",
        YES,
        at!(stop_writes_on_bgsave_error),
        "Refuse writes after a snapshot failed.",
    ),
    Opt::new(Works, "appendonly", NO, at!(appendonly), "Log every write to the append-only files.")
        .deny_loading(),
    Opt::new(
        Works,
        "appendfilename",
        text("appendonly.aof"),
        at!(appendfilename),
        "Base name of the append-only files.",
    )
    .immutable()
    .check(check::appendfilename),
    Opt::new(
        Works,
        "appenddirname",
        text("appendonlydir"),
        at!(appenddirname),
        "Name of their directory in `dir`.",
    )
    .immutable()
    .check(check::appenddirname),
    Opt::new(
        Works,
        "backupdirname",
        text("backupdir"),
        at!(backupdirname),
        "Name of the directory in `dir` that BACKUP writes to.",
    )
    .immutable()
    .check(check::backupdirname),
    Opt::new(
        Works,
        "backup-sealed-ttl",
        int(0, INT, 0),
        at!(backup_sealed_ttl_s),
        "Seconds until a sealed backup is removed; 0 means never.",
    ),
    Opt::new(
        Works,
        "preload-file",
        text(""),
        at!(preload_file),
        "Load this at the start in place of the own files: `rdb:FILE`, or `aof:MANIFEST` as of a \
         backup.",
    )
    .immutable()
    .check(check::preload_file),
    Opt::new(
        Works,
        "appendfsync",
        word(AppendFsync::WORDS, "everysec"),
        at!(appendfsync),
        "When the append-only file is made durable.",
    ),
    Opt::new(
        Works,
        "no-appendfsync-on-rewrite",
        NO,
        at!(no_appendfsync_on_rewrite),
        "Do not make the append-only file durable during a rewrite.",
    ),
    Opt::new(
        Works,
        "auto-aof-rewrite-percentage",
        int(0, INT, 100),
        at!(auto_aof_rewrite_percentage),
        "Growth in percent that starts a rewrite; 0 means never.",
    ),
    Opt::new(
        Works,
        "auto-aof-rewrite-min-size",
        memory(0, LONG, 64 * MB),
        at!(auto_aof_rewrite_min_size),
        "Bytes below which no rewrite starts by itself.",
    ),
    Opt::new(
        Works,
        "aof-load-truncated",
        YES,
        at!(aof_load_truncated),
        "Load an append-only file that ends in the middle of a command.",
    ),
    Opt::ignored(
        "aof-load-corrupt-tail-max-size",
        memory(0, LONG, 0),
        "Bytes of a damaged end of an append-only file that may be dropped.",
    ),
    Opt::new(
        Works,
        "aof-use-rdb-preamble",
        YES,
        at!(aof_use_rdb_preamble),
        "Begin a rewritten append-only file with a snapshot.",
    ),
    Opt::new(
        Works,
        "aof-timestamp-enabled",
        NO,
        at!(aof_timestamp_enabled),
        "Write times into the append-only file.",
    ),
    Opt::new(
        Works,
        "aof-checksum",
        NO,
        at!(aof_checksum),
        "Write checksums into the append-only file, which Redis passes over.",
    ),
    Opt::ignored(
        "aof-rewrite-incremental-fsync",
        YES,
        "Make a rewritten file durable as it is written.",
    ),
    Opt::new(
        Works,
        "aof-disable-auto-gc",
        NO,
        at!(aof_disable_auto_gc),
        "Keep append-only files that are no longer needed.",
    )
    .hidden(),
    Opt::new(
        Works,
        "shutdown-on-sigint",
        SHUTDOWN,
        at!(shutdown_on_sigint),
        "What SIGINT does: `default`, or `save` or `nosave`, with `now` and `force`.",
    )
    .check(check::shutdown),
    Opt::new(
        Works,
        "shutdown-on-sigterm",
        SHUTDOWN,
        at!(shutdown_on_sigterm),
        "What SIGTERM does, as above.",
    )
    .check(check::shutdown),
    Opt::new(
        Accepted,
        "shutdown-timeout",
        int(0, INT, 10),
        at!(shutdown_timeout_s),
        "Seconds to wait at shutdown for replicas that lag behind.",
    ),
    Opt::ignored("bgsave-cpulist", OPTIONAL, "Cores of the process that saves snapshots.")
        .alias(&["bgsave_cpulist"])
        .immutable(),
    Opt::ignored(
        "aof-rewrite-cpulist",
        OPTIONAL,
        "Cores of the process that rewrites append-only files.",
    )
    .alias(&["aof_rewrite_cpulist"])
    .immutable(),
];
