//! LATENCY: slow events, and how long commands take.

use command::{Args, Command, Ctx, Error, Flags, Group, Outcome, Spec};
use observe::{Sample, Series, Snapshot};

/// `LATENCY`
pub const LATENCY: Spec = Spec {
    name: "latency",
    arity: -2,
    group: Group::Server,
    since: "2.8.13",
    summary: "Holds the commands that tell of latency.",
    complexity: "Depends on the subcommand.",
    subcommands: &[
        &Spec {
            name: "doctor",
            arity: 2,
            summary: "Tells in words which events were slow.",
            tips: REPORT_TIPS,
            run: doctor,
            ..COMMON
        },
        &Spec {
            name: "graph",
            arity: 3,
            summary: "Draws the slow events of one name.",
            syntax: "event",
            tips: REPORT_TIPS,
            run: graph,
            ..COMMON
        },
        &Spec {
            name: "help",
            arity: 2,
            flags: Flags::LOADING.union(Flags::STALE),
            summary: "Lists the subcommands.",
            run: help,
            ..COMMON
        },
        &Spec {
            name: "histogram",
            arity: -2,
            since: "7.0.0",
            summary: "Returns how the durations of some commands, or all, are distributed.",
            complexity: "O(N) in the number of commands",
            syntax: "[command]...",
            tips: REPORT_TIPS,
            run: histogram,
            ..COMMON
        },
        &Spec {
            name: "history",
            arity: 3,
            summary: "Returns the slow events of one name.",
            syntax: "event",
            tips: REPORT_TIPS,
            run: history,
            ..COMMON
        },
        &Spec {
            name: "latest",
            arity: 2,
            summary: "Returns the last slow event of each name.",
            tips: REPORT_TIPS,
            run: latest,
            ..COMMON
        },
        &Spec {
            name: "reset",
            arity: -2,
            summary: "Forgets the slow events of some names, or all.",
            syntax: "[event]...",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            run: reset,
            ..COMMON
        },
    ],
    ..Spec::BASE
};

const COMMON: Spec = Spec {
    container: Some("latency"),
    flags: Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE),
    group: Group::Server,
    since: "2.8.13",
    complexity: "O(1)",
    ..Spec::BASE
};

const REPORT_TIPS: &[&str] =
    &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"];

fn histogram(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let table = &ctx.services.table;
    let mut asked: Vec<Command> = Vec::new();
    if args.len() == 2 {
        asked.extend(table.all());
    }
    for command in args.iter_from(2).filter_map(|name| table.by_full_name(name)) {
        let full_name = command.full_name();
        let inside = |sub: &&Command| sub.container.is_some_and(|outer| outer == full_name);
        asked.push(command);
        asked.extend(table.all().iter().filter(inside));
    }
    let found = asked.into_iter().map(|command| {
        (command.full_name(), ctx.services.statistics.command(command.id()).histogram)
    });
    let found: Vec<_> = found.filter(|(_, histogram)| histogram.total() > 0).collect();
    ctx.reply.map(found.len());
    for (name, histogram) in found {
        ctx.reply.bulk(name.as_bytes());
        distribution(ctx, &histogram);
    }
    Ok(())
}

fn distribution(ctx: &mut Ctx<'_>, histogram: &Snapshot) {
    let integer = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    ctx.reply.map(2);
    ctx.reply.bulk(b"calls");
    ctx.reply.integer(integer(histogram.total()));
    ctx.reply.bulk(b"histogram_usec");
    let pairs = histogram.cumulative_by_power_of_two();
    ctx.reply.map(pairs.len());
    for (us, count) in pairs {
        ctx.reply.integer(integer(us));
        ctx.reply.integer(integer(count));
    }
}

fn latest(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let all = ctx.services.latency.all();
    ctx.reply.array(all.len());
    for (name, series) in all {
        let last = series.samples.back().copied().unwrap_or(Sample { time_s: 0, latency_ms: 0 });
        ctx.reply.array(4);
        ctx.reply.bulk(name.as_bytes());
        sample(ctx, last);
        ctx.reply.integer(i64::try_from(series.max_ms).unwrap_or(i64::MAX));
    }
    Ok(())
}

fn history(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let series = ctx.services.latency.get(args.at(2)).unwrap_or_default();
    ctx.reply.array(series.samples.len());
    for one in series.samples {
        ctx.reply.array(2);
        sample(ctx, one);
    }
    Ok(())
}

fn sample(ctx: &mut Ctx<'_>, sample: Sample) {
    ctx.reply.integer(sample.time_s);
    ctx.reply.integer(i64::try_from(sample.latency_ms).unwrap_or(i64::MAX));
}

fn reset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let latency = &ctx.services.latency;
    let count = if args.len() == 2 {
        latency.reset(None)
    } else {
        args.iter_from(2).map(|event| latency.reset(Some(event))).sum()
    };
    ctx.reply.integer(count as i64);
    Ok(())
}

