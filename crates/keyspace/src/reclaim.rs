use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use table::heap;
use table::lock::Mutex;
use table::stint::Turns;

use crate::db::Db;
use crate::entry::{Entry, Value};

/// Values that free more blocks than this are freed in the background.
const INLINE_FREE_COST: usize = 64;

/// A thread that frees what would take long to free, and tends to memory.
pub struct Reclaimer {
    garbage: Mutex<Sender<Garbage>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    pending: AtomicU64,
    freed: AtomicU64,
}

enum Garbage {
    Entry(#[expect(dead_code, reason = "it is here to be dropped")] Entry),
    Databases(Vec<Db>),
    Bytes(#[expect(dead_code, reason = "as above")] Vec<u8>),
    /// Not garbage: small pages, which huge ones are to replace.
    SmallPages,
}

impl Garbage {
    fn objects(&self) -> u64 {
        match self {
            Self::Entry(_) => 1,
            Self::SmallPages | Self::Bytes(_) => 0,
            Self::Databases(dbs) => dbs.iter().map(|db| db.len() as u64).sum(),
        }
    }
}

impl Reclaimer {
    /// Starts the thread; it ends when the reclaimer is dropped.
    pub(crate) fn new() -> Self {
        let (garbage, received) = channel::<Garbage>();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let run = move || {
            env::work_in_background();
            let turns = Turns::begin();
            for garbage in received {
                let objects = garbage.objects();
                turns.work(|| {
                    if let Garbage::SmallPages = garbage {
                        heap::use_huge_pages();
                    }
                    drop(garbage);
                });
                // In this order, so that whoever sees nothing pending sees all of it freed.
                shared.freed.fetch_add(objects, Ordering::Relaxed);
                shared.pending.fetch_sub(objects, Ordering::Release);
            }
        };
        // Without the thread the receiver is gone, and whatever is sent is freed by the sender.
        let _ = thread::Builder::new().name("reclaim".into()).spawn(run);
        Self { garbage: Mutex::new(garbage), counts }
    }

    /// Frees an entry: at once when that is cheap, in the background otherwise.
    pub fn dispose(&self, entry: Entry) {
        match entry.view().value() {
            Value::Object(object) if object.free_cost() > INLINE_FREE_COST => {
                self.send(Garbage::Entry(entry))
            }
            _ => drop(entry),
        }
    }

    /// Frees whole databases in the background.
    pub fn dispose_databases(&self, dbs: Vec<Db>) {
        self.send(Garbage::Databases(dbs));
    }

    /// Frees a large buffer in the background. It counts as no object.
    pub fn dispose_bytes(&self, bytes: Vec<u8>) {
        self.send(Garbage::Bytes(bytes));
    }

    /// Lets huge pages take the place of small ones where memory has filled up since. It costs little to ask.
    pub fn tend_pages(&self) {
        if heap::wants_huge_pages() {
            self.send(Garbage::SmallPages);
        }
    }

    fn send(&self, garbage: Garbage) {
        self.counts.pending.fetch_add(garbage.objects(), Ordering::Relaxed);
        let _ = self.garbage.lock().send(garbage);
    }

    /// Objects that wait to be freed.
    pub fn pending(&self) -> u64 {
        self.counts.pending.load(Ordering::Acquire)
    }

    /// Objects that the thread has freed so far.
    pub fn freed(&self) -> u64 {
        self.counts.freed.load(Ordering::Relaxed)
    }

    /// Sets the count of freed objects back to 0.
    pub fn reset_freed(&self) {
        self.counts.freed.store(0, Ordering::Relaxed);
    }
}
