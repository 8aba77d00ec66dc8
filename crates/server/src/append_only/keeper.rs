//! Writing bases, and turning the log on and off.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::Duration;

use aof::{Request, State};
use command::Letter;
use keyspace::{Db, Held, SHARDS};
use resp::Writer;

use super::base::Base;
use super::{AppendOnly, NewFile, Order};
use crate::persistence;

/// How often it is looked whether the files have grown enough for a new base.
const PERIOD: Duration = Duration::from_millis(100);

/// After so many failures in a row, rewrites that start by themselves come at growing distances.
const FAILURES_MAX: u64 = 3;

/// The thread that writes bases.
pub(super) fn run(files: &Arc<AppendOnly>) {
    env::work_in_background();
    let status = &files.services.aof;
    let mut wait = Backoff::default();
    while !files.is_stopping() {
        for request in status.wait_for_requests(PERIOD) {
            match request {
                Request::Rewrite => rewrite(files),
                Request::Switch(on) => switch(files, on),
                Request::NextFile => next_file(files),
                Request::Reload(client) => reload(files, client),
            }
        }
        // What could not be removed stays in the manifest until the next start.
        let _ = collect(files);
        let waits = status.state() == State::Starting || status.scheduled.load(Ordering::Relaxed);
        if (waits || is_due(files)) && wait.is_over(files) && status.begin_rewrite() {
            rewrite(files);
            wait.note(files);
        }
    }
}

/// The distance between rewrites that start by themselves and fail.
#[derive(Default)]
struct Backoff {
    until_ms: i64,
}

impl Backoff {
    fn is_over(&self, files: &AppendOnly) -> bool {
        files.services.clock.unix_ms() >= self.until_ms
    }

    fn note(&mut self, files: &AppendOnly) {
        let failures = files.services.aof.failures.load(Ordering::Relaxed);
        if failures < FAILURES_MAX {
            return;
        }
        let minutes = 1_i64 << (failures - FAILURES_MAX).min(6);
        let minutes = minutes.min(60);
        self.until_ms = files.services.clock.unix_ms() + minutes * 60_000;
        tracing::warn!(
            "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {minutes} \
             minutes"
        );
    }
}

/// Whether the files have grown enough since the last base.
fn is_due(files: &AppendOnly) -> bool {
    let (status, config) = (&files.services.aof, files.services.config.load());
    let percentage = config.auto_aof_rewrite_percentage;
    if status.state() != State::On || percentage == 0 {
        return false;
    }
    let size = status.size.load(Ordering::Relaxed);
    let base = status.base_size.load(Ordering::Relaxed).max(1);
    let growth = u128::from(size) * 100 / u128::from(base);
    let due = size > config.auto_aof_rewrite_min_size && growth >= 100 + percentage as u128;
    if due {
        tracing::info!("Starting automatic rewriting of AOF on {}% growth", growth - 100);
    }
    due
}

/// Writes a new base; with the log on, what comes meanwhile goes into a file of its own.
fn rewrite(files: &Arc<AppendOnly>) {
    let services = &files.services;
    let status = &services.aof;
    let started_ms = services.clock.unix_ms();
    status.rewrite_started_ms.store(started_ms, Ordering::Relaxed);
    status.scheduled.store(false, Ordering::Relaxed);
    let result = new_base(files);
    if result.is_err() && status.is_unwanted() {
        // What was written is removed; where Redis logs this, it has ended a process.
        tracing::warn!(
            "Killing the rewrite of the AOF (a thread, no child): logging is turned off"
        );
        status.rewriting.store(false, Ordering::Release);
        return;
    }
    if let Ok(Outcome::Later) = result {
        status.scheduled.store(true, Ordering::Relaxed);
        status.rewriting.store(false, Ordering::Release);
        return;
    }
    status.rewrites.fetch_add(1, Ordering::Relaxed);
    let took_s = (services.clock.unix_ms() - started_ms) / 1000;
    status.last_rewrite_s_plus_1.store(took_s + 1, Ordering::Relaxed);
    status.rewrite_failed.store(result.is_err(), Ordering::Relaxed);
    match result {
        Ok(_) => {
            status.failures.store(0, Ordering::Relaxed);
            status.base_size.store(files.total_size(), Ordering::Relaxed);
            tracing::info!("Background AOF rewrite finished successfully");
        }
        Err(error) => {
            status.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("Background AOF rewrite failed: {error}");
        }
    }
    status.rewriting.store(false, Ordering::Release);
}

/// What became of a rewrite that has not failed.
enum Outcome {
    Written,
    /// A snapshot is being saved, or was asked for meanwhile: it goes first.
    Later,
}

