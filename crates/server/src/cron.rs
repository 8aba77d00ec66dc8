//! What a worker does beside serving commands: expiry, idle connections, output limits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use command::clients::Class;
use command::{Close, ExpiryLog, ReadyKey, members_expired};
use config::{Config, KeyspaceEvents};
use keyspace::{Gone, KeyHash, Marks, SHARDS, Tidied};
use observe::Counters;
use tracking::Recorder;

use crate::connection::Connection;
use crate::evict::Room;
use crate::notify;
use crate::persistence;
use crate::source::{Socket, Source};
use crate::worker::Worker;

/// The longest wait between two looks at what is due: what bounds the lag of expiry.
const PERIOD_MS: i64 = 50;
/// How often connections are looked at one by one.
const CLIENTS_PERIOD_MS: i64 = 500;
/// For how long CLIENT LIST remembers the most that an output buffer has held.
const PEAKS_PERIOD_MS: i64 = 5000;
/// How often the totals are sampled for rates.
const SAMPLE_PERIOD_MS: i64 = 100;
/// How often the memory is looked at, for its peak.
const MEMORY_PERIOD_MS: i64 = 1000;
/// Time that one turn spends on expiry at most; what is left waits for the next.
const EXPIRE_SLICE_NS: u64 = 1_000_000;
/// Output that no limit is about, as in Redis: each connection has that much room anyway.
const UNLIMITED_BYTES: u64 = 16 * 1024;
/// Keys removed under one lock at most.
const EXPIRE_STEPS: u32 = 64;

/// When a worker has to wake up though nothing happens.
#[derive(Default)]
pub struct Cron {
    next_ms: i64,
    clients_ms: i64,
    peaks_ms: i64,
    sample_ms: i64,
    memory_ms: i64,
    unfinished: bool,
    wake_ms: Option<i64>,
}

impl Cron {
    /// How long the worker may wait from `now_ms` on.
    pub fn timeout(&self, now_ms: i64) -> Duration {
        if self.unfinished {
            return Duration::ZERO;
        }
        let next = self.wake_ms.map_or(self.next_ms, |wake| wake.min(self.next_ms));
        Duration::from_millis(next.saturating_sub(now_ms).clamp(0, PERIOD_MS) as u64)
    }

    /// Asks for a turn at `at_ms`.
    pub fn wake_at(&mut self, at_ms: i64) {
        self.wake_ms = Some(self.wake_ms.map_or(at_ms, |wake| wake.min(at_ms)));
    }
}

/// Does what is due. The worker is outside of the gate.
pub fn tick<S: Source>(worker: &mut Worker<S>) {
    let now_ms = worker.now_ms();
    if worker.cron.wake_ms.is_some_and(|wake| wake <= now_ms) {
        worker.cron.wake_ms = None;
        worker.resume = true;
    }
    if now_ms < worker.cron.next_ms && !worker.cron.unfinished {
        return;
    }
    let start_ns = worker.services.clock.monotonic_ns();
    if worker.gate.enter_unless(|| worker.services.scripts.is_busy()) {
        worker.cron.unfinished = !expire(worker, now_ms);
        evict(worker);
        worker.gate.leave();
        worker.log.publish();
    }
    worker.cron.next_ms = now_ms + PERIOD_MS;
    if now_ms >= worker.cron.clients_ms {
        worker.cron.clients_ms = now_ms + CLIENTS_PERIOD_MS;
        look_at_clients(worker, now_ms);
    }
    if worker.number == 0 {
        sample(worker, now_ms);
    }
    let spent_ns = worker.services.clock.monotonic_ns().saturating_sub(start_ns);
    worker.counters.cron_ns.add(spent_ns);
}

/// What one worker does for all: figures that are taken at a steady pace.
fn sample<S: Source>(worker: &mut Worker<S>, now_ms: i64) {
    let services = &worker.services;
    if now_ms >= worker.cron.sample_ms {
        persistence::tick(services, &worker.config, now_ms);
        // Nothing takes time from loading.
        if !services.persistence.is_loading() {
            services.keyspace.reclaimer().tend_pages();
        }
        worker.cron.sample_ms = now_ms + SAMPLE_PERIOD_MS;
        services.statistics.sample(services.clock.monotonic_ns());
        if services.tracking.is_on() {
            let mut notes = worker.notes.borrow_mut();
            services.tracking.evict(worker.config.tracking_table_max_keys, &mut notes);
            services.tracking.post(&mut notes);
        }
    }
    if now_ms >= worker.cron.memory_ms {
        worker.cron.memory_ms = now_ms + MEMORY_PERIOD_MS;
        // Looking is what keeps the peak.
        let _ = services.host.memory();
    }
}

