//! The log, the slow log and latency.

use super::{INT, LONG, MB, NO, YES, int, text, word};
use crate::Opt;
use crate::Status::{Accepted, Works};
use crate::kind::Kind;
use crate::value::at;
use crate::{LogFormat, LogLevel, LogTimestamp};

const FACILITIES: &[&str] =
    &["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"];

pub(super) const OPTIONS: &[Opt] = &[
    Opt::new(
        Works,
        "loglevel",
        word(LogLevel::WORDS, "notice"),
        at!(loglevel),
        "The least severe messages that are logged.",
    ),
    Opt::new(
        Works,
        "logfile",
        text(""),
        at!(logfile),
        "File to log to; empty means standard output.",
    )
    .immutable(),
    Opt::new(
        Works,
        "log-format",
        word(LogFormat::WORDS, "legacy"),
        at!(log_format),
        "The form of log lines.",
    ),
    Opt::new(
        Works,
        "log-timestamp-format",
        word(LogTimestamp::WORDS, "legacy"),
        at!(log_timestamp_format),
        "The form of times in log lines.",
    ),
    Opt::new(
        Accepted,
        "hide-user-data-from-log",
        NO,
        at!(hide_user_data_from_log),
        "Keep keys and values out of the log.",
    ),
    Opt::new(
        Works,
        "always-show-logo",
        NO,
        at!(always_show_logo),
        "Print the logo even if standard output is no terminal.",
    )
    .immutable(),
    Opt::ignored("syslog-enabled", NO, "Log to the system's log, too.").immutable(),
    Opt::ignored("syslog-ident", text("rubrica"), "Name in the system's log.").immutable(),
    Opt::ignored("syslog-facility", word(FACILITIES, "local0"), "Facility in the system's log.")
        .immutable(),
    Opt::new(
        Works,
        "crash-log-enabled",
        YES,
        at!(crash_log_enabled),
        "Log what is known when the process crashes.",
    ),
    Opt::ignored("crash-memcheck-enabled", YES, "Test the memory when the process crashes."),
    Opt::ignored("use-exit-on-panic", NO, "Exit rather than abort on a failed assertion.").hidden(),
    Opt::ignored(
        "watchdog-period",
        int(0, INT, 0),
        "Milliseconds after which a command that still runs is logged; 0 means never.",
    )
    .hidden(),
    Opt::ignored("debug-context", text(""), "Text that a crash log repeats.").hidden(),
    Opt::new(
        Works,
        "slowlog-log-slower-than",
        int(-1, LONG, 10000),
        at!(slowlog_log_slower_than_us),
        "Microseconds from which a command is slow; 0 logs every command, -1 none.",
    )
    .alias(&["commandlog-execution-slower-than"]),
    Opt::new(
        Works,
        "slowlog-max-len",
        int(0, LONG, 128),
        at!(slowlog_max_len),
        "Slow commands that are remembered.",
    )
    .alias(&["commandlog-slow-execution-max-len"]),
    Opt::new(
        Works,
        "slowlog-entry-max-argc",
        int(2, INT, 32),
        at!(slowlog_entry_max_argc),
        "Arguments of a command that the slow log keeps.",
    ),
    Opt::new(
        Works,
        "slowlog-entry-max-string-len",
        int(1, LONG, 128),
        at!(slowlog_entry_max_string_len),
        "Bytes of an argument that the slow log keeps.",
    ),
    Opt::new(
        Works,
        "commandlog-request-larger-than",
        int(-1, LONG, MB),
        at!(commandlog_request_larger_than),
        "Bytes from which a request is logged as large; -1 logs none.",
    ),
    Opt::new(
        Works,
        "commandlog-large-request-max-len",
        int(0, LONG, 128),
        at!(commandlog_large_request_max_len),
        "Large requests that are remembered.",
    ),
    Opt::new(
        Works,
        "commandlog-reply-larger-than",
        int(-1, LONG, MB),
        at!(commandlog_reply_larger_than),
        "Bytes from which a reply is logged as large; -1 logs none.",
    ),
    Opt::new(
        Works,
        "commandlog-large-reply-max-len",
        int(0, LONG, 128),
        at!(commandlog_large_reply_max_len),
        "Large replies that are remembered.",
    ),
    Opt::new(
        Works,
        "latency-monitor-threshold",
        int(0, LONG, 0),
        at!(latency_monitor_threshold_ms),
        "Milliseconds from which an event is recorded by the latency monitor; 0 turns it off.",
    ),
    Opt::new(
        Works,
        "latency-tracking",
        YES,
        at!(latency_tracking),
        "Keep the distribution of each command's latency.",
    ),
    Opt::new(
        Works,
        "latency-tracking-info-percentiles",
        Kind::Percentiles(&[50.0, 99.0, 99.9]),
        at!(latency_tracking_info_percentiles),
        "Percentiles of latencies that INFO shows.",
    ),
];
