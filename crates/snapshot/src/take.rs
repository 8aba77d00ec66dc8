use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use keyspace::era::Witness;
use keyspace::{EntryMut, Guard, Held, Keyspace, LARGE, Lent, Place, SHARDS, Value};
use table::lock::Mutex;
use table::stint::Stint;

use crate::encode::Encode;
use crate::parts::{Parts, Step};

/// Keys encoded under one lock at most: some tens of microseconds with small values.
const KEYS_PER_LOCK: usize = 32;
/// Bytes that are handed out at once, about.
const PIECE: usize = 1 << 18;
/// How often it is looked whether those have gone who still had something to show.
const PATIENCE: Duration = Duration::from_millis(1);

/// How long the walk sleeps when a shard that it comes back to is locked, and how often until it waits for the lock.
const LOCK_NAP: Duration = Duration::from_micros(100);
const NAPS_MAX: usize = 10;

/// How long a rest may be without a look whether it is in vain.
const NAP: Duration = Duration::from_millis(10);

/// The keys of a database at the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The database's number.
    pub database: usize,
    /// Its keys, those included whose time had come.
    pub keys: u64,
    /// Those with a deadline.
    pub volatile: u64,
}

/// A snapshot under way.
pub struct Snapshot {
    shared: Arc<Shared>,
    sizes: Vec<Size>,
}

/// What those who change keys and the walk have in common.
struct Shared {
    encode: Arc<dyn Encode>,
    /// The numbers of the physical databases at the cut.
    numbers: Box<[usize]>,
    sink: Mutex<Sink>,
    progress: Arc<Progress>,
}

#[derive(Default)]
struct Sink {
    /// What comes before `bytes`.
    whole: Vec<Vec<u8>>,
    bytes: Vec<u8>,
    database: Option<usize>,
    /// What is to be written in parts.
    parts: Vec<Arc<Parts>>,
}

#[derive(Default)]
pub(crate) struct Progress {
    keys: AtomicU64,
    /// The most bytes that waited to be handed out.
    waiting_max: AtomicU64,
    pub(crate) given_up: AtomicBool,
    stopped: AtomicBool,
    /// Held while the file appears under its name.
    publishing: Mutex<()>,
}

/// Looks at a snapshot from outside, and ends it.
#[derive(Clone)]
pub struct Handle(Arc<Progress>);

impl Handle {
    /// Ends the snapshot early. Whoever calls this holds the gate closed, or waits until
    /// [`Snapshot::run`] has returned, before the next one begins. Nothing is published after this.
    pub fn give_up(&self) {
        self.0.given_up.store(true, Ordering::Release);
        // Whoever publishes has looked before, or sees it.
        drop(self.0.publishing.lock());
    }

    /// Has the file appear under its name, unless somebody has given the snapshot up: then it is `None`.
    pub fn publish<T>(&self, publish: impl FnOnce() -> T) -> Option<T> {
        let _publishing = self.0.publishing.lock();
        (!self.is_given_up()).then(publish)
    }

    /// Lets [`Snapshot::run`] end with an error as soon as possible; it clears up itself.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Release);
    }

    /// Whether somebody has ended it.
    pub fn is_given_up(&self) -> bool {
        self.0.given_up.load(Ordering::Acquire)
    }

    /// How many keys have been encoded.
    pub fn keys(&self) -> u64 {
        self.0.keys.load(Ordering::Relaxed)
    }
}

/// How fast a snapshot goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Microseconds to wait after each key; for tests.
    pub per_key_us: u64,
}

/// What a snapshot came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Keys in it.
    pub keys: u64,
    /// Bytes that were handed out.
    pub bytes: u64,
    /// The most bytes that waited at a time: the memory that it took.
    pub waiting_max: u64,
}

