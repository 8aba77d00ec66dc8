//! The configuration as typed fields. Defaults, bounds and documentation stand with the
//! declarations in `options/`; here are the names, the types and the units.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::file::Directive;
use crate::kind::events::KeyspaceEvents;
use crate::kind::special::{ClientMemory, OutputLimit, SavePoint};
use crate::kind::words::{
    AclPubsubDefault, AllowFrom, AppendFsync, LogFormat, LogLevel, LogTimestamp, MaxmemoryPolicy,
    OomScoreAdj, SanitizePayload, Supervised, TlsAuthClients, TlsUser,
};
use crate::value::Value;

/// Declares [`Config`] and its constructor without defaults.
macro_rules! config {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// All options of a server. A snapshot: it never changes once others can see it.
        ///
        /// Fields are named after their options, with the unit last where there is one. Sizes
        /// without a unit in the name are bytes.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Config {
            $($(#[$doc])* pub $field: $type,)*
            /// Options without a field, by name, where they were set; [`Config::other`] knows all.
            pub others: BTreeMap<&'static str, Value>,
        }

        impl Config {
            /// Every field empty or zero; only a step on the way to the defaults.
            fn blank() -> Self {
                Self { $($field: Default::default(),)* others: BTreeMap::new() }
            }
        }
    };
}

