use std::cell::RefCell;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use aof::{FileInfo, Manifest, ReadError, Reader};
use command::clients::Origin;
use command::{Letter, Loading, Mailbox, OwnedArgs, Session};
use config::Config;
use effects::Recorder;
use env::Random;
use keyspace::gate::GateSlot;
use observe::Counters;
use snapshot::{Duplicates, Rules};
use tracking::Notes;

use super::AppendOnly;
use crate::conditions::Conditions;
use crate::evict::Evictor;
use crate::execute::{Bench, Call, scope_of};
use crate::persistence::{self, Watcher};

/// Why the data set could not be loaded.
#[derive(Debug)]
pub struct LoadError(pub String);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LoadError {}

/// What loading a file came to.
enum Loaded {
    Whole,
    /// Its end was cut off and is gone now.
    Truncated,
}

impl AppendOnly {
    /// Loads what the append-only files hold.
    ///
    /// # Errors
    /// When they cannot be read, or hold something else.
    pub fn load(&self) -> Result<(), LoadError> {
        let started = Instant::now();
        let manifest = self.read_manifest()?;
        if manifest.is_empty() {
            *self.manifest.lock() = manifest;
            return Ok(());
        }
        let mut total = 0;
        for info in manifest.files() {
            total += self.directory.size(info).map_err(|error| {
                let name = &info.name;
                LoadError(format!("Unable to obtain the AOF file {name} length. stat: {error}"))
            })?;
        }
        let started_s = self.services.clock.unix_ms() / 1000;
        *self.services.persistence.loading() =
            Loading { started_s, total_bytes: total, ..Loading::default() };
        let mut loader = Loader::new(self);
        let last = manifest.files().count();
        for (index, info) in manifest.files().enumerate() {
            let started = Instant::now();
            let loaded = loader.load(info)?;
            loader.before += self.directory.size(info).unwrap_or(0);
            self.services.persistence.loading().loaded_bytes = loader.before;
            if matches!(loaded, Loaded::Truncated) && index + 1 < last {
                return Err(LoadError(
                    "Fatal error: the truncated file is not the last file".to_owned(),
                ));
            }
            let is_base = manifest.base.as_ref() == Some(info);
            let kind = if is_base { "base" } else { "incr" };
            let seconds = started.elapsed().as_secs_f64();
            tracing::info!("DB loaded from {kind} file {}: {seconds:.3} seconds", info.name);
        }
        let status = &self.services.aof;
        status.size.store(total, Ordering::Relaxed);
        let base = manifest.base.as_ref().and_then(|base| self.directory.size(base).ok());
        status.base_size.store(base.unwrap_or(0), Ordering::Relaxed);
        *self.manifest.lock() = manifest;
        let seconds = started.elapsed().as_secs_f64();
        tracing::info!("DB loaded from append only file: {seconds:.3} seconds");
        Ok(())
    }