impl Witness for Shared {
    fn see(&self, database: usize, entry: &mut EntryMut<'_>) {
        if self.progress.given_up.load(Ordering::Acquire) {
            return;
        }
        self.progress.keys.fetch_add(1, Ordering::Relaxed);
        let number = self.numbers.get(database).copied().unwrap_or(database);
        // Others have something to show meanwhile: a large value takes its time before the sink's lock is taken.
        let mut large = Vec::new();
        let is_large = matches!(entry.value(), Value::Object(object)
            if object.elements().max(object.seen_at_once()) >= LARGE);
        if is_large {
            if let Some(parts) =
                Parts::begin(&self.encode, &self.progress, (database, number), entry)
            {
                return self.sink.lock().parts.push(parts);
            }
            self.encode.key(**entry, &mut large);
        }
        let mut sink = self.sink.lock();
        let Sink { bytes, whole, database, .. } = &mut *sink;
        if database.replace(number) != Some(number) {
            self.encode.select(number, bytes);
        }
        if is_large {
            whole.push(std::mem::take(bytes));
            whole.push(large);
        } else {
            self.encode.key(**entry, bytes);
        }
    }
}

/// Who gives the walk its shards.
pub(crate) trait Shards {
    /// Works on a shard; if `long`, that takes a while.
    fn with<T>(
        &mut self,
        shard: usize,
        long: bool,
        work: impl FnOnce(&mut keyspace::Shard) -> T,
    ) -> T;

    /// Works on a shard for a moment, one of many that follow each other: others come in between.
    fn visit<T>(&mut self, shard: usize, work: impl FnOnce(&mut keyspace::Shard) -> T) -> T;
}

/// Each under its lock.
struct Locked<'k> {
    keyspace: &'k Keyspace,
    slot: keyspace::gate::GateSlot,
    stint: Stint,
}

impl<'k> Locked<'k> {
    /// Enters the gate and locks a shard that others are at work on. Were they to find the walk asleep at the lock,
    /// each of their commands would wake it up, which takes longer than most commands do.
    fn lock_behind_others(&mut self, shard: usize) -> Guard<'k> {
        for _ in 0..NAPS_MAX {
            self.slot.enter();
            if let Some(guard) = self.keyspace.try_lock(shard) {
                return guard;
            }
            self.slot.leave();
            thread::sleep(LOCK_NAP);
        }
        self.slot.enter();
        self.keyspace.lock(shard)
    }
}

impl Shards for Locked<'_> {
    fn with<T>(
        &mut self,
        shard: usize,
        long: bool,
        work: impl FnOnce(&mut keyspace::Shard) -> T,
    ) -> T {
        // Whoever must not wait lets others do what needs this shard.
        let _occupied = long.then(|| self.keyspace.occupy(vec![shard]));
        self.slot.enter();
        let result = work(self.keyspace.lock(shard).get_mut());
        self.slot.leave();
        self.stint.pause();
        result
    }

    fn visit<T>(&mut self, shard: usize, work: impl FnOnce(&mut keyspace::Shard) -> T) -> T {
        let mut guard = self.lock_behind_others(shard);
        let result = work(guard.get_mut());
        guard.give_way();
        self.slot.leave();
        self.stint.pause();
        result
    }
}

/// All of them behind the closed gate.
struct All<'l, 'h>(&'l mut Lent<'h>);

impl Shards for All<'_, '_> {
    fn with<T>(
        &mut self,
        shard: usize,
        _long: bool,
        work: impl FnOnce(&mut keyspace::Shard) -> T,
    ) -> T {
        self.0.visit(shard, work)
    }

    fn visit<T>(&mut self, shard: usize, work: impl FnOnce(&mut keyspace::Shard) -> T) -> T {
        self.0.visit(shard, work)
    }
}

