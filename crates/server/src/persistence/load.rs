use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use command::scripts::Libraries;
use command::{Error, Loading, Services};
use config::Config;
use encryption::Input;
use keyspace::Lent;
use snapshot::{Duplicates, LoadError, Loaded, Rules, Watch, load, load_held};

use super::counts_uses;
use crate::conditions::access_clock;

/// Empty collections that the log names at most.
const EMPTY_NAMED: u64 = 10;

/// How keys are loaded.
pub fn rules(services: &Services, config: &Config, duplicates: Duplicates) -> Rules {
    let now_ms = services.clock.unix_ms();
    Rules {
        limits: commands::limits(config),
        now_ms,
        expires: true,
        duplicates,
        access: access_clock(config, now_ms),
        counts_uses: counts_uses(config),
        delay_us: config.key_load_delay_us.max(0).unsigned_abs(),
    }
}

/// Notes for INFO how far loading is, and tells the log what it meets.
pub struct Watcher<'a> {
    services: &'a Services,
    /// Bytes of the files before this one.
    before: u64,
    empty: AtomicU64,
}

impl<'a> Watcher<'a> {
    /// Of a file that comes after others of so many bytes.
    pub fn new(services: &'a Services, before: u64) -> Self {
        Self { services, before, empty: AtomicU64::new(0) }
    }
}

impl Watch for Watcher<'_> {
    fn progress(&self, bytes: u64) {
        self.services.persistence.loading().loaded_bytes = self.before + bytes;
    }

    fn total_bytes(&self) -> u64 {
        self.services.persistence.loading().total_bytes
    }

    fn text(&self, name: &[u8], text: &[u8]) {
        let number = || codec::number::parse_u64(text).unwrap_or(0);
        let shown = String::from_utf8_lossy(text);
        match name {
            b"redis-ver" | b"valkey-ver" => {
                tracing::info!("Loading RDB produced by version {shown}");
            }
            b"ctime" => {
                let now_s = self.services.clock.unix_ms().unsigned_abs() / 1000;
                tracing::info!("RDB age {} seconds", now_s.saturating_sub(number()));
            }
            b"used-mem" => {
                let megabytes = number() as f64 / f64::from(1 << 20);
                tracing::info!("RDB memory usage when created {megabytes:.2} Mb");
                self.services.persistence.loading().used_memory = number();
            }
            [b'%', ..] => tracing::info!("RDB '{}': {shown}", String::from_utf8_lossy(name)),
            _ => {}
        }
    }

    fn empty(&self, key: &[u8]) {
        if self.empty.fetch_add(1, Ordering::Relaxed) < EMPTY_NAMED {
            let key = String::from_utf8_lossy(key);
            tracing::info!("rdbLoadObject skipping empty key: {key}");
        }
    }

    fn module(&self, name: &str) {
        tracing::warn!("The RDB file contains data of the module '{name}', which is passed over");
    }
}

/// Loads the snapshot of the configuration, if there is one, when the server starts. Meanwhile commands that
/// need the data set are refused.
///
/// # Errors
/// When it cannot be loaded: the server must not go on with a part of the data.
pub fn load_at_start(services: &Arc<Services>, threads: usize) -> Result<(), String> {
    let config = services.config.snapshot();
    load_file(services, threads, &Path::new(&config.dir).join(&config.dbfilename))
}

