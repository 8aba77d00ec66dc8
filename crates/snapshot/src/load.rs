use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use keyspace::access::{self, AccessClock};
use keyspace::{Db, Deadline, Entry, Key, KeyHash, Keyspace, Lent, Payload, SHARDS, Shard};
use parking_lot::Mutex;
use rdb::{Chunk, Error, Item, Limits, Meta, Record, ScanError, Scanner, Used, Value};

/// Chunks that wait to be decoded, for each thread.
const QUEUE: usize = 4;
/// Keys whose places are asked for before the first is stored.
const AHEAD: usize = 32;

/// Bytes that a key and its value take in a file, at least about.
const KEY_BYTES: u64 = 16;

/// What happens to a key that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// The file is refused.
    Refuse,
    /// It is replaced.
    Replace,
}

/// How a file is loaded.
pub struct Rules {
    /// What decides the values' encodings.
    pub limits: Limits,
    /// The time, milliseconds since the epoch.
    pub now_ms: i64,
    /// Leaves out keys whose time has come.
    pub expires: bool,
    /// What happens to keys that are there already.
    pub duplicates: Duplicates,
    /// What keys are stamped with.
    pub access: AccessClock,
    /// Whether the stamps count uses, not the time since the last.
    pub counts_uses: bool,
    /// Microseconds to wait after each key (`key-load-delay`).
    pub delay_us: u64,
}

/// Who looks on while a file is loaded.
pub trait Watch: Sync {
    /// So many bytes of the file have been read.
    fn progress(&self, bytes: u64);
    /// How many bytes the file has, 0 where that is not known: it bounds what the file is believed to hold.
    fn total_bytes(&self) -> u64 {
        0
    }
    /// A text about the file.
    fn text(&self, name: &[u8], text: &[u8]);
    /// A collection without members was passed over.
    fn empty(&self, key: &[u8]);
    /// A module's data was passed over.
    fn module(&self, name: &str);
    /// Whether to stop.
    fn stops(&self) -> bool {
        false
    }
}

/// What a file held.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Keys that were stored.
    pub keys: u64,
    /// Keys left out since their time had come.
    pub expired: u64,
    /// Collections without members, left out.
    pub empty: u64,
    /// Sources of function libraries.
    pub functions: Vec<Vec<u8>>,
    /// What was read and lies behind the end.
    pub rest: Vec<u8>,
}

/// Why a file was not loaded; keys before may have been.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read, or taken apart.
    #[error("{0}")]
    Scan(#[from] ScanError),
    /// A value is damaged.
    #[error("key '{key}': {error}")]
    Value {
        /// The key, as far as it is text.
        key: String,
        /// What is wrong.
        error: Error,
    },
    /// A key is there twice.
    #[error("RDB has duplicated key '{key}' in DB {database}")]
    Duplicate {
        /// The key, as far as it is text.
        key: String,
        /// Its database.
        database: u64,
    },
    /// There is no such database.
    #[error("the file has keys in database {0}, more than the server is configured to handle")]
    Database(u64),
    /// Somebody asked to stop.
    #[error("loading was stopped")]
    Stopped,
}

#[derive(Default)]
struct Counts {
    keys: AtomicU64,
    expired: AtomicU64,
    empty: AtomicU64,
}

/// Loads a file into the keyspace beside whoever else uses it, with several threads that decode and store.
/// The calling thread is outside of the gate.
///
/// # Errors
/// When the file is damaged. What was stored until then stays.
pub fn load<R: Read>(
    reader: R,
    keyspace: &Keyspace,
    threads: usize,
    rules: &Rules,
    watch: &dyn Watch,
) -> Result<Loaded, LoadError> {
    let (counts, failure) = (Counts::default(), Mutex::new(None));
    let failed = AtomicBool::new(false);
    let (send, receive) = sync_channel::<Chunk>(QUEUE * threads.max(1));
    let receive = Mutex::new(receive);
    let scanned = thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let work = || {
                let slot = keyspace.gate().register();
                while let Some(chunk) = next(&receive) {
                    if failed.load(Ordering::Relaxed) {
                        continue;
                    }
                    slot.enter();
                    let stored = store_chunk(&chunk, keyspace, rules, watch, &counts);
                    slot.leave();
                    if let Err(error) = stored {
                        failed.store(true, Ordering::Relaxed);
                        failure.lock().get_or_insert(error);
                    }
                }
            };
            scope.spawn(work);
        }
        let slot = keyspace.gate().register();
        let scanned = scan(reader, watch, |part| match part {
            Part::Keys(chunk) => hand_over(&send, chunk, &failed),
            Part::Size(database, keys) => {
                slot.enter();
                for shard in 0..SHARDS {
                    reserve(keyspace.lock(shard).get_mut(), keyspace, database, keys);
                }
                slot.leave();
                Ok(())
            }
        });
        drop(send);
        scanned
    });
    match failure.into_inner() {
        Some(error) => Err(error),
        None => scanned.map(|loaded| counts.fill(loaded)),
    }
}

