use std::fmt::Display;
use std::sync::atomic::Ordering;

use ::pubsub::Kind;
use command::Ctx;

use super::Lines;

fn write(lines: &mut Lines, fields: &[(&str, &dyn Display)]) {
    fields.iter().for_each(|(name, value)| lines.field(name, value));
}

/// What a server without persistence tells: nothing was ever saved or is under way.
pub fn persistence(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let started_s = ctx.services.host.started_ms() / 1000;
    let never = -1;
    write(
        lines,
        &[
            ("loading", &u8::from(ctx.services.loading.load(Ordering::Relaxed))),
            ("async_loading", &0),
            ("current_cow_peak", &0),
            ("current_cow_size", &0),
            ("current_cow_size_age", &0),
            ("current_fork_perc", &"0.00"),
            ("current_save_keys_processed", &0),
            ("current_save_keys_total", &0),
            ("rdb_changes_since_last_save", &ctx.services.statistics.changes()),
            ("rdb_bgsave_in_progress", &0),
            ("rdb_last_save_time", &started_s),
            ("rdb_last_bgsave_status", &"ok"),
            ("rdb_last_bgsave_time_sec", &never),
            ("rdb_current_bgsave_time_sec", &never),
            ("rdb_saves", &0),
            ("rdb_last_cow_size", &0),
            ("rdb_last_load_keys_expired", &0),
            ("rdb_last_load_keys_loaded", &0),
        ],
    );
    append_only(ctx, lines);
}

fn append_only(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let status = &ctx.services.aof;
    let rewriting = status.rewriting.load(Ordering::Relaxed);
    let ok = |failed: bool| if failed { "err" } else { "ok" };
    let started_ms = status.rewrite_started_ms.load(Ordering::Relaxed);
    let since_s = if rewriting { ((ctx.now_ms() - started_ms) / 1000).max(0) } else { -1 };
    let buffered = status.buffered.load(Ordering::Relaxed);
    write(
        lines,
        &[
            ("aof_enabled", &u8::from(status.is_on())),
            ("aof_rewrite_in_progress", &u8::from(rewriting)),
            ("aof_rewrite_scheduled", &u8::from(status.scheduled.load(Ordering::Relaxed))),
            (
                "aof_last_rewrite_time_sec",
                &(status.last_rewrite_s_plus_1.load(Ordering::Relaxed) - 1),
            ),
            ("aof_current_rewrite_time_sec", &since_s),
            ("aof_last_bgrewrite_status", &ok(status.rewrite_failed.load(Ordering::Relaxed))),
            ("aof_rewrites", &status.rewrites.load(Ordering::Relaxed)),
            ("aof_rewrites_consecutive_failures", &status.failures.load(Ordering::Relaxed)),
            ("aof_last_write_status", &ok(status.failure().is_some())),
            ("aof_last_cow_size", &0),
            ("module_fork_in_progress", &0),
            ("module_fork_last_cow_size", &0),
        ],
    );
    if status.is_on() {
        write(
            lines,
            &[
                ("aof_current_size", &status.size.load(Ordering::Relaxed)),
                ("aof_base_size", &status.base_size.load(Ordering::Relaxed)),
                ("aof_pending_rewrite", &0),
                ("aof_buffer_length", &buffered),
                ("aof_pending_bio_fsync", &u8::from(status.syncing.load(Ordering::Relaxed))),
                ("aof_delayed_fsync", &status.delayed.load(Ordering::Relaxed)),
            ],
        );
    }
}

pub fn stats(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    traffic(ctx, lines);
    keyspace(ctx, lines);
    replies(ctx, lines);
}

