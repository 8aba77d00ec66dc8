//! What is written to the log when the process crashes, by a signal or a panic; then it dies as it would have.
//!
//! A signal may come while the thread holds any lock, the allocator's included, so its handler (`signal.rs`) only notes
//! what it knows and waits, for a time, for a thread of ours to write the report.

mod signal;

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use command::{REDIS_VERSION, RUBRICA_VERSION, Services};

use crate::logging::Log;
use signal::Crash;

const START: &str =
    "\n\n=== REDIS BUG REPORT START: Rubrica crashed, cut & paste starting from here ===\n";
const STACK: &str = "\n------ STACK TRACE ------\n";
const INFO: &str = "\n------ INFO OUTPUT ------\n";
const END: &str = "\n=== REDIS BUG REPORT END. ===\n\n       Please report the crash to those who maintain \
                   Rubrica, with the whole report.\n\n";

/// A panic has been reported: the signal by which the process ends itself then tells nothing new.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Has crashes reported from now on, as long as `crash-log-enabled` is on.
///
/// # Errors
/// When the system has no thread or no pipe for that.
pub fn report_to(log: &Arc<Log>, services: &Arc<Services>) -> std::io::Result<()> {
    let reporter = Reporter { log: Arc::clone(log), services: Arc::clone(services) };
    let reporter = Arc::new(reporter);
    let own = Arc::clone(&reporter);
    signal::catch(move |crash| own.signalled(crash))?;
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if reporter.is_wanted() {
            PANICKED.store(true, Ordering::Release);
            reporter.panicked(panic);
        } else {
            before(panic);
        }
    }));
    Ok(())
}

struct Reporter {
    log: Arc<Log>,
    services: Arc<Services>,
}

impl Reporter {
    fn is_wanted(&self) -> bool {
        self.services.config.load().crash_log_enabled
    }

    /// Reports a signal; it comes a second time with the frames.
    fn signalled(&self, crash: &Crash) {
        if !self.is_wanted() || PANICKED.load(Ordering::Acquire) {
            return;
        }
        match &crash.frames {
            None => self.log.raw(&signal_head(crash)),
            Some(frames) => {
                // Each part as soon as it is known: whoever crashed may hold what the next one needs.
                self.log.raw(STACK);
                self.log.raw(&addresses(frames));
                self.log.raw(&symbols(frames));
                self.end();
            }
        }
    }

    fn panicked(&self, panic: &PanicHookInfo<'_>) {
        let mut text = String::from(START);
        let thread = std::thread::current();
        let _ = writeln!(
            text,
            "Rubrica {RUBRICA_VERSION} panicked in thread {}: {panic}",
            thread.name().unwrap_or("?")
        );
        self.log.raw(&text);
        self.log.raw(STACK);
        self.log.raw(&format!("{}\n", Backtrace::force_capture()));
        self.end();
    }

    /// Writes what every report ends with.
    fn end(&self) {
        self.log.raw(INFO);
        self.log.raw(&self.figures());
        self.log.raw(END);
    }

    /// The server's figures.
    fn figures(&self) -> String {
        let mut text = String::new();
        let (services, config) = (&self.services, self.services.config.load());
        let uptime = Duration::from_nanos(services.clock.monotonic_ns());
        let totals = services.statistics.totals();
        let fields: [(&str, &dyn std::fmt::Display); 13] = [
            ("rubrica_version", &RUBRICA_VERSION),
            ("redis_version", &REDIS_VERSION),
            ("os", &os()),
            ("arch_bits", &usize::BITS),
            ("process_id", &std::process::id()),
            ("run_id", &services.host.run_id()),
            ("tcp_port", &config.port),
            ("workers", &services.host.workers()),
            ("uptime_in_seconds", &uptime.as_secs()),
            ("connected_clients", &services.clients.len()),
            ("total_connections_received", &totals.connections),
            ("total_commands_processed", &totals.commands),
            ("maxmemory", &config.maxmemory),
        ];
        for (name, value) in fields {
            let _ = writeln!(text, "{name}:{value}");
        }
        text
    }
}

fn os() -> String {
    let system = rustix::system::uname();
    let word = |word: &std::ffi::CStr| word.to_string_lossy().into_owned();
    format!("{} {} {}", word(system.sysname()), word(system.release()), word(system.machine()))
}

fn signal_head(crash: &Crash) -> String {
    let mut text = String::from(START);
    let name = signal::name(crash.signal);
    let _ = writeln!(
        text,
        "Rubrica {RUBRICA_VERSION} crashed by signal: {} ({name}), si_code: {}",
        crash.signal, crash.code
    );
    match crash.sender {
        Some(sender) => {
            let _ = writeln!(text, "Killed by PID: {sender}");
        }
        None => {
            let _ = writeln!(text, "Accessing address: {:#x}", crash.address);
        }
    }
    let _ = writeln!(text, "Thread: {} ({})", crash.thread, thread_name(crash.thread));
    text
}

fn thread_name(thread: i32) -> String {
    let name = std::fs::read_to_string(format!("/proc/self/task/{thread}/comm"));
    name.map_or_else(|_| "?".to_owned(), |name| name.trim_end().to_owned())
}

/// The frames as numbers, and where the program lies, so that they mean something to whoever has it.
fn addresses(frames: &[usize]) -> String {
    let mut text = String::new();
    let start = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let start = start.split('-').next().unwrap_or_default();
    let _ = write!(text, "program at 0x{start}; frames:");
    frames.iter().for_each(|frame| {
        let _ = write!(text, " {frame:#x}");
    });
    text.push('\n');
    text
}

fn symbols(frames: &[usize]) -> String {
    let mut text = String::new();
    for (number, frame) in frames.iter().enumerate() {
        let mut known = false;
        backtrace::resolve(*frame as *mut _, |symbol| {
            known = true;
            let name = symbol.name().map(|name| name.to_string());
            let _ = write!(text, "{number:>4}: {}", name.as_deref().unwrap_or("?"));
            if let (Some(file), Some(line)) = (symbol.filename(), symbol.lineno()) {
                let _ = write!(text, " at {}:{line}", file.display());
            }
            text.push('\n');
        });
        if !known {
            let _ = writeln!(text, "{number:>4}: {frame:#x}");
        }
    }
    text
}