impl Snapshot {
    /// Marks the cut. No other snapshot may be under way.
    ///
    /// # Panics
    /// Unless everything is held.
    pub fn begin(held: &mut Lent<'_>, encode: Box<dyn Encode>) -> Self {
        let keyspace = held.keyspace();
        let mut numbers = vec![0; keyspace.databases()];
        let mut sizes = Vec::new();
        for database in 0..keyspace.databases() {
            let physical = keyspace.resolve(database);
            if let Some(number) = numbers.get_mut(physical) {
                *number = database;
            }
            let mut size = Size { database, keys: 0, volatile: 0 };
            for shard in 0..SHARDS {
                held.visit(shard, |shard| {
                    if let Some(db) = shard.db(physical) {
                        size.keys += db.len() as u64;
                        size.volatile += db.volatile() as u64;
                    }
                });
            }
            if size.keys > 0 {
                sizes.push(size);
            }
        }
        let shared = Arc::new(Shared {
            encode: encode.into(),
            numbers: numbers.into(),
            sink: Mutex::default(),
            progress: Arc::default(),
        });
        held.cut(&(Arc::clone(&shared) as Arc<dyn Witness>));
        Self { shared, sizes }
    }

    /// The databases with keys at the cut.
    pub fn sizes(&self) -> &[Size] {
        &self.sizes
    }

