//! Staying below `maxmemory`: what is in use is compared with it before every command that may need memory,
//! and keys go, chosen by `maxmemory-policy`, until it fits.
//!
//! The best of a few random keys go, as in Redis: those with the longest time since their last use, the fewest uses,
//! or the nearest end. Good candidates that were not the best are kept in a pool for the next time, which brings
//! the choice close to that of an exact order (Redis 3.0's approximation).

use command::{Command, Error, Flags, ReadyKey, Session, Targets};
use config::{KeyspaceEvents, MaxmemoryPolicy};
use env::{Random, RngCore};
use keyspace::access::{LfuScale, frequency, idle_seconds};
use keyspace::{Db, EntryRef, Held, Key, SHARDS};

use tracking::Recorder;

use crate::conditions::lfu_scale;
use crate::execute::Bench;
use crate::notify;

/// Candidates kept.
const POOL: usize = 16;
/// Rounds of sampling without a candidate that still exists, after which there is taken to be none.
const ROUNDS: usize = 64;
/// Keys evicted between two looks at the time.
const KEYS_PER_LOOK: usize = 16;
/// What a thread may allocate before it enters it, while the limit is far.
const SLACK_BYTES: i64 = 1024;
/// How often the allocator is asked while the limit is exceeded; it takes it some tens of microseconds.
const CALIBRATE_NS: u64 = 1_000_000;
/// How often it is asked otherwise: threads that are no workers allocate too.
const RECALIBRATE_NS: u64 = 200_000_000;
/// The same near the limit.
const RECALIBRATE_NEAR_NS: u64 = 20_000_000;

/// What a worker keeps between evictions.
#[derive(Default)]
pub struct Evictor {
    /// What its thread had allocated when it was entered last.
    entered_bytes: i64,
    /// What invalidations take that evictions have caused and that are not sent yet. They do not count: or each key
    /// that goes would make another go.
    message_bytes: i64,
    /// When it asked the allocator last.
    calibrated_ns: u64,
    policy: Option<MaxmemoryPolicy>,
    /// What the keys in the pool take, which does not count either.
    pool_bytes: i64,
    /// The one to go first is last.
    pool: Vec<Candidate>,
}

/// A key that may go.
struct Candidate {
    /// The higher, the sooner it goes.
    rank: u64,
    physical: usize,
    key: Box<[u8]>,
}

/// What came of making room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is enough.
    Enough,
    /// Not yet, but more will go.
    Soon,
    /// There is none, and nothing more may go.
    None,
}