/// Removes expired keys from this worker's share of the shards; false when the slice ran out first.
fn expire<S: Source>(worker: &mut Worker<S>, now_ms: i64) -> bool {
    let services = Arc::clone(&worker.services);
    // A pause of writes freezes the data set: nothing goes for being too old either.
    let rests = services.persistence.is_loading()
        || services.pause.is_active(now_ms)
        || services.cron_paused.load(Ordering::Relaxed);
    if !services.active_expire.load(Ordering::Relaxed) || rests {
        return true;
    }
    let start = services.clock.monotonic_ns();
    let workers = services.host.workers().max(1);
    for shard in (worker.number % workers..SHARDS).step_by(workers) {
        while services.keyspace.may_expire(shard, now_ms)
            && !services.keyspace.is_shard_occupied(shard)
        {
            let ready = expire_some(worker, shard, now_ms);
            if !worker.notes.borrow().is_empty() {
                services.tracking.broadcast(&mut worker.notes.borrow_mut());
            }
            if !ready.is_empty() {
                worker.serve_waiting(ready);
            }
            let spent = services.clock.monotonic_ns().saturating_sub(start);
            if spent > EXPIRE_SLICE_NS {
                worker.counters.expire_ns.add(spent);
                worker.counters.expire_slices.add(1);
                return false;
            }
        }
    }
    worker.counters.expire_ns.add(services.clock.monotonic_ns().saturating_sub(start));
    true
}

/// Logs what has gone; the lock of its shard is still held.
fn record(log: ExpiryLog<'_>, database: usize, gone: &Gone, now_ms: i64) {
    match gone {
        Gone::Key(entry) => log.record(database, entry.view().key(), now_ms),
        Gone::Members(Tidied { removed, kind, left, emptied }) => {
            let emptied = emptied.as_ref().map(|entry| entry.view().key());
            if let Some(key) = left.as_deref().or(emptied).filter(|_| !removed.is_empty()) {
                log.record_members(database, *kind, key, removed, now_ms);
            }
        }
    }
}

/// Removes what is due in one shard, a few keys or parts of values; gives back the keys that somebody
/// waits for.
fn expire_some<S: Source>(worker: &Worker<S>, shard: usize, now_ms: i64) -> Vec<ReadyKey> {
    let services = &worker.services;
    let keyspace = &services.keyspace;
    let logged = ExpiryLog::new(&worker.log, &worker.config);
    let mut guard = keyspace.lock(shard);
    let mut steps = EXPIRE_STEPS;
    let mut next_due = i64::MAX;
    let mut ready = Vec::new();
    let tracking = &services.tracking;
    let recorder = Recorder { tracking, notes: &worker.notes, client: 0 };
    let tracked = tracking.is_on();
    let (dbs, marks) = guard.get_mut().dbs_and_marks();
    for (physical, db) in dbs {
        while let Some(gone) = db.pop_due(now_ms, &mut steps) {
            let number = keyspace.number_of(physical).filter(|_| logged.is_some());
            if let (Some(log), Some(number)) = (logged, number) {
                record(log, number, &gone, now_ms);
            }
            let mut tell = |key: &[u8], events: &[KeyEvent]| {
                if tracked {
                    recorder.expired(KeyHash::of(key).bits(), key);
                }
                if let Some(number) = keyspace.number_of(physical)
                    && self::tell(worker, marks, number, key, events)
                {
                    ready.push((number, key.into()));
                }
            };
            match gone {
                Gone::Key(entry) => {
                    worker.counters.expired_keys.add(1);
                    tell(entry.view().key(), &[(KeyspaceEvents::EXPIRED, "expired")]);
                    keyspace.reclaimer().dispose(entry);
                }
                Gone::Members(Tidied { removed, kind, left, emptied }) => {
                    worker.counters.expired_fields.add(removed.len() as u64);
                    let expired = members_expired(kind);
                    if let Some(key) = left {
                        tell(&key, &[expired]);
                    }
                    if let Some(entry) = emptied {
                        tell(entry.view().key(), &[expired, (KeyspaceEvents::GENERIC, "del")]);
                        keyspace.reclaimer().dispose(entry);
                    }
                }
            }
        }
        next_due = next_due.min(db.next_due_ms().unwrap_or(i64::MAX));
    }
    guard.set_next_due(next_due);
    tracking.post(&mut worker.notes.borrow_mut());
    ready
}

