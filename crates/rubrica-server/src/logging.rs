//! Log lines in the form that operators of Redis know: `PID:M 21 Nov 2026 10:48:32.123 * text`.

use std::fmt;
use std::fs::OpenOptions;
use std::sync::Mutex;

use config::{Config, LogLevel};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mark = match *event.metadata().level() {
            Level::ERROR | Level::WARN => '#',
            Level::INFO => '*',
            Level::DEBUG => '-',
            Level::TRACE => '.',
        };
        let now = jiff::Zoned::now();
        write!(
            out,
            "{}:M {}.{:03} {mark} ",
            std::process::id(),
            now.strftime("%d %b %Y %H:%M:%S"),
            now.millisecond()
        )?;
        ctx.field_format().format_fields(out.by_ref(), event)?;
        writeln!(out)
    }
}

/// Sends what the server logs to the file that the configuration names, or to standard output.
///
/// # Errors
/// When the file cannot be opened.
pub fn start(config: &Config) -> Result<(), String> {
    if config.logfile.is_empty() {
        install(config, std::io::stdout);
        return Ok(());
    }
    let opened = OpenOptions::new().create(true).append(true).open(&config.logfile);
    let file = opened.map_err(|error| format!("Can't open the log file: {error}"))?;
    install(config, Mutex::new(file));
    Ok(())
}

fn install<W: for<'w> MakeWriter<'w> + Send + Sync + 'static>(config: &Config, writer: W) {
    let level = match config.loglevel {
        LogLevel::Debug => Level::TRACE,
        LogLevel::Verbose => Level::DEBUG,
        LogLevel::Notice => Level::INFO,
        _ => Level::WARN,
    };
    let subscriber = tracing_subscriber::fmt()
        .event_format(Lines)
        .with_max_level(level)
        .with_writer(writer)
        .finish();
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
