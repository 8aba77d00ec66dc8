use acl::Reason;
use std::fmt::Display;
use std::sync::atomic::Ordering;

use ::pubsub::Kind;
use command::Ctx;

use super::Lines;

fn write(lines: &mut Lines, fields: &[(&str, &dyn Display)]) {
    fields.iter().for_each(|(name, value)| lines.field(name, value));
}

/// How saving and loading go.
pub fn persistence(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    saves(ctx, lines);
    append_only(ctx, lines);
    if ctx.services.persistence.is_loading() {
        loading(ctx, lines);
    }
}

fn append_only(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let status = &ctx.services.aof;
    let rewriting = status.rewriting.load(Ordering::Relaxed);
    let ok = |failed: bool| if failed { "err" } else { "ok" };
    let started_ms = status.rewrite_started_ms.load(Ordering::Relaxed);
    let since_s = if rewriting { ((ctx.now_ms() - started_ms) / 1000).max(0) } else { -1 };
    let key = ctx.services.encryption.get();
    let backs_up = ctx.services.backups.now().stage.is_under_way();
    let buffered = status.buffered.load(Ordering::Relaxed);
    write(
        lines,
        &[
            ("backup_in_progress", &u8::from(backs_up)),
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
            ("encryption_key", &key.as_ref().map_or("", |keys| keys.current())),
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

fn saves(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let now_s = ctx.now_ms() / 1000;
    let changes = ctx.services.statistics.changes();
    let is_loading = ctx.services.persistence.is_loading();
    let loaded = *ctx.services.persistence.loading();
    let saves = ctx.services.persistence.saves();
    let current = saves.current.as_ref();
    let keys = current.map_or(0, |current| current.handle.keys());
    let total = current.map_or(0, |current| current.keys_total);
    let percent = if total > 0 { keys as f64 * 100.0 / total as f64 } else { 0.0 };
    write(
        lines,
        &[
            ("loading", &u8::from(is_loading)),
            ("async_loading", &0),
            ("current_cow_peak", &0),
            ("current_cow_size", &0),
            ("current_cow_size_age", &0),
            ("current_fork_perc", &format!("{percent:.2}")),
            ("current_save_keys_processed", &keys),
            ("current_save_keys_total", &total),
            ("rdb_changes_since_last_save", &changes.saturating_sub(saves.changes)),
            ("rdb_bgsave_in_progress", &u8::from(current.is_some())),
            ("rdb_last_save_time", &saves.last_s),
            ("rdb_last_bgsave_status", &if saves.ok { "ok" } else { "err" }),
            ("rdb_last_bgsave_time_sec", &saves.took_s),
            ("rdb_current_bgsave_time_sec", &current.map_or(-1, |one| now_s - one.started_s)),
            ("rdb_saves", &saves.count),
            ("rdb_last_cow_size", &saves.waiting_bytes),
            ("rdb_last_load_keys_expired", &loaded.expired),
            ("rdb_last_load_keys_loaded", &loaded.keys),
        ],
    );
}

fn loading(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let loading = *ctx.services.persistence.loading();
    let elapsed_s = (ctx.now_ms() / 1000 - loading.started_s).max(0) as f64;
    let part = loading.loaded_bytes as f64 / loading.total_bytes.max(1) as f64;
    let eta_s = if part > 0.0 { elapsed_s * (1.0 - part) / part } else { 1.0 };
    write(
        lines,
        &[
            ("loading_start_time", &loading.started_s),
            ("loading_total_bytes", &loading.total_bytes),
            ("loading_rdb_used_mem", &loading.used_memory),
            ("loading_loaded_bytes", &loading.loaded_bytes),
            ("loading_loaded_perc", &format!("{:.2}", part * 100.0)),
            ("loading_eta_seconds", &(eta_s as u64)),
        ],
    );
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
    let exceeded = ctx.services.budget.exceeded(ctx.now_ms());
    let links = ctx.services.migration_links.load(Ordering::Relaxed);
    write(
        lines,
        &[
            ("expired_subkeys", &totals.expired_fields),
            ("expired_keys", &totals.expired_keys),
            ("expired_stale_perc", &"0.00"),
            ("expired_time_cap_reached_count", &totals.expire_slices),
            ("expire_cycle_cpu_milliseconds", &(totals.expire_ns / 1_000_000)),
            ("evicted_keys", &totals.evicted_keys),
            ("evicted_clients", &totals.evicted_clients),
            ("evicted_scripts", &ctx.services.scripts.evicted()),
            ("total_eviction_exceeded_time", &exceeded.total_ms),
            ("current_eviction_exceeded_time", &exceeded.current_ms),
            ("keyspace_hits", &totals.keyspace_hits),
            ("keyspace_misses", &totals.keyspace_misses),
            ("pubsub_channels", &pubsub.len(Kind::Channel)),
            ("pubsub_patterns", &pubsub.len(Kind::Pattern)),
            ("pubsubshard_channels", &pubsub.len(Kind::ShardChannel)),
            ("latest_fork_usec", &0),
            ("total_forks", &0),
            ("migrate_cached_sockets", &links),
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
    let sanitized = ctx.services.persistence.sanitized.load(Ordering::Relaxed);
    let denied = &ctx.services.acl.log;
    let tracking = &ctx.services.tracking;
    let totals = ctx.services.statistics.totals();
    let rates = ctx.services.statistics.rates().figures();
    let command_ns = ctx.services.statistics.command_ns();
    let busy_us_per_turn = (rates.busy_ns / rates.turns.max(1.0) / 1000.0).round() as u64;
    write(
        lines,
        &[
            ("tracking_total_keys", &tracking.keys()),
            ("tracking_total_items", &tracking.items()),
            ("tracking_total_prefixes", &tracking.prefixes()),
            ("unexpected_error_replies", &0),
            ("total_error_replies", &totals.errors),
            ("dump_payload_sanitizations", &sanitized),
            ("total_reads_processed", &totals.reads),
            ("total_writes_processed", &totals.writes),
            ("io_threaded_reads_processed", &0),
            ("io_threaded_writes_processed", &0),
            ("client_query_buffer_limit_disconnections", &totals.query_buffer_kills),
            ("client_output_buffer_limit_disconnections", &totals.output_buffer_kills),
            ("reply_buffer_shrinks", &0),
            ("reply_buffer_expands", &0),
            ("eventloop_cycles", &totals.turns),
            ("eventloop_duration_sum", &(totals.busy_ns / 1000)),
            ("eventloop_duration_cmd_sum", &(command_ns / 1000)),
            ("instantaneous_eventloop_duration_usec", &busy_us_per_turn),
            ("instantaneous_eventloop_cycles_per_sec", &(rates.turns.round() as u64)),
            ("acl_access_denied_auth", &denied.count(Reason::Auth)),
            ("acl_access_denied_cmd", &denied.count(Reason::Command)),
            ("acl_access_denied_key", &denied.count(Reason::Key)),
            ("acl_access_denied_channel", &denied.count(Reason::Channel)),
            ("acl_access_denied_db", &denied.count(Reason::Database)),
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

/// What only those look at who look into the server.
pub fn debug(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let statistics = &ctx.services.statistics;
    let (longest_ns, commands) = statistics.extremes();
    write(
        lines,
        &[
            // The journal has a thread of its own.
            ("eventloop_duration_aof_sum", &0),
            ("eventloop_duration_cron_sum", &(statistics.totals().cron_ns / 1000)),
            ("eventloop_duration_max", &(longest_ns / 1000)),
            ("eventloop_cmd_per_cycle_max", &commands),
        ],
    );
}