impl Bench<'_> {
    /// Whether a command may run as far as memory is concerned; evicts what has to go. `flags` are those of the
    /// call, which a script may declare.
    ///
    /// # Errors
    /// When the command might need memory and there is none.
    pub fn check_memory(
        &mut self,
        session: &Session,
        command: Command,
        flags: Flags,
    ) -> Result<(), Error> {
        if self.config.maxmemory == 0 {
            return Ok(());
        }
        let top = command.container.is_none();
        let needs = flags.contains(Flags::DENYOOM)
            || session.transaction.as_ref().is_some_and(|transaction| match command.name {
                "exec" if top => transaction.flags.contains(Flags::DENYOOM),
                "multi" | "discard" | "watch" | "quit" | "reset" if top => false,
                // A queue takes memory, too.
                _ => true,
            });
        // Commands that need none make room, too: what the last ones took goes before anybody's reply. And scripts
        // ask when they come to a command that needs memory.
        match self.make_room() {
            Room::None if needs => Err(Error::OUT_OF_MEMORY),
            _ => Ok(()),
        }
    }

    /// Enters what a thread has allocated or freed that asks for room only now and then.
    pub fn enter_memory(&mut self) {
        if self.config.maxmemory > 0 {
            self.enter(0);
        }
    }

    /// Evicts keys until no more than `maxmemory` is in use, as long as the time for that lasts.
    pub fn make_room(&mut self) -> Room {
        let limit = self.config.maxmemory;
        if limit == 0 || self.services.persistence.is_loading() || !self.exceeds(limit) {
            return self.conclude(Room::Enough);
        }
        if self.config.maxmemory_policy == MaxmemoryPolicy::Noeviction {
            return self.conclude(Room::None);
        }
        if self.services.pause.is_active(self.now_us() / 1000) || self.clients_go_first() {
            return Room::Soon;
        }
        // Without the gate, whoever has closed it owns every shard: a script that runs for long.
        if !self.gate.is_inside() {
            return Room::Soon;
        }
        let start = self.services.clock.monotonic_ns();
        let slice_ns = slice_ns(self.config.maxmemory_eviction_tenacity);
        loop {
            for _ in 0..KEYS_PER_LOOK {
                let reclaimer = self.services.keyspace.reclaimer();
                if reclaimer.pending() > 0 {
                    // What is being freed in the background may be enough.
                    return self.conclude(Room::Soon);
                }
                if !self.evict_one() {
                    self.calibrate();
                    let room = if self.is_above(limit) { Room::None } else { Room::Enough };
                    return self.conclude(room);
                }
                if !self.exceeds(limit) {
                    return self.conclude(Room::Enough);
                }
            }
            if self.services.clock.monotonic_ns().saturating_sub(start) > slice_ns {
                return self.conclude(Room::Soon);
            }
        }
    }

    /// Ends clients that take more than `maxmemory-clients`: what they have goes before keys do. False when there are
    /// none.
    fn clients_go_first(&self) -> bool {
        let limit = self.config.maxmemory_clients.limit(self.config.maxmemory);
        let Some(limit) = limit.filter(|limit| self.services.statistics.client_bytes() > *limit)
        else {
            return false;
        };
        self.counters.evicted_clients.add(self.services.clients.evict(limit));
        true
    }

    fn conclude(&self, room: Room) -> Room {
        let now_ms = self.now_us() / 1000;
        self.services.budget.note(room != Room::Enough, room == Room::None, now_ms);
        room
    }

    /// Whether more than `limit` is in use, this thread's share included.
    fn exceeds(&mut self, limit: u64) -> bool {
        let since = self.clock_ns.saturating_sub(self.evictor.calibrated_ns);
        let is_near = self.services.budget.is_nearly_spent(limit);
        let patience_ns = if is_near { RECALIBRATE_NEAR_NS } else { RECALIBRATE_NS };
        let never = self.evictor.calibrated_ns == 0;
        if never || since > patience_ns || (self.enter(limit) && since > CALIBRATE_NS) {
            self.calibrate();
        }
        self.is_above(limit)
    }

    fn is_above(&self, limit: u64) -> bool {
        self.services.budget.used() > limit
    }

    /// Enters what this thread has allocated; says whether more than `limit` is in use then.
    fn enter(&mut self, limit: u64) -> bool {
        if let Some(net) = self.services.host.thread_memory() {
            let net = net - self.evictor.uncounted_bytes();
            let delta = net - self.evictor.entered_bytes;
            let sum = self.services.budget.used().saturating_add_signed(delta);
            if delta.abs() < SLACK_BYTES && sum <= limit {
                return false;
            }
            self.services.budget.add(delta);
            self.evictor.entered_bytes = net;
        }
        self.is_above(limit)
    }

    /// Asks the allocator what is in use.
    fn calibrate(&mut self) {
        let services = self.services;
        let uncounted = self.evictor.uncounted_bytes();
        let allocated = services.host.memory().allocated.saturating_add_signed(-uncounted);
        services.budget.calibrate(allocated);
        self.evictor.entered_bytes = services.host.thread_memory().unwrap_or(0) - uncounted;
        self.evictor.calibrated_ns = services.clock.monotonic_ns();
    }

    /// Evicts the key that should go first; false when there is none.
    fn evict_one(&mut self) -> bool {
        let policy = self.config.maxmemory_policy;
        if self.evictor.policy != Some(policy) {
            self.evictor.policy = Some(policy);
            self.evictor.pool.clear();
            self.evictor.pool_bytes = 0;
        }
        for _ in 0..ROUNDS {
            if !self.sample(policy) {
                return false;
            }
            while let Some(candidate) = self.evictor.take_best() {
                if self.evict(&candidate, policy) {
                    return true;
                }
            }
        }
        false
    }

    /// Looks at some random keys; false when there are none that may go.
    ///
    /// A shard is chosen at random, and the keys of it: hashes are as good as random numbers.
    fn sample(&mut self, policy: MaxmemoryPolicy) -> bool {
        let now_ms = self.now_us() / 1000;
        let scale = lfu_scale(self.config);
        let wanted = if is_random(policy) { 1 } else { self.config.maxmemory_samples as usize };
        let start = self.random.next_u64() as usize % SHARDS;
        let mut seen = 0;
        for offset in 0..SHARDS {
            let guard = self.services.keyspace.lock((start + offset) % SHARDS);
            for (physical, db) in guard.get().dbs() {
                for _ in 0..wanted.min(population(db, policy)) {
                    let Some(entry) = pick(db, policy, self.random) else { continue };
                    seen += 1;
                    let rank = rank(entry, policy, now_ms, scale, self.random);
                    self.evictor.offer(rank, physical, entry.key());
                }
            }
            if seen >= wanted {
                break;
            }
        }
        seen > 0
    }

    /// Removes a candidate if it is still there and may still go.
    fn evict(&mut self, candidate: &Candidate, policy: MaxmemoryPolicy) -> bool {
        let keyspace = &self.services.keyspace;
        let key = Key::new(&candidate.key);
        let physical = candidate.physical;
        let Some(number) = keyspace.number_of(physical) else { return false };
        let mut guard = keyspace.lock(key.hash().shard());
        let (db, marks) = guard.get_mut().db_and_marks(physical);
        let may_go = |entry: &EntryRef<'_>| !is_volatile(policy) || entry.deadline_ms().is_some();
        if db.get(key).filter(may_go).is_none() {
            return false;
        }
        let Some(entry) = db.remove(key) else { return false };
        db.trim();
        if self.log.is_on() {
            let verb: &[u8] = if self.config.lazyfree_lazy_eviction { b"UNLINK" } else { b"DEL" };
            let words = [verb, &candidate.key].into_iter();
            self.log.record_one(number, Targets::all(), 2, words, self.now_us() / 1000);
        }
        let awaited = !marks.is_empty() && marks.changed(number, &candidate.key);
        let tracking = &self.services.tracking;
        if tracking.is_on() {
            let recorder = Recorder { tracking, notes: self.notes, client: 0 };
            let before = self.services.host.thread_memory();
            recorder.expired(key.hash().bits(), &candidate.key);
            tracking.post(&mut self.notes.borrow_mut());
            let after = self.services.host.thread_memory();
            let grown = after.zip(before).map_or(0, |(after, before)| after - before);
            self.evictor.message_bytes += grown.max(1);
        }
        if notify::wanted(self.services, self.config).contains(KeyspaceEvents::EVICTED) {
            notify::publish_one(self.services, self.config, "evicted", &candidate.key, number);
        }
        drop(guard);
        self.counters.evicted_keys.add(1);
        keyspace.reclaimer().dispose(entry);
        if awaited {
            let ready: Vec<ReadyKey> = vec![(number, candidate.key.clone())];
            self.serve_all(ready, Held::nothing(keyspace));
        }
        true
    }
}