    /// A handle for others.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared.progress))
    }

    /// Walks over the keyspace beside everybody else, and hands the bytes to `write` piece by piece. The
    /// calling thread is outside of the gate with all its slots.
    ///
    /// # Errors
    /// What `write` says, or [`io::ErrorKind::Interrupted`] when the snapshot was given up.
    pub fn run(
        self,
        keyspace: &Keyspace,
        pace: Pace,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Figures> {
        let (slot, stint) = (keyspace.gate().register(), Stint::begin());
        let mut shards = Locked { keyspace, slot, stint };
        let result = self.walk(&mut shards, pace, write);
        keyspace.set_cut(false);
        if result.is_err() && !self.shared.progress.given_up.swap(true, Ordering::AcqRel) {
            let closed = keyspace.gate().close();
            Held::all(keyspace, &closed).lend().forget_witness();
        }
        result
    }

    /// The same while everything is held, as SAVE does it.
    ///
    /// # Errors
    /// What `write` says.
    pub fn run_held(
        self,
        held: &mut Lent<'_>,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Figures> {
        let result = self.walk(&mut All(held), Pace::default(), write);
        held.keyspace().set_cut(false);
        if result.is_err() {
            self.shared.progress.given_up.store(true, Ordering::Release);
            held.forget_witness();
        }
        result
    }

    fn walk(
        &self,
        shards: &mut impl Shards,
        pace: Pace,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Figures> {
        let mut figures = Figures::default();
        let mut piece = Vec::new();
        for shard in 0..SHARDS {
            let mut place = Some(Place::default());
            let mut large = false;
            while let Some(here) = place {
                let shown = shards.with(shard, large, |shard| {
                    // Looked at under the lock: after the flag is set behind the closed gate, no
                    // shard is touched any more.
                    if self.is_given_up() {
                        return Ok(None);
                    }
                    shard.show_some(here, KEYS_PER_LOCK, large)
                });
                // What is large is come back to, when others know of it.
                large = shown.is_err();
                place = shown.unwrap_or(place);
                self.hand_out(&mut piece, PIECE, &mut figures, write)?;
                self.write_parts(shards, &mut figures, write)?;
                self.rest(pace, &mut figures.keys);
            }
        }
        // Databases that were taken away meanwhile show what they have when they are dropped.
        while Arc::strong_count(&self.shared) > 1 && !self.is_given_up() {
            self.hand_out(&mut piece, 1, &mut figures, write)?;
            self.write_parts(shards, &mut figures, write)?;
            thread::sleep(PATIENCE);
        }
        self.write_parts(shards, &mut figures, write)?;
        self.hand_out(&mut piece, 1, &mut figures, write)?;
        figures.keys = self.shared.progress.keys.load(Ordering::Relaxed);
        Ok(figures)
    }

    /// Waits as long as the pace asks for the keys since `before`.
    fn rest(&self, pace: Pace, before: &mut u64) {
        if pace.per_key_us == 0 {
            return;
        }
        let keys = self.shared.progress.keys.load(Ordering::Relaxed);
        let since = keys - std::mem::replace(before, keys);
        let mut left = Duration::from_micros(pace.per_key_us.saturating_mul(since));
        while !left.is_zero() && !self.is_given_up() && !self.is_stopped() {
            let nap = left.min(NAP);
            thread::sleep(nap);
            left -= nap;
        }
    }

    fn is_stopped(&self) -> bool {
        self.shared.progress.stopped.load(Ordering::Acquire)
    }

    fn is_given_up(&self) -> bool {
        self.shared.progress.given_up.load(Ordering::Acquire)
    }

    /// Writes the values that are to be written in parts, until there is none.
    fn write_parts(
        &self,
        shards: &mut impl Shards,
        figures: &mut Figures,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            let mut sink = self.shared.sink.lock();
            let Some(parts) = sink.parts.pop() else { return Ok(()) };
            // What was shown so far comes before, and what is shown from now on says its database again.
            let before = std::mem::take(&mut sink.whole);
            let mut out = std::mem::take(&mut sink.bytes);
            sink.database = None;
            drop(sink);
            self.note_waiting(before.iter().map(Vec::len).sum(), figures);
            before.iter().try_for_each(|bytes| write(bytes))?;
            self.shared.encode.select(parts.database, &mut out);
            loop {
                self.check_wanted()?;
                let step = parts.step(shards, &mut out);
                if out.len() >= PIECE || step != Step::More {
                    self.note_waiting(out.len(), figures);
                    write(&out)?;
                    out.clear();
                }
                match step {
                    Step::More => {}
                    Step::Away => thread::sleep(PATIENCE),
                    Step::Done => break,
                }
            }
            if !parts.is_whole() {
                return Err(io::Error::other("a value lost elements while it was written"));
            }
        }
    }

    fn check_wanted(&self) -> io::Result<()> {
        if self.is_given_up() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.is_stopped() {
            return Err(io::Error::other("it was stopped"));
        }
        Ok(())
    }

    /// Notes that so many bytes are about to be handed out.
    fn note_waiting(&self, bytes: usize, figures: &mut Figures) {
        figures.bytes += bytes as u64;
        figures.waiting_max = figures.waiting_max.max(bytes as u64);
        self.shared.progress.waiting_max.store(figures.waiting_max, Ordering::Relaxed);
    }

    /// Hands out what has been encoded when it is at least so much.
    fn hand_out(
        &self,
        piece: &mut Vec<u8>,
        least: usize,
        figures: &mut Figures,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.check_wanted()?;
        let whole;
        {
            let mut sink = self.shared.sink.lock();
            if sink.whole.is_empty() && sink.bytes.len() < least {
                return Ok(());
            }
            piece.clear();
            // A huge value's room is not kept.
            piece.shrink_to(4 * PIECE);
            std::mem::swap(&mut sink.bytes, piece);
            whole = std::mem::take(&mut sink.whole);
        }
        let bytes = whole.iter().map(Vec::len).sum::<usize>() + piece.len();
        self.note_waiting(bytes, figures);
        for piece in whole {
            write(&piece)?;
        }
        if piece.is_empty() { Ok(()) } else { write(piece) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_is_not_published_and_who_gives_up_waits_for_what_is_being_published() {
        let handle = Handle(Arc::default());
        let published = AtomicBool::new(false);
        thread::scope(|scope| {
            let (other, published) = (handle.clone(), &published);
            let giving_up = handle.publish(|| {
                let giving_up = scope.spawn(move || {
                    other.give_up();
                    published.load(Ordering::Acquire)
                });
                thread::sleep(Duration::from_millis(20));
                assert!(!giving_up.is_finished());
                published.store(true, Ordering::Release);
                giving_up
            });
            assert!(giving_up.is_some_and(|thread| thread.join().is_ok_and(|after| after)));
        });
        assert!(handle.is_given_up());
        assert_eq!(handle.publish(|| ()), None);
    }
}