config! {
    /// Addresses to listen on; `*` is every IPv4 address, `::*` every IPv6 address; one that starts
    /// with `-` may be unavailable. Empty: no TCP.
    bind: Vec<String>,
    /// TCP port; 0 means no TCP.
    port: u16,
    /// Length of the queue of connections that wait to be accepted.
    tcp_backlog: u32,
    /// Path of the Unix socket; empty means none.
    unixsocket: String,
    /// Mode of the Unix socket's file; 0 leaves it to the process's mask.
    unixsocketperm: u32,
    /// Group that owns the Unix socket's file; empty leaves it.
    unixsocketgroup: String,
    /// Seconds after which an idle client is closed; 0 means never.
    timeout_s: u64,
    /// Seconds of silence before TCP asks whether a client is alive; 0 means never.
    tcp_keepalive_s: u64,
    /// Whether connections from elsewhere are refused as long as there is no password.
    protected_mode: bool,
    /// Worker threads; 0 means one per core.
    workers: u32,

    /// Number of clients that may be connected.
    maxclients: u32,
    /// Limits of normal, replica and pub/sub clients, in this order.
    client_output_buffer_limit: [OutputLimit; 3],
    /// Bytes that a client's unprocessed requests may take.
    client_query_buffer_limit: u64,
    /// Bytes of the longest argument.
    proto_max_bulk_len: u64,
    /// Memory of all clients together.
    maxmemory_clients: ClientMemory,
    /// Number of databases.
    databases: u32,
    /// Number of keys remembered for client-side caching; 0 means no limit.
    tracking_table_max_keys: u64,

    /// Bytes of memory for data; 0 means no limit.
    maxmemory: u64,
    /// What happens when `maxmemory` is reached.
    maxmemory_policy: MaxmemoryPolicy,
    /// Keys examined to choose one to evict.
    maxmemory_samples: u32,
    /// Effort of eviction, 0 to 100.
    maxmemory_eviction_tenacity: u32,
    /// Growth of the access frequency counter: higher is slower.
    lfu_log_factor: u32,
    /// Minutes after which an access frequency is halved; 0 means never.
    lfu_decay_time_min: u32,
    /// Whether evicted values are freed in the background.
    lazyfree_lazy_eviction: bool,
    /// Whether expired values are freed in the background.
    lazyfree_lazy_expire: bool,
    /// Whether values that a command replaces are freed in the background.
    lazyfree_lazy_server_del: bool,
    /// Whether DEL frees in the background, as UNLINK does.
    lazyfree_lazy_user_del: bool,
    /// Whether FLUSHALL and FLUSHDB free in the background unless told otherwise.
    lazyfree_lazy_user_flush: bool,
    /// Rounds of background work a second.
    hz: u32,
    /// Whether `hz` rises with the number of clients.
    dynamic_hz: bool,
    /// Effort of expiry, 1 to 10.
    active_expire_effort: u32,

    /// When to save a snapshot; empty means never.
    save: Vec<SavePoint>,
    /// The directory of the data files: absolute after [`Config::load`].
    dir: String,
    /// Name of the snapshot's file.
    dbfilename: String,
    /// Whether snapshots are compressed.
    rdbcompression: bool,
    /// Whether snapshots end in a checksum.
    rdbchecksum: bool,
    /// Microseconds to wait after each key that is saved, for tests.
    rdb_key_save_delay_us: i64,
    /// Microseconds to wait after each key that is loaded, for tests.
    key_load_delay_us: i64,
    /// Whether writes are refused after a snapshot failed.
    stop_writes_on_bgsave_error: bool,
    /// When values in serialised form are checked in depth.
    sanitize_dump_payload: SanitizePayload,
    /// Whether writes are logged.
    appendonly: bool,
    /// Base name of the append-only files.
    appendfilename: String,
    /// Name of their directory in `dir`.
    appenddirname: String,
    /// Name of the directory in `dir` that backups go to.
    backupdirname: String,
    /// Seconds until a sealed backup is removed; 0 means never.
    backup_sealed_ttl_s: u64,
    /// What is loaded at the start in place of the own files; empty means these.
    preload_file: String,
    /// When the log is made durable.
    appendfsync: AppendFsync,
    /// Whether the log is not made durable during a rewrite.
    no_appendfsync_on_rewrite: bool,
    /// Growth in percent that starts a rewrite; 0 means never.
    auto_aof_rewrite_percentage: u32,
    /// Bytes below which no rewrite starts.
    auto_aof_rewrite_min_size: u64,
    /// Whether a log that ends in the middle of a command is loaded.
    aof_load_truncated: bool,
    /// Whether a rewritten log starts with a snapshot.
    aof_use_rdb_preamble: bool,
    /// Whether the log says when commands ran.
    aof_timestamp_enabled: bool,
    /// Whether the log has checksums.
    aof_checksum: bool,
    /// Whether files that are no longer needed are kept.
    aof_disable_auto_gc: bool,
    /// What SIGINT does; empty means the default.
    shutdown_on_sigint: Vec<&'static str>,
    /// What SIGTERM does; empty means the default.
    shutdown_on_sigterm: Vec<&'static str>,
    /// Seconds to wait for replicas at shutdown.
    shutdown_timeout_s: u64,

    /// The least severe messages that are logged.
    loglevel: LogLevel,
    /// File to log to; empty means standard output.
    logfile: String,
    /// The form of log lines.
    log_format: LogFormat,
    /// The form of times in log lines.
    log_timestamp_format: LogTimestamp,
    /// Whether it is logged what is known when the process crashes.
    crash_log_enabled: bool,
    /// Whether keys and values are kept out of the log.
    hide_user_data_from_log: bool,
    /// Whether the logo is printed even if standard output is no terminal.
    always_show_logo: bool,
    /// Microseconds from which a command is slow; 0 logs every command, negative none.
    slowlog_log_slower_than_us: i64,
    /// Number of slow commands that are remembered.
    slowlog_max_len: u64,
    /// Number of arguments of a command that the slow log keeps.
    slowlog_entry_max_argc: u64,
    /// Bytes of an argument that the slow log keeps.
    slowlog_entry_max_string_len: u64,
    /// Bytes from which a request is large; negative logs none.
    commandlog_request_larger_than: i64,
    /// Number of large requests that are remembered.
    commandlog_large_request_max_len: u64,
    /// Bytes from which a reply is large; negative logs none.
    commandlog_reply_larger_than: i64,
    /// Number of large replies that are remembered.
    commandlog_large_reply_max_len: u64,
    /// Milliseconds from which an event is recorded by the latency monitor; 0 turns it off.
    latency_monitor_threshold_ms: u64,
    /// Whether latencies are kept per command.
    latency_tracking: bool,
    /// Percentiles that INFO shows.
    latency_tracking_info_percentiles: Vec<f64>,

    /// Hashes with more fields leave the packed encoding.
    hash_max_listpack_entries: u64,
    /// So do hashes with a longer field or value, in bytes.
    hash_max_listpack_value: u64,
    /// A list node's size: entries if positive; -1 to -5 mean 4, 8, 16, 32, 64 kilobytes.
    list_max_listpack_size: i32,
    /// Nodes at either end of a list that stay uncompressed; 0 compresses none.
    list_compress_depth: u32,
    /// Sets of integers with more members leave the integer encoding.
    set_max_intset_entries: u64,
    /// Other sets with more members leave the packed encoding.
    set_max_listpack_entries: u64,
    /// So do sets with a longer member, in bytes.
    set_max_listpack_value: u64,
    /// Sorted sets with more members leave the packed encoding.
    zset_max_listpack_entries: u64,
    /// So do sorted sets with a longer member, in bytes.
    zset_max_listpack_value: u64,
    /// Bytes of a stream's node; 0 means no limit.
    stream_node_max_bytes: u64,
    /// Entries of a stream's node; 0 means no limit.
    stream_node_max_entries: u64,
    /// Seconds for which a stream remembers what idempotent producers sent.
    stream_idmp_duration: u64,
    /// Messages of such a producer that a stream remembers.
    stream_idmp_maxsize: u64,
    /// Bytes up to which a HyperLogLog stays sparse.
    hll_sparse_max_bytes: u64,

    /// TCP port for TLS; 0 means none.
    tls_port: u16,
    /// File of the server's certificate.
    tls_cert_file: String,
    /// File of that certificate's key.
    tls_key_file: String,
    /// Password of that key; empty means none.
    tls_key_file_pass: Vec<u8>,
    /// File of the authorities that may vouch for clients.
    tls_ca_cert_file: String,
    /// Directory of such files.
    tls_ca_cert_dir: String,
    /// Whether clients show certificates.
    tls_auth_clients: TlsAuthClients,
    /// What of a client's certificate names its user.
    tls_auth_clients_user: TlsUser,
    /// Versions of TLS that are allowed; empty means all.
    tls_protocols: String,
    /// Ciphers of TLS 1.2 that are allowed; empty means all.
    tls_ciphers: String,
    /// Ciphers of TLS 1.3 that are allowed; empty means all.
    tls_ciphersuites: String,
    /// Whether the server's order of ciphers counts, not the client's.
    tls_prefer_server_ciphers: bool,
    /// Whether clients may resume sessions.
    tls_session_caching: bool,
    /// Number of sessions remembered; 0 means no limit.
    tls_session_cache_size: u32,
    /// Seconds for which a session is remembered.
    tls_session_cache_timeout_s: u64,

    /// File with the keys that data files are encrypted with; empty means none.
    encryption_key_file: String,
    /// Environment variable with these keys; empty means none.
    encryption_key_env: String,
    /// Command that prints these keys; empty means none.
    encryption_key_command: String,
    /// Whether data files that are not encrypted are refused when there are keys.
    encryption_refuse_plain: bool,

    /// The default user's password; empty means none.
    requirepass: Vec<u8>,
    /// File with the users; empty means that the configuration file holds them.
    aclfile: String,
    /// Number of denied commands that are remembered.
    acllog_max_len: u64,
    /// Channels of a new user.
    acl_pubsub_default: AclPubsubDefault,
    /// From where CONFIG SET may change protected options.
    enable_protected_configs: AllowFrom,
    /// From where DEBUG is allowed.
    enable_debug_command: AllowFrom,
    /// From where MODULE is allowed.
    enable_module_command: AllowFrom,

    /// Whether the server goes to the background.
    daemonize: bool,
    /// File for the process's number; empty means none.
    pidfile: String,
    /// Whom the server tells that it is ready.
    supervised: Supervised,
    /// Whether the process's title says what it does.
    set_proc_title: bool,
    /// The form of that title.
    proc_title_template: String,
    /// Whether and how the server changes its score for when memory is short.
    oom_score_adj: OomScoreAdj,
    /// The score of a primary, a replica and a child process.
    oom_score_adj_values: [i32; 3],
    /// Which keyspace events are published.
    notify_keyspace_events: KeyspaceEvents,
    /// Milliseconds after which a script no longer makes other clients wait in silence.
    busy_reply_threshold_ms: u64,

    /// The main configuration file, where CONFIG REWRITE writes; `None` if there is none.
    file: Option<PathBuf>,
    /// `rename-command` lines: the old name and the new one, which may be empty.
    renames: Vec<Directive>,
    /// `user` lines: the user's name and rules.
    users: Vec<Directive>,
    /// `role` lines: the role's name and rules.
    roles: Vec<Directive>,
    /// `loadmodule` lines: the path and the module's arguments.
    modules: Vec<Directive>,
    /// Options of modules, such as `name.option` and Redis 8's `search-*`: name and values.
    module_options: Vec<Directive>,
}

impl Default for Config {
    /// Every option at its default.
    fn default() -> Self {
        let mut config = Self::blank();
        for option in crate::all() {
            if matches!(option.slot, crate::value::Slot::Field { .. }) {
                // The tests check that every default fits its field.
                let _ = option.put(&mut config, option.kind.default_value());
            }
        }
        config
    }
}

impl Config {
    /// The value of an option by name, whether it has a field or not; `None` if there is no such
    /// option.
    #[must_use]
    pub fn other(&self, name: &str) -> Option<Value> {
        crate::find(name.as_bytes()).map(|option| option.value(self))
    }

    /// Names of the options that are ignored and yet not at their defaults: worth a warning.
    #[must_use]
    pub fn ignored(&self) -> Vec<&'static str> {
        let ignored = |option: &&crate::Opt| {
            option.status == crate::Status::Accepted && !option.is_default(self)
        };
        crate::all().filter(ignored).map(|option| option.name).collect()
    }
}
