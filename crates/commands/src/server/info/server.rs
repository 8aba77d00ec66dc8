use command::{Ctx, REDIS_VERSION, RUBRICA_VERSION};

use super::Lines;
use std::sync::atomic::Ordering;

use crate::server::memory::report::{blocked_clients, largest_buffers};

/// Seconds of a day.
const DAY_S: i64 = 24 * 60 * 60;
/// The access clock of entries counts seconds in 24 bits.
const CLOCK_MASK: i64 = 0xff_ffff;

pub fn server(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let host = &ctx.services.host;
    let system = host.system();
    let config = ctx.config;
    let now_s = ctx.now_us / 1_000_000;
    let uptime_s = (ctx.now_ms() - host.started_ms()).max(0) / 1000;
    lines.field("redis_version", REDIS_VERSION);
    lines.field("server_name", "rubrica");
    lines.field("rubrica_version", RUBRICA_VERSION);
    lines.field("redis_git_sha1", "00000000");
    lines.field("redis_git_dirty", 0);
    lines.field("redis_build_id", "0");
    lines.field("redis_mode", "standalone");
    lines.field("os", &system.os);
    lines.field("arch_bits", usize::BITS);
    lines.field("monotonic_clock", "time-stamp counter where reliable");
    lines.field("multiplexing_api", "epoll");
    lines.field("atomicvar_api", "rust");
    lines.field("gcc_version", "0.0.0");
    lines.field("process_id", system.process_id);
    lines.field("process_supervised", host.supervisor());
    lines.field("run_id", host.run_id());
    let port = if config.port == 0 { config.tls_port } else { config.port };
    lines.field("tcp_port", port);
    lines.field("server_time_usec", ctx.now_us);
    lines.field("uptime_in_seconds", uptime_s);
    lines.field("uptime_in_days", uptime_s / DAY_S);
    lines.field("hz", config.hz);
    lines.field("configured_hz", config.hz);
    lines.field("lru_clock", now_s & CLOCK_MASK);
    lines.field("executable", host.executable());
    lines.field("config_file", host.config_file().unwrap_or_default());
    lines.field("io_threads_active", 0);
    lines.field("workers", host.workers());
    let mut number = 0;
    let bind: String = config.bind.iter().map(|one| format!("bind={one},")).collect();
    if config.port != 0 && !config.bind.is_empty() {
        lines.field("listener0", format_args!("name=tcp,{bind}port={}", config.port));
        number = 1;
    }
    if !config.unixsocket.is_empty() {
        let name = format!("listener{number}");
        lines.field(&name, format_args!("name=unix,bind={}", config.unixsocket));
        number += 1;
    }
    if config.tls_port != 0 && !config.bind.is_empty() {
        let port = config.tls_port;
        lines.field(&format!("listener{number}"), format_args!("name=tls,{bind}port={port}"));
    }
}

pub fn clients(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let (input, output) = largest_buffers(ctx);
    let all = ctx.services.clients.all();
    let watching = all.iter().filter(|one| one.figures.watched.get() > 0).count();
    let watched: u64 = all.iter().map(|one| one.figures.watched.get()).sum();
    let subscribed = |figures: &command::clients::Figures| figures.is_subscriber();
    lines.field("connected_clients", all.len());
    lines.field("cluster_connections", 0);
    lines.field("maxclients", ctx.config.maxclients);
    lines.field("client_recent_max_input_buffer", input);
    lines.field("client_recent_max_output_buffer", output);
    let held = all.iter().filter(|one| one.figures.held.load(Ordering::Relaxed)).count();
    lines.field("blocked_clients", blocked_clients(ctx) + held);
    lines.field("tracking_clients", ctx.services.tracking.clients());
    lines.field("pubsub_clients", all.iter().filter(|one| subscribed(&one.figures)).count());
    lines.field("watching_clients", watching);
    lines.field("clients_in_timeout_table", 0);
    lines.field("total_watched_keys", watched);
    let (awaited, of_groups) = ctx.services.parked.keys();
    lines.field("total_blocking_keys", awaited);
    lines.field("total_blocking_keys_on_nokey", of_groups);
}

pub fn cpu(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let time = ctx.services.host.processor_time();
    for (name, us) in [
        ("used_cpu_sys", time.system_us),
        ("used_cpu_user", time.user_us),
        ("used_cpu_sys_children", time.children_system_us),
        ("used_cpu_user_children", time.children_user_us),
        ("used_cpu_sys_main_thread", time.thread_system_us),
        ("used_cpu_user_main_thread", time.thread_user_us),
    ] {
        lines.field(name, format_args!("{}.{:06}", us / 1_000_000, us % 1_000_000));
    }
}
