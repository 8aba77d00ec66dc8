use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use command::{CurrentSave, Error, REDIS_VERSION, Services};
use config::Config;
use keyspace::Lent;
use snapshot::{
    Figures, Handle, Pace, Preamble, RdbEncode, SaveError, Sealed, Snapshot, Target, sync_directory,
};

use super::{Wrapped, backup, cut, note_whole, records, uses};

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Where a snapshot is until it is whole.
fn temporary(directory: &Path) -> PathBuf {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    directory.join(format!("temp-{}-{number}.rdb", std::process::id()))
}

/// Where it goes.
fn destination(config: &Config) -> PathBuf {
    Path::new(&config.dir).join(&config.dbfilename)
}

fn preamble(services: &Services) -> Preamble {
    let texts = vec![
        ("redis-ver", REDIS_VERSION.to_owned()),
        ("redis-bits", usize::BITS.to_string()),
        ("ctime", (services.clock.unix_ms() / 1000).to_string()),
        ("used-mem", services.host.memory().allocated.to_string()),
        ("aof-base", "0".to_owned()),
    ];
    let libraries = services.scripts.libraries();
    let functions = libraries.by_name.values().map(|library| library.code.to_vec()).collect();
    Preamble { texts, functions }
}

/// Marks the cut.
fn begin(services: &Services, held: &mut Lent<'_>, config: &Config) -> Snapshot {
    let now_ms = services.clock.unix_ms();
    let encode = RdbEncode { records: records(config), uses: uses(config), now_ms };
    cut(held, Box::new(encode))
}

