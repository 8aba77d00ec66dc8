use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use command::Services;

/// Makes files durable on a thread of its own, one at a time.
pub(super) struct Syncer {
    work: Sender<(Arc<File>, u64)>,
    shared: Arc<Shared>,
}

struct Shared {
    services: Arc<Services>,
    /// A file could not be made durable once: what it lost nobody knows, so nothing mends that.
    failed: AtomicBool,
}

impl Syncer {
    pub(super) fn new(services: &Arc<Services>) -> Self {
        let (work, queue) = channel();
        let shared =
            Arc::new(Shared { services: Arc::clone(services), failed: AtomicBool::new(false) });
        let own = Arc::clone(&shared);
        let started = thread::Builder::new().name("sync".into()).spawn(move || own.run(&queue));
        if let Err(error) = started {
            tracing::error!("No thread can be had for fsync: {error}");
            shared.failed.store(true, Ordering::Release);
        }
        Self { work, shared }
    }

    /// Makes everything in `file` durable, which reaches up to number `seq`. False when the last time has not
    /// ended yet.
    pub(super) fn start(&self, file: &Arc<File>, seq: u64) -> bool {
        let status = &self.shared.services.aof;
        if status.syncing.swap(true, Ordering::AcqRel) {
            return false;
        }
        self.work.send((Arc::clone(file), seq)).is_ok()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.shared.failed.load(Ordering::Acquire)
    }
}

impl Shared {
    fn run(&self, queue: &Receiver<(Arc<File>, u64)>) {
        while let Ok((file, seq)) = queue.recv() {
            match file.sync_data() {
                Ok(()) if !self.failed.load(Ordering::Acquire) => {
                    self.services.log.set_durable(seq);
                    // Clients may wait for it, whom the journal's thread answers.
                    self.services.log.wake();
                }
                Ok(()) => {}
                Err(error) => {
                    self.failed.store(true, Ordering::Release);
                    self.services.aof.set_failure(Some(aof::reason(&error)));
                    tracing::error!(
                        "Fail to fsync the AOF file: {error}. What it lost is unknown: writes are \
                         refused until the server is started again."
                    );
                }
            }
            self.services.aof.syncing.store(false, Ordering::Release);
        }
    }
}