fn new_base(files: &Arc<AppendOnly>) -> io::Result<Outcome> {
    let services = &files.services;
    let status = &services.aof;
    let state = status.state();
    files.directory.create()?;
    let filename = files.directory.filename();
    let temporary_incr = format!("temp-{filename}.incr");
    let (done, opened) = channel();
    let base = persistence::with_all(services, |held| {
        if services.persistence.saves().current.is_some() || files.is_stopping() {
            return None;
        }
        let after = services.log.issued();
        match state {
            State::Off => {}
            State::Starting => {
                let _ = std::fs::remove_file(files.directory.file(&temporary_incr));
                services.log.set_on(true);
                let file = NewFile::Temporary(temporary_incr.clone());
                files.order(Order::Open { after, file, done });
            }
            State::On => files.order(Order::Open { after, file: NewFile::Next, done }),
        }
        Some(Base::cut(files, held))
    });
    let Some(base) = base else { return Ok(Outcome::Later) };
    tracing::info!("Background append only file rewriting started");
    if state != State::Off {
        let opened = opened.recv().map_err(io::Error::other).flatten();
        if let Err(error) = opened {
            base.drop_unwritten(files);
            return Err(error);
        }
    }
    let info = files.manifest.lock().next_base(filename, base.is_rdb());
    match base.write(files, &info) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Outcome::Later),
        written => written?,
    }
    let mut manifest = files.manifest.lock();
    let mut next = manifest.clone();
    let kept = match state {
        State::Off => 0,
        State::On => 1,
        State::Starting => {
            let incr = next.next_incr(filename);
            files.directory.rename(&temporary_incr, &incr.name)?;
            next.push_incr(incr);
            1
        }
    };
    next.rebase(info, kept);
    files.directory.save(&next)?;
    *manifest = next;
    drop(manifest);
    // The new base counts, whether or not the old files can be removed.
    if let Err(error) = collect(files) {
        tracing::warn!("Old append-only files could not be removed: {error}");
    }
    if state == State::Starting {
        status.set_state(State::On);
    }
    Ok(Outcome::Written)
}

/// Removes files that are no longer needed, unless the configuration keeps them.
fn collect(files: &AppendOnly) -> io::Result<()> {
    let mut manifest = files.manifest.lock();
    if manifest.history.is_empty() || files.services.config.load().aof_disable_auto_gc {
        return Ok(());
    }
    let mut next = manifest.clone();
    files.directory.remove_history(&mut next);
    files.directory.save(&next)?;
    *manifest = next;
    Ok(())
}

/// Lets the log go on in another file, which begins with the keys as they are now.
fn next_file(files: &AppendOnly) {
    let services = &files.services;
    if services.aof.state() != State::On {
        return;
    }
    let (done, opened) = channel();
    {
        let _closed = services.keyspace.gate().close();
        files.order(Order::Open { after: services.log.issued(), file: NewFile::Next, done });
    }
    if let Err(error) = opened.recv().map_err(io::Error::other).flatten() {
        tracing::warn!(
            "The append-only file goes on as it was before the keys changed, until BGREWRITEAOF: {error}"
        );
    }
}

/// Acts on a change of `appendonly`.
fn switch(files: &Arc<AppendOnly>, on: bool) {
    let services = &files.services;
    if on {
        services.aof.set_state(State::Starting);
        return rewrite(files);
    }
    let (done, closed) = channel();
    {
        let _closed = services.keyspace.gate().close();
        services.log.set_on(false);
        files.order(Order::Close { after: services.log.issued(), done });
    }
    let _ = closed.recv();
    services.aof.set_state(State::Off);
    services.aof.set_wanted();
}

/// Throws everything away and loads it from the files, for a client that waits meanwhile.
fn reload(files: &Arc<AppendOnly>, client: u64) {
    let services = &files.services;
    services.persistence.set_loading(true);
    let (done, closed) = channel();
    let garbage = {
        let gate = services.keyspace.gate().close();
        services.log.set_on(false);
        files.order(Order::Close { after: services.log.issued(), done });
        clear(&mut Held::all(&services.keyspace, &gate))
    };
    let _ = closed.recv();
    drop(garbage);
    let loaded = files.load().and_then(|()| files.begin());
    services.persistence.set_loading(false);
    let mut reply = Vec::new();
    let answer = |writer: &mut Writer<'_>| match &loaded {
        Ok(()) => {
            tracing::warn!("Append Only File loaded by DEBUG LOADAOF");
            writer.ok();
        }
        Err(error) => {
            tracing::warn!("{error}");
            writer.error("ERR Error trying to load the AOF, check server logs.");
        }
    };
    // It was asked before the client could be entered as one that waits.
    for _ in 0..PATIENCE {
        let Some(parked) = services.parked.of_client(client) else {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        };
        if parked.finish() {
            services.parked.leave(parked.ticket);
            answer(&mut Writer::new(&mut reply, parked.protocol));
            parked.client.post(Letter::Served { client, ticket: parked.ticket, reply });
        }
        return;
    }
}

/// Milliseconds until a client that asked is given up.
const PATIENCE: u32 = 1000;

/// Takes all databases away.
fn clear(held: &mut Held<'_>) -> Vec<Db> {
    let mut taken = Vec::new();
    for shard in 0..SHARDS {
        for database in 0..held.keyspace().databases() {
            taken.push(held.visit(shard, |shard| shard.take(database)));
        }
    }
    taken
}
