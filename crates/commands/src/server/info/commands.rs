use command::Ctx;

use super::Lines;

pub fn commandstats(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    for command in ctx.services.table.all() {
        let totals = ctx.services.statistics.command(command.id());
        if totals.calls + totals.rejected + totals.failed == 0 {
            continue;
        }
        // Summed up in nanoseconds, so that short commands are not rounded away one by one.
        let us = totals.time_ns as f64 / 1000.0;
        let per_call = if totals.calls == 0 { 0.0 } else { us / totals.calls as f64 };
        lines.field(
            &format!("cmdstat_{}", command.full_name()),
            format_args!(
                "calls={},usec={},usec_per_call={per_call:.2},rejected_calls={},failed_calls={}",
                totals.calls,
                totals.time_ns / 1000,
                totals.rejected,
                totals.failed
            ),
        );
    }
}

pub fn errorstats(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    for (prefix, count) in ctx.services.statistics.errors() {
        // A script's own error may have any name; it must not look like another line.
        let prefix = prefix.replace(['#', ':', '\n', '\r'], "_");
        lines.field(&format!("errorstat_{prefix}"), format_args!("count={count}"));
    }
}

pub fn latencystats(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    if !ctx.config.latency_tracking {
        return;
    }
    for command in ctx.services.table.all() {
        let histogram = ctx.services.statistics.command(command.id()).histogram;
        if histogram.total() == 0 {
            continue;
        }
        let percentiles = ctx.config.latency_tracking_info_percentiles.iter();
        let parts: Vec<String> = percentiles
            .map(|percent| {
                let us = histogram.percentile(*percent) as f64 / 1000.0;
                format!("p{percent}={us:.3}")
            })
            .collect();
        lines.field(&format!("latency_percentiles_usec_{}", command.full_name()), parts.join(","));
    }
}
