use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use aof::Appender;
use config::AppendFsync;
use effects::{Effect, Merger, Sink};
use encryption::{Kind, Sealer};

use super::sync::Syncer;
use super::{AppendOnly, NewFile, Order};

/// The longest wait between two looks at what is due.
const PERIOD: Duration = Duration::from_millis(100);
/// The same while clients wait for something to become durable, with timeouts of their own.
const WAITING_PERIOD: Duration = Duration::from_millis(5);
/// How long the thread rests between two rounds, so that one wake-up serves many turns of the workers. Not under
/// `always`, where clients wait for it. It is short, as what comes meanwhile is lost with a process that is killed.
const REST: Duration = Duration::from_micros(200);
/// How long writes wait until it is looked again whether a sync has ended: longer than [`PERIOD`].
const HOLD_MS: i64 = 250;
/// How often `everysec` makes the file durable.
const SYNC_PERIOD: Duration = Duration::from_secs(1);

/// The thread that brings the log of effects into order and writes it.
pub(super) struct Journal {
    files: Arc<AppendOnly>,
    merger: Merger,
    orders: Vec<Order>,
    appender: Option<Appender>,
    syncer: Syncer,
    policy: AppendFsync,
    /// The last number that is in a file.
    written: u64,
    /// The last number that has been handed over to be made durable.
    synced: u64,
    last_sync: Instant,
    /// Whether it has been counted that making the file durable takes too long.
    delayed: bool,
    /// Bytes of the manifest's other files.
    other_bytes: u64,
}

/// Drops effects while no file is open.
struct Nowhere;

impl Sink for Nowhere {
    fn take(&mut self, _effect: Effect<'_>) {}
}

impl Journal {
    pub(super) fn new(files: Arc<AppendOnly>) -> Self {
        Self {
            merger: Merger::new(Arc::clone(&files.services.log)),
            syncer: Syncer::new(&files.services),
            policy: files.services.config.load().appendfsync,
            files,
            orders: Vec::new(),
            appender: None,
            written: 0,
            synced: 0,
            last_sync: Instant::now(),
            delayed: false,
            other_bytes: 0,
        }
    }

    pub(super) fn run(mut self) {
        let files = Arc::clone(&self.files);
        let log = &files.services.log;
        loop {
            let posts = log.posts();
            let (stopping, written) = (files.is_stopping(), self.written);
            self.round();
            if stopping {
                break;
            }
            // Nobody waits for it then, and a wake-up costs the workers more than a moment's delay costs anybody.
            if self.policy != AppendFsync::Always && self.written != written {
                std::thread::sleep(REST);
            }
            let waiting = files.answer_waiting();
            log.sleep(posts, if waiting { WAITING_PERIOD } else { PERIOD });
        }
        self.finish();
    }

    /// Writes what there is, and follows orders where the log has got to them.
    fn round(&mut self) {
        self.orders.extend(self.files.take_orders());
        self.note_policy();
        loop {
            let until = self.orders.first().map_or(u64::MAX, Order::after);
            match &mut self.appender {
                Some(appender) => self.merger.merge(until, appender),
                None => self.merger.merge(until, &mut Nowhere),
            }
            self.write();
            if self.orders.is_empty() || self.merger.merged() < until || self.unwritten() > 0 {
                break;
            }
            let order = self.orders.remove(0);
            self.follow(order);
        }
        self.sync();
        let status = &self.files.services.aof;
        status.buffered.store(self.unwritten() as u64, Ordering::Relaxed);
        if let Some(appender) = &self.appender {
            status.size.store(self.other_bytes + appender.size(), Ordering::Relaxed);
        }
    }

    fn unwritten(&self) -> usize {
        self.appender.as_ref().map_or(0, Appender::unwritten)
    }

    fn note_policy(&mut self) {
        let config = self.files.services.config.load();
        let before = std::mem::replace(&mut self.policy, config.appendfsync);
        if let Some(appender) = &mut self.appender {
            appender.timestamps = config.aof_timestamp_enabled;
            appender.set_checksums(config.aof_checksum);
        }
        drop(config);
        if before == AppendFsync::Always && self.policy != before {
            // Replies are held back for what is not durable yet.
            self.sync_now();
        }
    }

    fn write(&mut self) {
        let Some(appender) = &mut self.appender else {
            self.written = self.merger.merged();
            return;
        };
        let status = &self.files.services.aof;
        let delay_us = status.flush_delay_us.load(Ordering::Relaxed);
        if delay_us > 0 && appender.unwritten() > 0 {
            std::thread::sleep(Duration::from_micros(delay_us));
        }
        match appender.write() {
            Ok(()) => {
                self.written = self.merger.merged();
                if !self.syncer.has_failed() && status.set_failure(None) {
                    tracing::warn!("AOF write error looks solved, writes are accepted again.");
                }
            }
            Err(error) => {
                if status.set_failure(Some(aof::reason(&error))) {
                    tracing::error!(
                        "Error writing to the AOF file: {error}. Writes are refused until it succeeds."
                    );
                    // Whoever waits for what could not be written is not answered.
                    self.files.services.log.wake_waiters();
                }
            }
        }
    }