/// Goes on with evictions that commands have left off, or that a lower limit asks for.
fn evict<S: Source>(worker: &mut Worker<S>) {
    if worker.config.maxmemory == 0 {
        return;
    }
    let room = worker.on_bench(|bench| bench.make_room());
    let waits = worker.services.keyspace.reclaimer().pending() > 0;
    worker.cron.unfinished |= room == Room::Soon && !waits;
}

/// An event of a key: its class and name.
type KeyEvent = (KeyspaceEvents, &'static str);

/// Tells those who watch a key and those who listen to its events; says whether somebody waits for it.
fn tell<S: Source>(
    worker: &Worker<S>,
    marks: &mut Marks,
    number: usize,
    key: &[u8],
    events: &[KeyEvent],
) -> bool {
    let wanted = notify::wanted(&worker.services, &worker.config);
    for (_, event) in events.iter().filter(|(class, _)| wanted.contains(*class)) {
        notify::publish_one(&worker.services, &worker.config, event, key, number);
    }
    !marks.is_empty() && marks.changed(number, key)
}

fn look_at_clients<S: Source>(worker: &mut Worker<S>, now_ms: i64) {
    let timeout_ms =
        i64::try_from(worker.config.timeout_s.saturating_mul(1000)).unwrap_or(i64::MAX);
    let forget_peaks = now_ms >= worker.cron.peaks_ms;
    if forget_peaks {
        worker.cron.peaks_ms = now_ms + PEAKS_PERIOD_MS;
    }
    let mut ended = Vec::new();
    for (token, connection) in worker.connections.iter_mut().enumerate() {
        let Some(connection) = connection else { continue };
        connection.shrink(&mut worker.buffers);
        if forget_peaks {
            connection.session.client.figures.output_peak.set(connection.output.len() as u64);
        }
        connection.report(&worker.counters);
        if timeout_ms > 0 && idle_ms(connection, now_ms) > timeout_ms {
            tracing::debug!("Closing idle client {}", connection.session.client.addr);
            ended.push(token);
        } else if above_output_limit(connection, &worker.config, now_ms, &worker.counters) {
            ended.push(token);
        }
    }
    ended.into_iter().for_each(|token| worker.close(token));
}

/// For how long nothing has happened on a connection whose client could make something happen.
fn idle_ms<S: Socket>(connection: &Connection<S>, now_ms: i64) -> i64 {
    let figures = &connection.session.client.figures;
    let waits = figures.blocked.load(Ordering::Relaxed)
        || figures.monitor.load(Ordering::Relaxed)
        || figures.is_subscriber()
        || connection.held_until_ms.is_some();
    if waits { 0 } else { now_ms - figures.active_ms.load(Ordering::Relaxed) }
}

/// Whether a connection has more to be sent than its class allows, or has had for too long.
pub fn above_output_limit<S: Socket>(
    connection: &mut Connection<S>,
    config: &Config,
    now_ms: i64,
    counters: &Counters,
) -> bool {
    let [normal, replica, subscriber] = &config.client_output_buffer_limit;
    let limit = match connection.session.client.class() {
        Class::Normal | Class::Primary => normal,
        Class::Replica => replica,
        Class::Subscriber => subscriber,
    };
    let unsent = connection.unsent() as u64;
    let above = |bytes: u64| bytes > 0 && unsent >= bytes && unsent > UNLIMITED_BYTES;
    let (hard, soft) = (above(limit.hard_bytes), above(limit.soft_bytes));
    if !soft {
        connection.above_soft_limit_since_ms = None;
    }
    let since =
        if soft { *connection.above_soft_limit_since_ms.get_or_insert(now_ms) } else { now_ms };
    let soft_ms = i64::try_from(limit.soft_s.saturating_mul(1000)).unwrap_or(i64::MAX);
    let above = hard || (soft && now_ms - since > soft_ms);
    if above && connection.session.close != Close::Now {
        counters.output_buffer_kills.add(1);
        tracing::warn!(
            "Client {} closed: it did not read {unsent} bytes of output (client-output-buffer-limit)",
            connection.session.client.addr
        );
    }
    above
}