fn next(receive: &Mutex<Receiver<Chunk>>) -> Option<Chunk> {
    receive.lock().recv().ok()
}

fn hand_over(send: &SyncSender<Chunk>, chunk: Chunk, failed: &AtomicBool) -> Result<(), LoadError> {
    let sent = send.send(chunk).is_ok();
    if sent && !failed.load(Ordering::Relaxed) { Ok(()) } else { Err(LoadError::Stopped) }
}

/// Loads a file while everything is held.
///
/// # Errors
/// As [`load`].
pub fn load_held<R: Read>(
    reader: R,
    held: &mut Lent<'_>,
    rules: &Rules,
    watch: &dyn Watch,
) -> Result<Loaded, LoadError> {
    let counts = Counts::default();
    let keyspace = held.keyspace();
    let loaded = scan(reader, watch, |part| {
        let chunk = match part {
            Part::Keys(chunk) => chunk,
            Part::Size(database, keys) => {
                for shard in 0..SHARDS {
                    held.visit(shard, |shard| reserve(shard, keyspace, database, keys));
                }
                return Ok(());
            }
        };
        for record in chunk.records() {
            let Some(read) = read(&chunk, record, keyspace, rules, watch, &counts)? else {
                continue;
            };
            let key = Key::new(&read.key);
            let physical = keyspace.resolve(read.meta.database as usize);
            let due_ms = held.visit(key.hash().shard(), |shard| {
                store(shard.db_mut(physical), key, read.value, read.meta, rules, keyspace)
            })?;
            if let Some(due_ms) = due_ms {
                held.note_deadline(key.hash(), due_ms);
            }
            counts.keys.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })?;
    Ok(counts.fill(loaded))
}

impl Counts {
    fn fill(&self, loaded: Loaded) -> Loaded {
        let [keys, expired, empty] =
            [&self.keys, &self.expired, &self.empty].map(|count| count.load(Ordering::Relaxed));
        Loaded { keys, expired, empty, ..loaded }
    }
}

/// Makes room in a shard for its part of a database's keys.
fn reserve(shard: &mut Shard, keyspace: &Keyspace, database: usize, keys: usize) {
    if database < keyspace.databases() && keys >= SHARDS {
        shard.db_mut(keyspace.resolve(database)).reserve(keys / SHARDS);
    }
}

/// What a file is taken apart into.
enum Part {
    /// Some keys.
    Keys(Chunk),
    /// The database of this number has about so many keys.
    Size(usize, usize),
}

/// Takes a file apart, and gives the parts to `take`.
fn scan<R: Read>(
    reader: R,
    watch: &dyn Watch,
    mut take: impl FnMut(Part) -> Result<(), LoadError>,
) -> Result<Loaded, LoadError> {
    let mut scanner = Scanner::new(reader)?;
    let mut loaded = Loaded::default();
    loop {
        match scanner.next_item()? {
            Item::Chunk(chunk) => {
                watch.progress(scanner.position());
                take(Part::Keys(chunk))?;
            }
            Item::Aux(name, text) => watch.text(&name, &text),
            Item::Function(source) => loaded.functions.push(source),
            Item::ModuleAux(name) => watch.module(&name),
            Item::Size { database, keys, .. } => {
                let keys = keys.min(watch.total_bytes() / KEY_BYTES) as usize;
                take(Part::Size(usize::try_from(database).unwrap_or(usize::MAX), keys))?;
            }
            Item::End { .. } => break,
        }
        if watch.stops() {
            return Err(LoadError::Stopped);
        }
    }
    watch.progress(scanner.position());
    (_, loaded.rest) = scanner.into_rest();
    Ok(loaded)
}

fn text(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

/// A key that is to be stored.
struct Decoded<'c> {
    key: std::borrow::Cow<'c, [u8]>,
    value: Value<'c>,
    meta: &'c Meta,
}

/// Decodes a record, unless it is to be left out.
fn read<'c>(
    chunk: &'c Chunk,
    record: &'c Record,
    keyspace: &Keyspace,
    rules: &Rules,
    watch: &dyn Watch,
    counts: &Counts,
) -> Result<Option<Decoded<'c>>, LoadError> {
    let meta = &record.meta;
    if usize::try_from(meta.database).map_or(true, |number| number >= keyspace.databases()) {
        return Err(LoadError::Database(meta.database));
    }
    if rules.delay_us > 0 {
        thread::sleep(std::time::Duration::from_micros(rules.delay_us));
    }
    match chunk.decode(record, &rules.limits) {
        Ok(_) if rules.expires && meta.deadline_ms.is_some_and(|at| at < rules.now_ms) => {
            counts.expired.fetch_add(1, Ordering::Relaxed);
            Ok(None)
        }
        Ok((key, value)) => Ok(Some(Decoded { key, value, meta })),
        Err(Error::Empty) => {
            counts.empty.fetch_add(1, Ordering::Relaxed);
            watch.empty(&chunk.key(record).unwrap_or_default());
            Ok(None)
        }
        Err(error) => {
            let key = text(&chunk.key(record).unwrap_or_default());
            Err(LoadError::Value { key, error })
        }
    }
}