impl Evictor {
    /// Whether evictions have caused invalidations that are not sent yet.
    pub fn has_messages(&self) -> bool {
        self.message_bytes > 0
    }

    /// What is in use only because keys are to go.
    fn uncounted_bytes(&self) -> i64 {
        self.message_bytes + self.pool_bytes
    }

    fn take_best(&mut self) -> Option<Candidate> {
        let best = self.pool.pop()?;
        self.pool_bytes -= best.key.len() as i64;
        Some(best)
    }

    /// Counts invalidations again: they are sent, or wait for a client that reads slowly.
    pub fn count_messages(&mut self) {
        self.message_bytes = 0;
    }

    /// Keeps a candidate if it is better than the worst of a full pool.
    fn offer(&mut self, rank: u64, physical: usize, key: &[u8]) {
        let known = |one: &Candidate| one.physical == physical && *one.key == *key;
        let mut at = self.pool.partition_point(|one| one.rank < rank);
        let full = self.pool.len() == POOL;
        if (full && at == 0) || self.pool.iter().any(known) {
            return;
        }
        if full {
            self.pool_bytes -= self.pool.remove(0).key.len() as i64;
            at -= 1;
        }
        self.pool_bytes += key.len() as i64;
        self.pool.insert(at, Candidate { rank, physical, key: key.into() });
    }
}