    /// The manifest; that of a single file of older versions is made first.
    fn read_manifest(&self) -> Result<Manifest, LoadError> {
        let path = self.directory.manifest();
        let manifest = match std::fs::read(&path) {
            Ok(text) => Manifest::parse(&text).map_err(|error| {
                tracing::warn!("*** FATAL AOF MANIFEST FILE ERROR ***");
                if let Some((number, line)) = &error.line {
                    tracing::warn!("Reading the manifest file, at line {number}");
                    tracing::warn!(">>> '{line}'");
                }
                LoadError(error.to_string())
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Manifest::default(),
            Err(error) => {
                let path = path.display();
                return Err(LoadError(format!(
                    "Fatal error: can't open the AOF manifest file {path} for reading: {error}"
                )));
            }
        };
        self.adopt_old_file(manifest)
    }

    /// Takes a single file of a version before 7 over as the base, if there is one and nothing else.
    fn adopt_old_file(&self, mut manifest: Manifest) -> Result<Manifest, LoadError> {
        let old = self.directory.filename().to_owned();
        let interrupted = manifest.incr.is_empty()
            && manifest.base.as_ref().is_some_and(|base| base.name == old)
            && !self.directory.file(&old).exists();
        let wanted = !self.directory.exists() || manifest.is_empty() || interrupted;
        if !wanted || !std::path::Path::new(&old).is_file() {
            return Ok(manifest);
        }
        let failed = |error: io::Error| {
            LoadError(format!("Can't take the append only file {old} over: {error}"))
        };
        self.directory.create().map_err(failed)?;
        if !interrupted {
            manifest.rebase(FileInfo { name: old.clone(), seq: 1 }, 0);
            self.directory.save(&manifest).map_err(failed)?;
        }
        std::fs::rename(&old, self.directory.file(&old)).map_err(failed)?;
        tracing::info!(
            "Successfully migrated an old-style AOF configuration ({old}) into the directory"
        );
        Ok(manifest)
    }
}

/// Runs the commands of files.
struct Loader<'a> {
    files: &'a AppendOnly,
    log: Recorder,
    notes: RefCell<Notes>,
    gate: GateSlot,
    random: Random,
    evictor: Evictor,
    config: Arc<Config>,
    counters: Arc<Counters>,
    session: Session,
    /// Bytes of the files that have been loaded.
    before: u64,
    /// Commands since MULTI.
    queued: Option<Vec<OwnedArgs>>,
}

impl<'a> Loader<'a> {
    fn new(files: &'a AppendOnly) -> Self {
        let services = &files.services;
        let origin = Origin { addr: "aof".into(), laddr: String::new(), fd: -1, unix: true };
        let now_ms = services.clock.unix_ms();
        let client = services.clients.connect(origin, 0, Arc::new(Nobody), now_ms);
        let mut session = Session::new(client, Arc::clone(services.acl.default_user()), true);
        session.obeys = true;
        Self {
            files,
            log: Recorder::new(&services.log),
            notes: RefCell::default(),
            gate: services.keyspace.gate().register(),
            random: env::random(),
            evictor: Evictor::default(),
            config: services.config.snapshot(),
            counters: services.statistics.register(),
            session,
            before: 0,
            queued: None,
        }
    }

    fn load(&mut self, info: &FileInfo) -> Result<Loaded, LoadError> {
        let path = self.files.directory.file(&info.name);
        let name = &info.name;
        let unreadable = |error: io::Error| {
            LoadError(format!("Unrecoverable error reading the append only file {name}: {error}"))
        };
        let mut file = File::open(&path).map_err(|error| {
            LoadError(format!(
                "Fatal error: can't open the append log file {name} for reading: {error}"
            ))
        })?;
        let mut rest = Vec::new();
        let mut magic = [0; 5];
        let is_rdb = file.read_exact(&mut magic).is_ok() && &magic == b"REDIS";
        file.rewind().map_err(unreadable)?;
        if is_rdb {
            tracing::info!("Reading RDB base file on AOF loading...");
            let aborted = |why: String| {
                LoadError(format!(
                    "Error reading the RDB base file {name}, AOF loading aborted: {why}"
                ))
            };
            let loaded = self.load_rdb(&file).map_err(|error| aborted(error.to_string()))?;
            persistence::add_libraries(&self.files.services, &loaded, true).map_err(aborted)?;
            rest = loaded.rest;
        }
        self.session.select(0);
        self.queued = None;
        let start = file.stream_position().map_err(unreadable)? - rest.len() as u64;
        // Versions before 7 had commands behind the snapshot, in one file.
        let input = io::Cursor::new(rest).chain(file);
        let mut reader = Reader::new(BufReader::with_capacity(256 * 1024, input));
        let (mut whole, mut before_multi) = (0, 0);
        let problem = loop {
            match reader.command() {
                Ok(Some(words)) => {
                    if words.first().is_some_and(|word| word.eq_ignore_ascii_case(b"multi")) {
                        before_multi = whole;
                    }
                    self.run(&words, name)?;
                    whole = reader.offset();
                }
                Ok(None) if self.queued.is_some() => {
                    tracing::warn!("Revert incomplete MULTI/EXEC transaction in AOF file {name}");
                    break ReadError::Truncated;
                }
                Ok(None) => return Ok(Loaded::Whole),
                Err(error) => break error,
            }
        };
        if self.queued.is_some() {
            whole = before_multi;
        }
        match problem {
            ReadError::Truncated => self.cut_off(&path, name, start + whole),
            ReadError::Format { at, why } => Err(LoadError(format!(
                "Bad file format reading the append only file {name} at offset {}, {why}: make a backup of your \
                 AOF file, then use rubrica-check --fix <file.manifest>",
                start + at
            ))),
            ReadError::Checksum { at, bytes } => Err(LoadError(format!(
                "Bad file format reading the append only file {name}: the checksum of the {bytes} bytes from offset \
                 {} on is wrong. Restore another copy, or make a backup and use rubrica-check --fix \
                 <file.manifest>, which drops them and everything behind them",
                start + at
            ))),
            ReadError::Io(error) => Err(unreadable(error)),
        }
    }