fn store_chunk(
    chunk: &Chunk,
    keyspace: &Keyspace,
    rules: &Rules,
    watch: &dyn Watch,
    counts: &Counts,
) -> Result<(), LoadError> {
    let mut hashed: Vec<(KeyHash, Decoded<'_>)> = Vec::with_capacity(AHEAD);
    for records in chunk.records().chunks(AHEAD) {
        for record in records {
            let Some(read) = read(chunk, record, keyspace, rules, watch, counts)? else { continue };
            let hash = KeyHash::of(&read.key);
            keyspace.prefetch_bucket(hash);
            hashed.push((hash, read));
        }
        counts.keys.fetch_add(hashed.len() as u64, Ordering::Relaxed);
        for (hash, Decoded { key, value, meta }) in hashed.drain(..) {
            let physical = keyspace.resolve(meta.database as usize);
            let mut guard = keyspace.lock(hash.shard());
            let db = guard.get_mut().db_mut(physical);
            let due_ms = store(db, Key::with_hash(&key, hash), value, meta, rules, keyspace)?;
            if let Some(due_ms) = due_ms {
                guard.note_deadline(due_ms);
            }
            keyspace.note_buckets(&guard, physical);
        }
    }
    Ok(())
}

/// Stores a key; returns from when on it or a part of it has to go.
fn store(
    db: &mut Db,
    key: Key<'_>,
    value: Value<'_>,
    meta: &Meta,
    rules: &Rules,
    keyspace: &Keyspace,
) -> Result<Option<i64>, LoadError> {
    let payload = match value {
        Value::Int(number) => Payload::Int(number),
        Value::Bytes(ref bytes) => Payload::string(bytes),
        Value::Object(object) => Payload::Object(*object),
    };
    let access = match meta.used {
        Used::Idle(seconds) if !rules.counts_uses => access::stamp_of_idle(seconds, rules.now_ms),
        Used::Freq(count) if rules.counts_uses => access::stamp_of_frequency(count, rules.now_ms),
        _ => rules.access.of_new(),
    };
    let deadline = meta.deadline_ms.map_or(Deadline::None, Deadline::At);
    let replaces = rules.duplicates == Duplicates::Replace;
    let put = db.put_if(key, i64::MIN, payload, deadline, access, |old| replaces || old.is_none());
    if !put.stored {
        return Err(LoadError::Duplicate { key: text(key.bytes()), database: meta.database });
    }
    let old: Option<Entry> = put.replaced;
    old.into_iter().for_each(|entry| keyspace.reclaimer().dispose(entry));
    Ok([meta.deadline_ms, put.members_due_ms].into_iter().flatten().min())
}
