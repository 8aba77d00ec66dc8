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

/// Enters a command that has run into the logs in which it belongs.
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