    /// Cuts a file off behind its last whole command, if the configuration lets it.
    fn cut_off(&self, path: &std::path::Path, name: &str, at: u64) -> Result<Loaded, LoadError> {
        if !self.files.services.config.load().aof_load_truncated {
            return Err(LoadError(format!(
                "Unexpected end of file reading the append only file {name}. You can: 1) Make a backup of your \
                 AOF file, then use rubrica-check --fix <file.manifest>. 2) Alternatively you can set the 'aof-load-truncated' \
                 configuration option to yes and restart the server."
            )));
        }
        let cut = || {
            let file = OpenOptions::new().write(true).open(path)?;
            let before = file.metadata()?.len();
            file.set_len(at)?;
            file.sync_all()?;
            Ok(before.saturating_sub(at))
        };
        let dropped = cut().map_err(|error: io::Error| {
            LoadError(format!("Error truncating the AOF file {name}: {error}"))
        })?;
        tracing::warn!("!!! Warning: short read while loading the AOF file {name}!!!");
        tracing::warn!(
            "!!! Truncating the AOF {name} at offset {at}: {dropped} bytes are dropped !!!"
        );
        tracing::warn!("AOF {name} loaded anyway because aof-load-truncated is enabled");
        Ok(Loaded::Truncated)
    }

    /// Loads a snapshot as the base.
    fn load_rdb(&self, file: &File) -> Result<snapshot::Loaded, snapshot::LoadError> {
        let services = &self.files.services;
        let rules = persistence::rules(services, &self.config, Duplicates::Refuse);
        // What went since then is in the files behind.
        let rules = Rules { expires: false, ..rules };
        let threads = services.host.workers();
        let watcher = Watcher::new(services, self.before);
        snapshot::load(file, &services.keyspace, threads, &rules, &watcher)
    }

    fn run(&mut self, words: &[Vec<u8>], name: &str) -> Result<(), LoadError> {
        let args = OwnedArgs::new(words);
        let view = args.view();
        if view.is(0, "MULTI") {
            self.queued = Some(Vec::new());
        } else if view.is(0, "EXEC") {
            for queued in self.queued.take().unwrap_or_default() {
                self.run_one(&queued, name)?;
            }
        } else if let Some(queued) = &mut self.queued {
            queued.push(args);
        } else {
            self.run_one(&args, name)?;
        }
        Ok(())
    }

    fn run_one(&mut self, args: &OwnedArgs, name: &str) -> Result<(), LoadError> {
        let services = &self.files.services;
        let view = args.view();
        let Some(command) = services.table.resolve(view) else {
            let word = view.text(0);
            return Err(LoadError(format!(
                "Unknown command '{word}' reading the append only file {name}"
            )));
        };
        self.gate.enter();
        let clock_ns = services.clock.monotonic_ns();
        let mut bench = Bench {
            services,
            config: &self.config,
            counters: &self.counters,
            random: &mut self.random,
            evictor: &mut self.evictor,
            log: &self.log,
            notes: &self.notes,
            effects: Default::default(),
            gate: &self.gate,
            epoch_us: services.clock.unix_us(),
            epoch_ns: clock_ns,
            clock_ns,
            idle: None,
            helpers: None,
            aftermath: Default::default(),
            conditions: Conditions::of(services, &self.config),
        };
        let now_us = bench.now_us();
        let call = Call { command, args: view, now_us, may_wait: false, waited: false, idle: None };
        let session = &mut self.session;
        let mut reply = Vec::new();
        bench.with_held(scope_of(command, view), |bench, mut held| {
            bench.run_and_answer(session, &call, &mut reply, &mut held);
        });
        self.gate.leave();
        Ok(())
    }
}

impl Drop for Loader<'_> {
    fn drop(&mut self) {
        self.files.services.clients.disconnect(&self.session.client);
    }
}

/// Takes the letters of a client that has no connection.
struct Nobody;

impl Mailbox for Nobody {
    fn post(&self, _letter: Letter) {}
}
