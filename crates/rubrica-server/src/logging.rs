//! Log lines in the form that operators of Redis know: `PID:M 21 Nov 2026 10:48:32.123 * text`.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Stdout, Write};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use config::{Config, LogLevel, Store};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
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
    /// Where the level is read from once the server runs; CONFIG SET changes it there.
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
        let (first, store) = (config.loglevel, Arc::clone(&running));
        let wanted = dynamic_filter_fn(move |metadata, _| {
            let level = store.get().map_or(first, |store| store.load().loglevel);
            threshold(level).is_some_and(|threshold| *metadata.level() <= threshold)
        });
        let lines = tracing_subscriber::fmt::layer()
            .event_format(Lines)
            .with_writer(sink.clone())
            .with_filter(wanted);
        // A second start in one process (tests) keeps the first subscriber.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines));
        Ok(Self { sink, running })
    }

    /// Takes the level from the running server's configuration from now on.
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
