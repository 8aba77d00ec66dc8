//! The logs of what is slow or large.

use command::{Args, Command, Flags, Services, Session};
use config::Config;
use observe::CommandLog;

use crate::redact::Secrets;

/// A command that has run.
#[derive(Clone, Copy)]
pub struct Finished<'a> {
    /// The command.
    pub command: Command,
    /// Its words.
    pub args: Args<'a>,
    /// When it began, microseconds since the epoch.
    pub now_us: i64,
    /// How long it took, nanoseconds.
    pub took_ns: u64,
    /// Bytes of its reply.
    pub reply: usize,
}

/// How long a command takes and how much it answers at least if it belongs into a log.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    took_ns: u64,
    request: usize,
    reply: usize,
}

impl Bounds {
    /// The bounds of now.
    pub fn of(services: &Services, config: &Config) -> Self {
        let logs = &services.logs;
        let slow_ns = match u64::try_from(logs.slow.threshold()) {
            Ok(us) => us.saturating_mul(1000),
            Err(_) => u64::MAX,
        };
        let latency_ns = match config.latency_monitor_threshold_ms {
            0 => u64::MAX,
            ms => ms.saturating_mul(1_000_000),
        };
        let bytes = |log: &CommandLog| usize::try_from(log.threshold()).unwrap_or(usize::MAX);
        Self {
            took_ns: slow_ns.min(latency_ns),
            request: bytes(&logs.large_request),
            reply: bytes(&logs.large_reply),
        }
    }

    /// Whether a command may belong into a log.
    #[inline]
    pub fn are_reached(&self, args: Args<'_>, took_ns: u64, reply: usize) -> bool {
        took_ns >= self.took_ns || reply >= self.reply || args.extent() >= self.request
    }
}

/// Enters a command that has run into the logs in which it belongs.
#[cold]
pub fn enter(services: &Services, config: &Config, session: &Session, finished: Finished<'_>) {
    let Finished { command, args, now_us, took_ns, reply } = finished;
    if command.flags.contains(Flags::SKIP_SLOWLOG) {
        return;
    }
    let took_us = (took_ns / 1000) as i64;
    let logs = &services.logs;
    let request = || args.iter().map(<[u8]>::len).sum::<usize>() as i64;
    let log = |log: &CommandLog, value: i64| {
        let secrets = Secrets::of(command, args);
        let words: Vec<&[u8]> =
            args.iter().enumerate().map(|(index, word)| secrets.shown(index, word)).collect();
        let name = session.client.names.lock().name.clone();
        log.add(value, now_us / 1_000_000, words.into_iter(), &session.client.addr, &name);
    };
    if logs.slow.wants(took_us) {
        log(&logs.slow, took_us);
    }
    if logs.large_reply.wants(reply as i64) {
        log(&logs.large_reply, reply as i64);
    }
    if logs.large_request.is_on() && logs.large_request.wants(request()) {
        log(&logs.large_request, request());
    }
    let threshold_ms = config.latency_monitor_threshold_ms;
    if threshold_ms > 0 && took_ns / 1_000_000 >= threshold_ms {
        let event = if command.flags.contains(Flags::FAST) { "fast-command" } else { "command" };
        services.latency.add(event, now_us / 1_000_000, took_ns / 1_000_000);
    }
}