/// As [`load_at_start`], from any file.
///
/// # Errors
/// As [`load_at_start`].
pub fn load_file(services: &Arc<Services>, threads: usize, path: &Path) -> Result<(), String> {
    let config = services.config.snapshot();
    let start = Instant::now();
    let result = open(services, path).and_then(|file| match file {
        None => Ok(None),
        Some(file) => {
            let rules = rules(services, &config, Duplicates::Refuse);
            let watcher = Watcher::new(services, 0);
            read_whole(file, |file| load(file, &services.keyspace, threads, &rules, &watcher))
                .map(Some)
        }
    });
    let loaded = result.map_err(|error| {
        tracing::warn!("{}: {error}", path.display());
        tracing::warn!("Terminating server after rdb file reading failure.");
        format!("Fatal error loading the DB, check server logs. Exiting. ({error})")
    })?;
    if let Some(loaded) = loaded {
        add_libraries(services, &loaded, true).map_err(|error| {
            format!("Failed loading the functions of {}: {error}", path.display())
        })?;
        note(services, &loaded);
        tracing::info!("DB loaded from disk: {:.3} seconds", start.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Loads the snapshot's file while everything is held (DEBUG RELOAD).
///
/// # Errors
/// When it cannot be loaded.
pub fn reload(services: &Arc<Services>, held: &mut Lent<'_>, replaces: bool) -> Result<(), Error> {
    let config = services.config.snapshot();
    let path = Path::new(&config.dir).join(&config.dbfilename);
    let duplicates = if replaces { Duplicates::Replace } else { Duplicates::Refuse };
    let result = open(services, &path).and_then(|file| {
        let file =
            file.ok_or_else(|| LoadError::Scan(io::Error::from(io::ErrorKind::NotFound).into()))?;
        let rules = rules(services, &config, duplicates);
        let watcher = Watcher::new(services, 0);
        read_whole(file, |file| load_held(file, held, &rules, &watcher))
    });
    let result = result.map_err(|error| error.to_string()).and_then(|loaded| {
        add_libraries(services, &loaded, replaces)?;
        Ok(loaded)
    });
    match result {
        Ok(loaded) => {
            note(services, &loaded);
            Ok(())
        }
        Err(error) => {
            tracing::warn!("{}: {error}", config.dbfilename);
            Err(Error::fixed("ERR Error trying to load the RDB dump"))
        }
    }
}

/// Adds the function libraries that a file holds; `replaces` is whether in place of those of the same names.
///
/// # Errors
/// When one is there already, or is wrong; then none is added.
pub fn add_libraries(services: &Services, loaded: &Loaded, replaces: bool) -> Result<(), String> {
    let mut libraries = Libraries::clone(&services.scripts.libraries());
    for source in &loaded.functions {
        commands::add_library(services, &mut libraries, source, replaces)?;
    }
    services.scripts.set_libraries(libraries);
    Ok(())
}

fn open(services: &Services, path: &Path) -> Result<Option<Input<File>>, LoadError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| LoadError::Scan(error.into()))?,
    };
    let total_bytes = file.metadata().map_or(0, |metadata| metadata.len());
    *services.persistence.loading() =
        Loading { started_s: services.clock.unix_ms() / 1000, total_bytes, ..Loading::default() };
    let keys = services.encryption.get();
    let input = Input::open(file, keys.as_deref());
    let input = input.map_err(|error| LoadError::Scan(error.into()))?;
    if keys.is_some() && !input.is_encrypted() {
        crate::keys::accept_plain(services).map_err(|error| LoadError::Scan(error.into()))?;
        tracing::info!("{} is not encrypted. The next snapshot is", path.display());
    }
    Ok(Some(input))
}

/// Loads a file, and reads what is behind the data set: the end mark of an encrypted file.
fn read_whole(
    mut file: Input<File>,
    load: impl FnOnce(&mut Input<File>) -> Result<Loaded, LoadError>,
) -> Result<Loaded, LoadError> {
    let loaded = load(&mut file)?;
    if file.is_encrypted() {
        io::copy(&mut file, &mut io::sink()).map_err(|error| LoadError::Scan(error.into()))?;
    }
    Ok(loaded)
}

fn note(services: &Services, loaded: &Loaded) {
    let mut loading = services.persistence.loading();
    (loading.keys, loading.expired) = (loaded.keys, loaded.expired);
    drop(loading);
    let Loaded { keys, expired, empty, .. } = loaded;
    let rest = if *empty > 0 { format!(", empty keys skipped: {empty}") } else { String::new() };
    tracing::info!("Done loading RDB, keys loaded: {keys}, keys expired: {expired}{rest}.");
}