fn graph(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let event = args.text(2);
    let series = ctx.services.latency.get(args.at(2)).filter(|series| !series.samples.is_empty());
    let Some(series) = series else {
        return Err(Error::new(format!("ERR No samples available for event '{event}'")));
    };
    let text = draw(&event, &series, ctx.now_us / 1_000_000);
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// Width of the line above the graph.
const WIDTH: usize = 80;
/// Height of the graph.
const ROWS: u64 = 4;

/// A bar per event, oldest first, and below each how long ago it was, written downwards.
fn draw(event: &str, series: &Series, now_s: i64) -> String {
    let latencies = || series.samples.iter().map(|sample| sample.latency_ms);
    let (high, low) = (latencies().max().unwrap_or(0), latencies().min().unwrap_or(0));
    let mut text = format!(
        "{event} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
        series.max_ms,
        "-".repeat(WIDTH)
    );
    // Heights count half rows, so that a bar's top can be a flat or a full character.
    let steps = ROWS * 2;
    let height = |latency: u64| 1 + (latency - low).saturating_mul(steps - 1) / (high - low).max(1);
    for row in (0..ROWS).rev() {
        let column = |latency: u64| match height(latency) {
            height if height > row * 2 + 1 => '#',
            height if height > row * 2 => '_',
            _ => ' ',
        };
        let line: String = latencies().map(column).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let ages: Vec<String> = series.samples.iter().map(|one| age(now_s - one.time_s)).collect();
    let depth = ages.iter().map(String::len).max().unwrap_or(0);
    text.push('\n');
    for line in 0..depth {
        let line: String =
            ages.iter().map(|age| age.as_bytes().get(line).map_or(' ', |&b| b as char)).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{}s", seconds.max(0)),
        60..3600 => format!("{}m", seconds / 60),
        3600..86400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

fn doctor(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let all = ctx.services.latency.all();
    let threshold_ms = ctx.config.latency_monitor_threshold_ms;
    let mut text = String::new();
    if all.is_empty() && threshold_ms == 0 {
        text.push_str(
            "The latency monitor is off: nothing was recorded. CONFIG SET \
             latency-monitor-threshold <milliseconds> turns it on.\n",
        );
    } else if all.is_empty() {
        text.push_str("No event took longer than the latency monitor's threshold.\n");
    } else {
        text.push_str("Events that took longer than the latency monitor's threshold:\n\n");
        for (index, (name, series)) in all.iter().enumerate() {
            text.push_str(&diagnosis(index + 1, name, series));
        }
        text.push_str("\nWhat may help:\n\n");
        text.push_str(&advice(ctx, &all));
    }
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn diagnosis(number: usize, name: &str, series: &Series) -> String {
    let count = series.samples.len().max(1) as u64;
    let sum: u64 = series.samples.iter().map(|sample| sample.latency_ms).sum();
    let mean = sum / count;
    let deviation: u64 =
        series.samples.iter().map(|sample| sample.latency_ms.abs_diff(mean)).sum::<u64>() / count;
    let ends = (series.samples.front(), series.samples.back());
    let span = match ends {
        (Some(first), Some(last)) => last.time_s - first.time_s,
        _ => 0,
    };
    format!(
        "{number}. {name}: {count} latency spikes (average {mean}ms, mean deviation {deviation}ms, \
         period {:.2} sec). Worst all time event {}ms.\n",
        span as f64 / count as f64,
        series.max_ms
    )
}

fn advice(ctx: &Ctx<'_>, all: &[(&'static str, Series)]) -> String {
    let has = |name: &str| all.iter().any(|(event, _)| *event == name);
    let threshold_us =
        i64::try_from(ctx.config.latency_monitor_threshold_ms.saturating_mul(1000)).unwrap_or(0);
    let slow_us = ctx.config.slowlog_log_slower_than_us;
    let mut text = String::new();
    if has("command") {
        if !(0..=threshold_us).contains(&slow_us) {
            text.push_str(&format!(
                "- Let the slow log see these commands: CONFIG SET slowlog-log-slower-than \
                 {threshold_us}\n"
            ));
        }
        text.push_str("- SLOWLOG GET tells which commands took long, and with which arguments.\n");
        text.push_str("- Commands over large collections take long: read them in parts.\n");
    }
    if has("fast-command") {
        text.push_str(
            "- Commands of constant time were slow: the machine gives the server too little \
             processor time. Look for other programs, a noisy neighbour, or swapping.\n",
        );
    }
    if text.is_empty() {
        text.push_str("- LATENCY HISTORY <event> tells when these events were slow.\n");
    }
    text
}

fn help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    crate::help::reply(
        ctx,
        args,
        &[
            "DOCTOR",
            "    Tell in words which events were slow, and what may help.",
            "GRAPH <event>",
            "    Draw the slow events of one name.",
            "HISTORY <event>",
            "    Return time and milliseconds of the slow events of one name.",
            "LATEST",
            "    Return the last slow event of each name.",
            "RESET [<event> ...]",
            "    Forget the slow events of some names; all when none is given.",
            "HISTOGRAM [<command-name> ...]",
            "    Return how the durations of some commands are distributed; all when none is",
            "    given.",
        ],
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_has_a_bar_and_an_age_per_event() {
        let series = Series {
            samples: [(10, 5), (70, 40), (100, 20)]
                .map(|(time_s, latency_ms)| Sample { time_s, latency_ms })
                .into(),
            max_ms: 50,
        };
        let text = draw("command", &series, 130);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "command - high 40 ms, low 5 ms (all time high 50 ms)");
        assert_eq!(lines[2..6], [" #", " #", " ##", "_##"]);
        assert_eq!(lines[7..], ["213", "mm0", "  s"]);
    }
}