fn is_volatile(policy: MaxmemoryPolicy) -> bool {
    use MaxmemoryPolicy::{VolatileLfu, VolatileLrm, VolatileLru, VolatileRandom, VolatileTtl};
    matches!(policy, VolatileLfu | VolatileLrm | VolatileLru | VolatileRandom | VolatileTtl)
}

fn is_random(policy: MaxmemoryPolicy) -> bool {
    matches!(policy, MaxmemoryPolicy::AllkeysRandom | MaxmemoryPolicy::VolatileRandom)
}

/// How many keys of a table may go.
fn population(db: &Db, policy: MaxmemoryPolicy) -> usize {
    if is_volatile(policy) { db.volatile() } else { db.len() }
}

fn pick<'d>(db: &'d Db, policy: MaxmemoryPolicy, random: &mut Random) -> Option<EntryRef<'d>> {
    let word = random.next_u64();
    if is_volatile(policy) { db.random_volatile(word) } else { db.random(word) }
}

/// How much a key should go: the higher, the sooner.
fn rank(
    entry: EntryRef<'_>,
    policy: MaxmemoryPolicy,
    now_ms: i64,
    scale: LfuScale,
    random: &mut Random,
) -> u64 {
    use MaxmemoryPolicy::{AllkeysLfu, AllkeysRandom, VolatileLfu, VolatileRandom, VolatileTtl};
    match policy {
        AllkeysLfu | VolatileLfu => 255 - u64::from(frequency(entry.access(), now_ms, scale)),
        AllkeysRandom | VolatileRandom => random.next_u64(),
        VolatileTtl => {
            let deadline = entry.deadline_ms().and_then(|at| u64::try_from(at).ok());
            u64::MAX - deadline.unwrap_or(0)
        }
        _ => u64::from(idle_seconds(entry.access(), now_ms)),
    }
}

/// How long one command spends on evictions at most; `tenacity` is `maxmemory-eviction-tenacity`. The rest is left
/// for later, and the command runs.
fn slice_ns(tenacity: u32) -> u64 {
    match tenacity {
        0..=10 => u64::from(tenacity) * 50_000,
        11..100 => (500_000.0 * 1.15f64.powi(tenacity as i32 - 10)) as u64,
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_keeps_the_best_candidates_in_order_and_each_once() {
        let mut evictor = Evictor::default();
        for rank in (0..40).rev().chain(0..40) {
            evictor.offer(rank, 0, rank.to_string().as_bytes());
        }
        let ranks: Vec<u64> = evictor.pool.iter().map(|one| one.rank).collect();
        assert_eq!(ranks, (24..40).collect::<Vec<_>>());
    }

    #[test]
    fn a_command_spends_half_a_millisecond_on_evictions_unless_told_otherwise() {
        assert_eq!(slice_ns(0), 0);
        assert_eq!(slice_ns(10), 500_000);
        assert!((500_000..2_000_000_000_000).contains(&slice_ns(99)));
        assert_eq!(slice_ns(100), u64::MAX);
    }
}
