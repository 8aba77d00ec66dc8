//! HOTKEYS: which keys take most time and traffic.

use command::{Args, Ctx, Error, Flags, Group, Outcome, Spec};
use observe::{HeavyKeys, HotKeysPlan, HotKeysReport};

/// `HOTKEYS`
pub const HOTKEYS: Spec = Spec {
    name: "hotkeys",
    arity: -2,
    group: Group::Server,
    since: "8.6.0",
    summary: "Holds the commands that find the busiest keys.",
    complexity: "Depends on the subcommand.",
    subcommands: &[
        &Spec {
            name: "get",
            arity: 2,
            summary: "Returns the keys that took most time and traffic.",
            complexity: "O(K) in the number of keys returned",
            run: get,
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
            name: "reset",
            arity: 2,
            summary: "Forgets what was measured.",
            run: reset,
            ..COMMON
        },
        &Spec {
            name: "start",
            arity: -2,
            summary: "Begins to measure what keys take.",
            syntax: "metrics=(METRICS count:integer [CPU] [NET]) [COUNT k:integer] \
                     [DURATION seconds:integer] [SAMPLE ratio:integer] \
                     [slots=(SLOTS count:integer slot:integer...)]",
            run: start,
            ..COMMON
        },
        &Spec {
            name: "stop",
            arity: 2,
            summary: "Ends the measurement, and keeps its results.",
            run: stop,
            ..COMMON
        },
    ],
    ..Spec::BASE
};

const COMMON: Spec = Spec {
    container: Some("hotkeys"),
    flags: Flags::ADMIN.union(Flags::NOSCRIPT),
    group: Group::Server,
    since: "8.6.0",
    complexity: "O(1)",
    ..Spec::BASE
};

/// Keys that can be shown at most.
const COUNT_MAX: i64 = 64;
/// Seconds that a measurement can last at most when it is to end by itself.
const DURATION_S_MAX: i64 = 1_000_000;

fn start(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let now_ms = ctx.now_us / 1000;
    let hot_keys = &ctx.services.hot_keys;
    let in_progress = Error::fixed("ERR hotkey tracking session already in progress");
    // Asked twice: here because this error comes first, below because another may begin in between.
    if hot_keys.report(now_ms).is_some_and(|report| report.is_active) {
        return Err(in_progress);
    }
    let plan = plan(args)?;
    let time = ctx.services.host.processor_time();
    if !hot_keys.start(plan, now_ms, (time.user_us, time.system_us)) {
        return Err(in_progress);
    }
    ctx.reply.simple("OK");
    Ok(())
}

fn plan(args: Args<'_>) -> Result<HotKeysPlan, Error> {
    if args.len() < 4 || !args.is(2, "METRICS") {
        return Err(Error::fixed("ERR METRICS parameter is required"));
    }
    let error = Error::fixed("ERR METRICS count must be > 0 and <= 2");
    let metrics = args.integer_in(3, 1..=2, error)? as usize;
    let mut plan =
        HotKeysPlan { cpu: false, net: false, count: 10, duration_ms: None, sample_ratio: 1 };
    for word in 4..(4 + metrics).min(args.len()) {
        let (name, chosen) = match () {
            () if args.is(word, "CPU") => ("CPU", &mut plan.cpu),
            () if args.is(word, "NET") => ("NET", &mut plan.net),
            () => continue,
        };
        if std::mem::replace(chosen, true) {
            return Err(Error::new(format!("ERR METRICS {name} defined more than once!")));
        }
    }
    if args.len() < 4 + metrics {
        let text = "ERR METRICS count does not match number of metric types provided";
        return Err(Error::fixed(text));
    }
    if !plan.cpu && !plan.net {
        return Err(Error::fixed("ERR METRICS no valid metrics passed. Supported: CPU|NET"));
    }
    let mut word = 4 + metrics;
    while word < args.len() {
        if word + 1 == args.len() {
            return Err(Error::SYNTAX);
        }
        let number = |range, error| args.integer_in(word + 1, range, Error::fixed(error));
        if args.is(word, "COUNT") {
            let error = "ERR COUNT must be between 1 and 64";
            plan.count = number(1..=COUNT_MAX, error)? as usize;
        } else if args.is(word, "DURATION") {
            let error = "ERR DURATION must be between 1 and 1000000";
            plan.duration_ms = Some(number(1..=DURATION_S_MAX, error)? * 1000);
        } else if args.is(word, "SAMPLE") {
            let range = 1..=i64::from(i32::MAX);
            plan.sample_ratio = number(range, "ERR SAMPLE ratio must be positive")? as u32;
        } else if args.is(word, "SLOTS") {
            let text = "ERR SLOTS parameter cannot be used in non-cluster mode";
            return Err(Error::fixed(text));
        } else {
            return Err(Error::SYNTAX);
        }
        word += 2;
    }
    Ok(plan)
}