/// Writes a snapshot into a temporary file. `run` walks.
fn write(
    services: &Services,
    config: &Config,
    path: &Path,
    snapshot: Snapshot,
    run: impl FnOnce(Snapshot, &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<Figures>,
) -> Result<(Sealed, Figures), SaveError> {
    let temporary = temporary(path.parent().unwrap_or(Path::new(".")));
    let preamble = preamble(services);
    let keys = services.encryption.get();
    let mut opened = Target::create(temporary, config.rdbchecksum, keys.as_deref());
    let sizes = snapshot.sizes().to_vec();
    // The walk comes to its end, or is ended properly, whatever the disk says.
    let mut begun = false;
    let walked = run(snapshot, &mut |bytes| match &mut opened {
        Err(_) => Err(io::ErrorKind::Other.into()),
        Ok(target) => {
            if !std::mem::replace(&mut begun, true) {
                target.begin(&preamble, &sizes, records(config))?;
            }
            target.write(bytes)
        }
    });
    let mut target = opened?;
    let error = |error| SaveError { doing: "Write error saving DB on disk", error };
    let figures = walked.map_err(error)?;
    if !begun {
        target.begin(&preamble, &sizes, records(config)).map_err(error)?;
    }
    let sealed = target.seal(records(config))?;
    note_whole();
    Ok((sealed, figures))
}

/// Saves while everything is held.
///
/// # Errors
/// One that says nothing; the log says why.
pub fn save(services: &Arc<Services>, held: &mut Lent<'_>) -> Result<(), Error> {
    let config = services.config.snapshot();
    let interrupted = give_up(services, held);
    give_up_base(services, held);
    {
        let mut saves = services.persistence.saves();
        saves.count += 1;
        // One at a time: the other begins anew.
        saves.scheduled |= interrupted;
    }
    let snapshot = begin(services, held, &config);
    let path = destination(&config);
    let run_held = |snapshot: Snapshot, write: &mut dyn FnMut(&[u8]) -> io::Result<()>| {
        snapshot.run_held(held, write)
    };
    let written = write(services, &config, &path, snapshot, run_held);
    let saved = written.and_then(|(sealed, _)| {
        sealed.publish(&path)?;
        sync_directory(&path)
    });
    match saved {
        Ok(()) => {
            let mut saves = services.persistence.saves();
            saves.last_s = services.clock.unix_ms() / 1000;
            saves.changes = services.statistics.changes();
            saves.ok = true;
            drop(saves);
            services.persistence.set_unsaved(false);
            tracing::info!("DB saved on disk");
            Ok(())
        }
        Err(error) => {
            tracing::warn!("{error}");
            Err(Error::BARE)
        }
    }
}

/// What a snapshot is made for.
pub enum Purpose {
    /// It takes the place of the one before.
    Save,
    /// It is a backup, and goes to `path`.
    Backup { attempt: u64, path: PathBuf },
}

/// Marks the cut and lets a thread of its own save.
///
/// # Errors
/// When there is no thread.
pub fn save_in_background(services: &Arc<Services>, held: &mut Lent<'_>) -> Result<(), Error> {
    begin_in_background(services, held, Purpose::Save)
}

/// As [`save_in_background`], for any purpose.
///
/// # Errors
/// When there is no thread.
pub fn begin_in_background(
    services: &Arc<Services>,
    held: &mut Lent<'_>,
    purpose: Purpose,
) -> Result<(), Error> {
    let config = services.config.snapshot();
    let started_s = services.clock.unix_ms() / 1000;
    let snapshot = begin(services, held, &config);
    {
        let mut saves = services.persistence.saves();
        if matches!(purpose, Purpose::Save) {
            saves.count += 1;
            saves.tried_s = started_s;
        }
        saves.current = Some(CurrentSave {
            started_s,
            changes: services.statistics.changes(),
            keys_total: snapshot.sizes().iter().map(|size| size.keys).sum(),
            handle: Box::new(Wrapped(snapshot.handle())),
        });
    }
    let shared = Arc::clone(services);
    let run = move || {
        env::work_in_background();
        match purpose {
            Purpose::Save => run_in_background(&shared, &config, snapshot),
            Purpose::Backup { attempt, path } => {
                back_up(&shared, &config, snapshot, attempt, &path);
            }
        }
    };
    let spawned = thread::Builder::new().name("bgsave".into()).spawn(run);
    if let Err(error) = spawned {
        tracing::warn!("Can't save in background: {error}");
        held.forget_witness();
        services.persistence.saves().current = None;
        failed(services);
        return Err(Error::BARE);
    }
    tracing::info!("Background saving started");
    Ok(())
}

fn run_in_background(services: &Arc<Services>, config: &Config, snapshot: Snapshot) {
    let start = Instant::now();
    let pace = Pace { per_key_us: config.rdb_key_save_delay_us.max(0).unsigned_abs() };
    let handle = snapshot.handle();
    let path = destination(config);
    let written = write(services, config, &path, snapshot, |snapshot, write| {
        snapshot.run(&services.keyspace, pace, write)
    });
    let Some(published) = publish(&handle, written, &path) else { return };
    // Others look at how saving goes all the time: the lock is not held while the disk is waited for.
    let saved = published.and_then(|figures| sync_directory(&path).map(|()| figures));
    let mut saves = services.persistence.saves();
    if handle.is_given_up() {
        // Who did that has taken it away, and another may be under way.
        return;
    }
    saves.took_s = i64::try_from(start.elapsed().as_secs()).unwrap_or(i64::MAX);
    let current = saves.current.take();
    match saved {
        Ok(figures) => {
            saves.last_s = services.clock.unix_ms() / 1000;
            saves.ok = true;
            saves.waiting_bytes = figures.waiting_max;
            saves.changes = current.map_or(saves.changes, |current| current.changes);
            drop(saves);
            services.persistence.set_unsaved(false);
            tracing::info!("Background saving terminated with success");
        }
        Err(error) => {
            drop(saves);
            tracing::warn!("{error}");
            failed(services);
        }
    }
}

/// Puts what was written in its place; `None` if the snapshot was given up.
fn publish(
    handle: &Handle,
    written: Result<(Sealed, Figures), SaveError>,
    path: &Path,
) -> Option<Result<Figures, SaveError>> {
    match written {
        Ok((sealed, figures)) => handle.publish(|| sealed.publish(path).map(|()| figures)),
        // Others may have ended it, as opposed to what went wrong with writing it.
        Err(error) if error.error.kind() == io::ErrorKind::Interrupted => None,
        Err(error) => Some(Err(error)),
    }
}

/// Writes a backup's snapshot, and has it read back. It changes nothing about the snapshots of the data set.
fn back_up(
    services: &Arc<Services>,
    config: &Config,
    snapshot: Snapshot,
    attempt: u64,
    path: &Path,
) {
    let pace = Pace { per_key_us: config.rdb_key_save_delay_us.max(0).unsigned_abs() };
    let handle = snapshot.handle();
    let written = write(services, config, path, snapshot, |snapshot, write| {
        snapshot.run(&services.keyspace, pace, write)
    });
    // From here on who gives the backup up leaves other snapshots alone.
    backup::walked(services, attempt);
    let Some(published) = publish(&handle, written, path) else {
        return backup::fail(services, attempt, "its snapshot was given up");
    };
    let saved = published.and_then(|figures| sync_directory(path).map(|()| figures));
    {
        let mut saves = services.persistence.saves();
        // Who has given it up has taken it away, and another may be under way. The file is whole all the same.
        if !handle.is_given_up() {
            saves.current = None;
        }
    }
    match saved {
        Ok(figures) => backup::written(services, attempt, path, figures.keys),
        Err(error) => backup::fail(services, attempt, &error.to_string()),
    }
}

fn failed(services: &Services) {
    services.persistence.saves().ok = false;
    services.persistence.set_unsaved(true);
    tracing::warn!("Background saving error");
}

/// Gives up the base of the append-only files that is under way, which is then written later. Everything is
/// held.
pub fn give_up_base(services: &Services, held: &mut Lent<'_>) {
    if let Some(base) = services.persistence.base().take() {
        base.give_up();
        held.forget_witness();
        services.aof.scheduled.store(true, Ordering::Relaxed);
    }
}

/// Gives up the snapshot under way in the background; false when there is none. Everything is held.
pub fn give_up(services: &Services, held: &mut Lent<'_>) -> bool {
    let current = services.persistence.saves().current.take();
    if let Some(current) = &current {
        current.handle.give_up();
        held.forget_witness();
    }
    current.is_some()
}