fn traffic(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let totals = ctx.services.statistics.totals();
    let rates = ctx.services.statistics.rates().figures();
    let kilobytes = |bytes: f64| format!("{:.2}", bytes / 1024.0);
    write(
        lines,
        &[
            ("total_connections_received", &totals.connections),
            ("total_commands_processed", &totals.commands),
            ("instantaneous_ops_per_sec", &(rates.commands.round() as u64)),
            ("total_net_input_bytes", &totals.received_bytes),
            ("total_net_output_bytes", &totals.sent_bytes),
            ("total_net_repl_input_bytes", &0),
            ("total_net_repl_output_bytes", &0),
            ("instantaneous_input_kbps", &kilobytes(rates.received_bytes)),
            ("instantaneous_output_kbps", &kilobytes(rates.sent_bytes)),
            ("instantaneous_input_repl_kbps", &"0.00"),
            ("instantaneous_output_repl_kbps", &"0.00"),
            ("rejected_connections", &totals.rejected_connections),
            ("sync_full", &0),
            ("sync_partial_ok", &0),
            ("sync_partial_err", &0),
        ],
    );
}

fn keyspace(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let totals = ctx.services.statistics.totals();
    let pubsub = &ctx.services.pubsub;
    write(
        lines,
        &[
            ("expired_subkeys", &totals.expired_fields),
            ("expired_keys", &totals.expired_keys),
            ("expired_stale_perc", &"0.00"),
            ("expired_time_cap_reached_count", &totals.expire_slices),
            ("expire_cycle_cpu_milliseconds", &(totals.expire_ns / 1_000_000)),
            ("evicted_keys", &0),
            ("evicted_clients", &0),
            ("evicted_scripts", &0),
            ("total_eviction_exceeded_time", &0),
            ("current_eviction_exceeded_time", &0),
            ("keyspace_hits", &totals.keyspace_hits),
            ("keyspace_misses", &totals.keyspace_misses),
            ("pubsub_channels", &pubsub.len(Kind::Channel)),
            ("pubsub_patterns", &pubsub.len(Kind::Pattern)),
            ("pubsubshard_channels", &pubsub.len(Kind::ShardChannel)),
            ("latest_fork_usec", &0),
            ("total_forks", &0),
            ("migrate_cached_sockets", &0),
            ("slave_expires_tracked_keys", &0),
            ("active_defrag_hits", &0),
            ("active_defrag_misses", &0),
            ("active_defrag_key_hits", &0),
            ("active_defrag_key_misses", &0),
            ("total_active_defrag_time", &0),
            ("current_active_defrag_time", &0),
        ],
    );
}

fn replies(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let tracking = &ctx.services.tracking;
    let totals = ctx.services.statistics.totals();
    let rates = ctx.services.statistics.rates().figures();
    write(
        lines,
        &[
            ("tracking_total_keys", &tracking.keys()),
            ("tracking_total_items", &tracking.items()),
            ("tracking_total_prefixes", &tracking.prefixes()),
            ("unexpected_error_replies", &0),
            ("total_error_replies", &totals.errors),
            ("dump_payload_sanitizations", &0),
            ("total_reads_processed", &totals.reads),
            ("total_writes_processed", &totals.writes),
            ("io_threaded_reads_processed", &0),
            ("io_threaded_writes_processed", &0),
            ("client_query_buffer_limit_disconnections", &totals.query_buffer_kills),
            ("client_output_buffer_limit_disconnections", &totals.output_buffer_kills),
            ("reply_buffer_shrinks", &0),
            ("reply_buffer_expands", &0),
            ("eventloop_cycles", &totals.turns),
            ("instantaneous_eventloop_cycles_per_sec", &(rates.turns.round() as u64)),
        ],
    );
}

/// What a primary without replicas tells.
pub fn replication(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let backlog = config::find(b"repl-backlog-size").map(|option| option.text(ctx.config));
    let backlog = String::from_utf8(backlog.unwrap_or_default()).unwrap_or_default();
    write(
        lines,
        &[
            ("role", &"master"),
            ("connected_slaves", &0),
            ("master_failover_state", &"no-failover"),
            ("master_replid", &ctx.services.host.run_id()),
            ("master_replid2", &"0".repeat(40)),
            ("master_repl_offset", &0),
            ("second_repl_offset", &-1),
            ("repl_backlog_active", &0),
            ("repl_backlog_size", &backlog),
            ("repl_backlog_first_byte_offset", &0),
            ("repl_backlog_histlen", &0),
        ],
    );
}