fn stop(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    match ctx.services.hot_keys.stop(ctx.now_us / 1000) {
        true => ctx.reply.simple("OK"),
        false => ctx.reply.null(),
    }
    Ok(())
}

fn reset(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    if !ctx.services.hot_keys.reset(ctx.now_us / 1000) {
        let text = "ERR hotkey tracking session in progress, stop tracking first";
        return Err(Error::fixed(text));
    }
    ctx.reply.simple("OK");
    Ok(())
}

fn get(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let Some(report) = ctx.services.hot_keys.report(ctx.now_us / 1000) else {
        ctx.reply.null();
        return Ok(());
    };
    // A list of maps, so that the reports of several nodes can be put together.
    ctx.reply.array(1);
    let HotKeysReport { plan, .. } = report;
    ctx.reply.map(7 + 3 * usize::from(plan.cpu) + 2 * usize::from(plan.net));
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    field(ctx, "tracking-active", report.is_active.into());
    field(ctx, "sample-ratio", plan.sample_ratio.into());
    ctx.reply.bulk(b"selected-slots");
    ctx.reply.array(1);
    ctx.reply.array(2);
    ctx.reply.integer(0);
    ctx.reply.integer(16383);
    field(ctx, "all-commands-all-slots-us", signed(report.all_us));
    field(ctx, "net-bytes-all-commands-all-slots", signed(report.all_bytes));
    field(ctx, "collection-start-time-unix-ms", report.start_ms);
    field(ctx, "collection-duration-ms", report.duration_ms);
    if plan.cpu {
        let time = ctx.services.host.processor_time();
        let (user_us, system_us) = report.start_cpu_us;
        let since = |now: u64, then: u64| signed(now.saturating_sub(then) / 1000);
        field(ctx, "total-cpu-time-user-ms", since(time.user_us, user_us));
        field(ctx, "total-cpu-time-sys-ms", since(time.system_us, system_us));
    }
    if plan.net {
        field(ctx, "total-net-bytes", signed(report.measured_bytes));
    }
    if plan.cpu {
        keys(ctx, "by-cpu-time-us", report.by_time_us);
    }
    if plan.net {
        keys(ctx, "by-net-bytes", report.by_bytes);
    }
    Ok(())
}

fn field(ctx: &mut Ctx<'_>, name: &str, number: i64) {
    ctx.reply.bulk(name.as_bytes());
    ctx.reply.integer(number);
}

fn keys(ctx: &mut Ctx<'_>, name: &str, keys: HeavyKeys) {
    ctx.reply.bulk(name.as_bytes());
    ctx.reply.array(keys.len() * 2);
    for (key, weight) in keys {
        ctx.reply.bulk(&key);
        ctx.reply.integer(i64::try_from(weight).unwrap_or(i64::MAX));
    }
}

fn help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    crate::help::reply(
        ctx,
        args,
        &[
            "START METRICS <count> [CPU] [NET] [COUNT <k>] [DURATION <seconds>] [SAMPLE <ratio>]",
            "      [SLOTS <count> <slot> ...]",
            "    Begin to measure what keys take of time (CPU) or traffic (NET).",
            "    <k> keys are shown (10 when not given); of <ratio> commands one is measured.",
            "STOP",
            "    End the measurement, and keep its results.",
            "GET",
            "    Return what was measured.",
            "RESET",
            "    Forget what was measured.",
        ],
    );
    Ok(())
}