    /// Makes durable what has been written, as the configuration says.
    fn sync(&mut self) {
        if self.written == self.synced {
            return;
        }
        match self.policy {
            AppendFsync::Always => self.sync_now(),
            AppendFsync::Everysec if self.last_sync.elapsed() >= SYNC_PERIOD => {
                let services = &self.files.services;
                let spared = services.config.load().no_appendfsync_on_rewrite
                    && services.aof.rewriting.load(Ordering::Relaxed);
                let Some(appender) = self.appender.as_ref().filter(|_| !spared) else { return };
                if self.syncer.start(appender.file(), self.written) {
                    self.synced = self.written;
                    self.last_sync = Instant::now();
                    self.delayed = false;
                } else if self.last_sync.elapsed() >= 2 * SYNC_PERIOD {
                    self.hold_writes();
                }
            }
            AppendFsync::Everysec | AppendFsync::No => {}
        }
    }

    /// The sync before this still has not ended. So that no more than two seconds can be lost, further writes wait
    /// for it, as they do with Redis; reads go on.
    fn hold_writes(&mut self) {
        let services = &self.files.services;
        if !std::mem::replace(&mut self.delayed, true) {
            services.aof.delayed.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                "Asynchronous AOF fsync is taking too long (disk is busy?). Writes wait until it ends."
            );
        }
        let now_ms = services.clock.unix_ms();
        services.pause.start(now_ms.saturating_add(HOLD_MS), false, now_ms);
    }

    /// Makes durable what has been written, and ends the process if that fails: whoever had it acknowledged
    /// would be lied to.
    fn sync_now(&mut self) {
        if let Some(appender) = &self.appender {
            sync_or_die(appender.file());
        }
        self.synced = self.written;
        self.last_sync = Instant::now();
        self.files.services.log.set_durable(self.written);
    }

    fn follow(&mut self, order: Order) {
        self.sync_now();
        match order {
            Order::Open { file, done, .. } => {
                let result = self.open(file);
                let _ = done.send(result);
            }
            Order::Close { done, .. } => {
                self.end();
                self.appender = None;
                self.other_bytes = 0;
                let _ = done.send(Ok(()));
            }
        }
    }

    /// Goes on in another file. If that fails, in the one before.
    fn open(&mut self, file: NewFile) -> io::Result<()> {
        let directory = &self.files.directory;
        let mut manifest = self.files.manifest.lock();
        let name = match &file {
            NewFile::Listed(info) => info.name.clone(),
            NewFile::Next => manifest.next_incr(directory.filename()).name,
            NewFile::Temporary(name) => name.clone(),
        };
        let opened = directory.append(&name)?;
        let size = opened.metadata()?.len();
        // What holds something is gone on with only if it is plain (`AppendOnly::first_files`).
        let keys = self.files.services.encryption.get().filter(|_| size == 0);
        let sealer = keys.map(|keys| Sealer::new(&keys, Kind::Log)).transpose()?;
        if let NewFile::Next = file {
            // A file that another follows has its end mark.
            self.appender.as_mut().map_or(Ok(()), Appender::end)?;
            let mut next = manifest.clone();
            next.push_incr(next.next_incr(directory.filename()));
            directory.save(&next)?;
            *manifest = next;
            tracing::info!("Creating AOF incr file {name} on background rewrite");
        }
        let files = manifest.files().filter(|info| info.name != name);
        self.other_bytes = files.map(|info| directory.size(info).unwrap_or(0)).sum();
        drop(manifest);
        let mut appender = Appender::new(opened, size, sealer);
        let config = self.files.services.config.load();
        appender.timestamps = config.aof_timestamp_enabled;
        appender.set_checksums(config.aof_checksum);
        drop(config);
        self.appender = Some(appender);
        Ok(())
    }

    /// What is left when the server ends: by now nobody records any more.
    fn finish(mut self) {
        self.round();
        if self.unwritten() > 0 {
            tracing::error!("The append-only file could not be written to its end");
        } else if self.appender.is_some() {
            tracing::info!("Calling fsync() on the AOF file.");
            self.sync_now();
            self.end();
        }
    }

    /// Ends the file. One without an end mark is a file whose writer was interrupted.
    fn end(&mut self) {
        if let Some(Err(error)) = self.appender.as_mut().map(Appender::end) {
            tracing::warn!("The append-only file could not be given its end mark: {error}");
        }
    }
}

impl Order {
    fn after(&self) -> u64 {
        match self {
            Self::Open { after, .. } | Self::Close { after, .. } => *after,
        }
    }
}

fn sync_or_die(file: &File) {
    if let Err(error) = file.sync_data() {
        tracing::error!(
            "Can't persist AOF for fsync error when the AOF fsync policy is 'always': {error}. Exiting..."
        );
        std::process::exit(1);
    }
}
