use std::sync::atomic::Ordering;

use command::Ctx;

use super::{Lines, human};
use crate::server::memory::report::{Report, excess};

pub fn memory(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    let report = Report::take(ctx);
    let figures = report.figures;
    lines.bytes("used_memory", figures.allocated);
    lines.bytes("used_memory_rss", figures.rss);
    lines.bytes("used_memory_peak", figures.peak);
    lines.field("used_memory_peak_perc", format_args!("{:.2}%", report.peak_percent()));
    lines.field("used_memory_overhead", report.overhead());
    lines.field("used_memory_startup", figures.startup);
    lines.field("used_memory_dataset", report.dataset());
    lines.field("used_memory_dataset_perc", format_args!("{:.2}%", report.dataset_percent()));
    lines.field("allocator_allocated", figures.allocated);
    lines.field("allocator_active", figures.active);
    lines.field("allocator_resident", figures.resident);
    lines.field("allocator_muzzy", 0);
    lines.bytes("total_system_memory", ctx.services.host.system().memory_bytes);
    scripts(ctx, lines);
    lines.bytes("maxmemory", ctx.config.maxmemory);
    lines.field("maxmemory_policy", policy(ctx));
    for (ratio_name, bytes_name, over, under) in [
        ("allocator_frag_ratio", "allocator_frag_bytes", figures.active, figures.allocated),
        ("allocator_rss_ratio", "allocator_rss_bytes", figures.resident, figures.active),
        ("rss_overhead_ratio", "rss_overhead_bytes", figures.rss, figures.resident),
        ("mem_fragmentation_ratio", "mem_fragmentation_bytes", figures.rss, figures.allocated),
    ] {
        let (ratio, bytes) = excess(over, under);
        lines.field(ratio_name, format_args!("{ratio:.2}"));
        lines.field(bytes_name, bytes);
    }
    lines.field("mem_not_counted_for_evict", 0);
    lines.field("mem_replication_backlog", 0);
    lines.field("mem_total_replication_buffers", 0);
    lines.field("mem_clients_slaves", 0);
    lines.field("mem_clients_normal", report.clients_bytes);
    lines.field("mem_cluster_links", 0);
    lines.field("mem_aof_buffer", 0);
    lines.field("mem_allocator", ctx.services.host.allocator());
    lines.field("mem_overhead_db_hashtable_rehashing", 0);
    lines.field("active_defrag_running", 0);
    let reclaimer = ctx.services.keyspace.reclaimer();
    lines.field("lazyfree_pending_objects", reclaimer.pending());
    lines.field("lazyfreed_objects", reclaimer.freed());
}

/// Scripts and functions.
fn scripts(ctx: &Ctx<'_>, lines: &mut Lines) {
    let scripts = &ctx.services.scripts;
    let [eval, functions] = &scripts.vm_bytes;
    let (eval, functions) = (eval.load(Ordering::Relaxed), functions.load(Ordering::Relaxed));
    let (count, bytes) = scripts.cached();
    let libraries = scripts.libraries();
    let (bytes, library_bytes) = (bytes as u64, libraries.bytes() as u64);
    lines.field("used_memory_lua", eval);
    lines.field("used_memory_vm_eval", eval);
    lines.field("used_memory_lua_human", human(eval));
    lines.field("used_memory_scripts_eval", bytes);
    lines.field("number_of_cached_scripts", count);
    lines.field("number_of_functions", libraries.functions.len());
    lines.field("number_of_libraries", libraries.by_name.len());
    lines.field("used_memory_vm_functions", functions);
    lines.bytes("used_memory_vm_total", eval + functions);
    lines.field("used_memory_functions", library_bytes);
    lines.bytes("used_memory_scripts", bytes + library_bytes);
}

fn policy(ctx: &Ctx<'_>) -> String {
    let found = config::find(b"maxmemory-policy").map(|option| option.text(ctx.config));
    String::from_utf8(found.unwrap_or_default()).unwrap_or_default()
}
