//! Log lines in the form that operators of Redis know, `PID:M 21 Nov 2026 10:48:32.123 * text`, or as
//! `key=value` pairs (`log-format logfmt`).

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Stdout, Write};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use config::{Config, LogFormat, LogLevel, LogTimestamp, Store};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

/// How lines look, and which are written: as the configuration said at the start, and as it says in the
/// running server from then on.
#[derive(Clone)]
struct Style {
    first: (LogLevel, LogFormat, LogTimestamp),
    running: Arc<OnceLock<Arc<Store>>>,
}

impl Style {
    fn of(config: &Config) -> (LogLevel, LogFormat, LogTimestamp) {
        (config.loglevel, config.log_format, config.log_timestamp_format)
    }

    fn now(&self) -> (LogLevel, LogFormat, LogTimestamp) {
        self.running.get().map_or(self.first, |store| Self::of(&store.load()))
    }
}

struct Lines(Style);

/// The mark of a level, and its name.
fn mark(level: Level) -> (char, &'static str) {
    match level {
        Level::ERROR | Level::WARN => ('#', "warning"),
        Level::INFO => ('*', "notice"),
        Level::DEBUG => ('-', "info"),
        Level::TRACE => ('.', "debug"),
    }
}

fn timestamp(now: &jiff::Zoned, format: LogTimestamp) -> String {
    let milliseconds = now.millisecond();
    match format {
        LogTimestamp::Legacy => {
            format!("{}.{milliseconds:03}", now.strftime("%d %b %Y %H:%M:%S"))
        }
        LogTimestamp::Iso8601 => {
            format!(
                "{}.{milliseconds:03}{}",
                now.strftime("%Y-%m-%dT%H:%M:%S"),
                now.strftime("%:z")
            )
        }
        LogTimestamp::Milliseconds => now.timestamp().as_millisecond().to_string(),
    }
}

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
        let (_, format, times) = self.0.now();
        let (mark, level) = mark(*event.metadata().level());
        let time = timestamp(&jiff::Zoned::now(), times);
        let pid = std::process::id();
        if format == LogFormat::Legacy {
            write!(out, "{pid}:M {time} {mark} ")?;
            ctx.field_format().format_fields(out.by_ref(), event)?;
            return writeln!(out);
        }
        let mut message = String::new();
        ctx.field_format().format_fields(Writer::new(&mut message), event)?;
        let message = message.replace('"', "'").replace(['\n', '\r'], " ");
        writeln!(
            out,
            "pid={pid} role=primary timestamp=\"{time}\" level={level} message=\"{message}\""
        )
    }
}

/// Where lines go. A file is opened for every line, so that whoever moves it away to rotate the log needs
/// to tell nobody.
#[derive(Clone)]
struct Sink(Option<PathBuf>);

enum Line {
    Stdout(Stdout),
    File(File),
    /// The file cannot be opened now: the line is lost, as a full disk's would be.
    Lost,
}

impl<'w> MakeWriter<'w> for Sink {
    type Writer = Line;

    fn make_writer(&'w self) -> Line {
        match &self.0 {
            None => Line::Stdout(io::stdout()),
            Some(path) => match OpenOptions::new().create(true).append(true).open(path) {
                Ok(file) => Line::File(file),
                Err(_) => Line::Lost,
            },
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File(file) => file.write(bytes),
            Self::Lost => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(file) => file.flush(),
            Self::Lost => Ok(()),
        }
    }
}

/// The log of this process.
pub struct Log {
    sink: Sink,
    /// Where the style is read from once the server runs; CONFIG SET changes it there.
    running: Arc<OnceLock<Arc<Store>>>,
}

impl Log {
    /// Sends what the server logs to the file that the configuration names, or to standard output.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn start(config: &Config) -> Result<Self, String> {
        let path = (!config.logfile.is_empty()).then(|| PathBuf::from(&config.logfile));
        if let Some(path) = &path {
            let opened = OpenOptions::new().create(true).append(true).open(path);
            opened.map_err(|error| format!("Can't open the log file: {error}"))?;
        }
        let sink = Sink(path);
        let running: Arc<OnceLock<Arc<Store>>> = Arc::default();
        let style = Style { first: Style::of(config), running: Arc::clone(&running) };
        let lines = Lines(style.clone());
        let wanted = dynamic_filter_fn(move |metadata, _| {
            threshold(style.now().0).is_some_and(|threshold| *metadata.level() <= threshold)
        });
        let lines = tracing_subscriber::fmt::layer()
            .event_format(lines)
            .with_writer(sink.clone())
            .with_filter(wanted);
        // A second start in one process (tests) keeps the first subscriber.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines));
        Ok(Self { sink, running })
    }

    /// Takes level and form from the running server's configuration from now on.
    pub fn follow(&self, store: &Arc<Store>) {
        let _ = self.running.set(Arc::clone(store));
    }

    /// Writes text as it is, without time and level.
    pub fn raw(&self, text: &str) {
        // Who cannot be written to cannot be told so.
        let _ = self.sink.make_writer().write_all(text.as_bytes());
    }

    /// Whether lines go to standard output.
    pub fn is_stdout(&self) -> bool {
        self.sink.0.is_none()
    }
}

/// The least severe level that is written.
fn threshold(level: LogLevel) -> Option<Level> {
    Some(match level {
        LogLevel::Debug => Level::TRACE,
        LogLevel::Verbose => Level::DEBUG,
        LogLevel::Notice => Level::INFO,
        LogLevel::Warning => Level::WARN,
        LogLevel::Nothing => return None,
    })
}
