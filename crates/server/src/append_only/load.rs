use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use aof::{FileInfo, Manifest, ReadError, Reader};
use command::clients::Origin;
use command::{Letter, Loading, Mailbox, OwnedArgs, Session};
use config::Config;
use effects::Recorder;
use encryption::{Damage, End, Input};
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
        let has_content = |info: &FileInfo| self.directory.size(info).is_ok_and(|size| size > 0);
        for (index, info) in manifest.files().enumerate() {
            let started = Instant::now();
            let is_end = !manifest.files().skip(index + 1).any(has_content);
            let loaded = loader.load(info, is_end)?;
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

    /// Loads a file; `is_end` is whether nothing comes behind it but empty files.
    fn load(&mut self, info: &FileInfo, is_end: bool) -> Result<Loaded, LoadError> {
        let path = self.files.directory.file(&info.name);
        let name = &info.name;
        let unreadable = |error: io::Error| refused(ReadError::Io(error), name, 0);
        let keys = self.files.services.encryption.get();
        let opened = File::open(&path).and_then(|file| Input::open(file, keys.as_deref()));
        let mut input = opened.map_err(|error| {
            LoadError(format!(
                "Fatal error: can't open the append log file {name} for reading: {error}"
            ))
        })?;
        // An encrypted file has content as soon as another follows it.
        let may_be_empty = is_end && self.files.directory.size(info).is_ok_and(|size| size == 0);
        if keys.is_some() && !input.is_encrypted() && !may_be_empty {
            crate::keys::accept_plain(&self.files.services)
                .map_err(|error| refused(ReadError::Io(error), name, 0))?;
            tracing::info!(
                "The append-only file {name} is not encrypted. BGREWRITEAOF writes it anew"
            );
        }
        let mut rest = Vec::new();
        (&mut input).take(5).read_to_end(&mut rest).map_err(unreadable)?;
        if rest == b"REDIS" {
            tracing::info!("Reading RDB base file on AOF loading...");
            let aborted = |why: String| {
                LoadError(format!(
                    "Error reading the RDB base file {name}, AOF loading aborted: {why}"
                ))
            };
            let snapshot = io::Cursor::new(rest).chain(&mut input);
            let loaded = self.load_rdb(snapshot).map_err(|error| aborted(error.to_string()))?;
            persistence::add_libraries(&self.files.services, &loaded, true).map_err(aborted)?;
            rest = loaded.rest;
        }
        let start = input.position() - rest.len() as u64;
        // Versions before 7 had commands behind the snapshot, in one file.
        let commands = io::Cursor::new(rest).chain(&mut input);
        let (whole, problem) = self.replay(commands, name)?;
        let (whole, end) = (start + whole, input.end());
        if !is_end && matches!(end, Some(End::Open | End::Torn { .. })) {
            return Err(LoadError(format!(
                "Fatal error: the end of the append only file {name} is missing, though others follow it"
            )));
        }
        match (problem, end) {
            (None, Some(End::Open)) => {
                // It is not gone on with.
                encryption::finish(&path, keys.as_deref()).map_err(unreadable)?;
                Ok(Loaded::Whole)
            }
            (None | Some(ReadError::Truncated), Some(End::Torn { bytes, .. })) => {
                self.cut_off(&path, name, whole, input.position() - whole + bytes)
            }
            (None, _) => Ok(Loaded::Whole),
            (Some(ReadError::Truncated), _) => {
                self.cut_off(&path, name, whole, input.position() - whole)
            }
            (Some(problem), _) => Err(refused(problem, name, start)),
        }
    }

    /// Runs commands. Returns up to where they are whole, and why they do not go on if they should.
    fn replay(
        &mut self,
        commands: impl Read,
        name: &str,
    ) -> Result<(u64, Option<ReadError>), LoadError> {
        self.session.select(0);
        self.queued = None;
        let mut reader = Reader::new(BufReader::with_capacity(256 * 1024, commands));
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
                    break Some(ReadError::Truncated);
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        Ok((if self.queued.is_some() { before_multi } else { whole }, problem))
    }

    /// Cuts a file off behind its last whole command, if the configuration lets it.
    fn cut_off(&self, path: &Path, name: &str, at: u64, dropped: u64) -> Result<Loaded, LoadError> {
        if !self.files.services.config.load().aof_load_truncated {
            return Err(LoadError(format!(
                "Unexpected end of file reading the append only file {name}. You can: 1) Make a backup of your \
                 AOF file, then use rubrica-check --fix <file.manifest>. 2) Alternatively you can set the 'aof-load-truncated' \
                 configuration option to yes and restart the server."
            )));
        }
        let keys = self.files.services.encryption.get();
        encryption::cut_off(path, at, keys.as_deref())
            .map_err(|error| LoadError(format!("Error truncating the AOF file {name}: {error}")))?;
        tracing::warn!("!!! Warning: short read while loading the AOF file {name}!!!");
        tracing::warn!(
            "!!! Truncating the AOF {name} at offset {at}: {dropped} bytes are dropped !!!"
        );
        tracing::warn!("AOF {name} loaded anyway because aof-load-truncated is enabled");
        Ok(Loaded::Truncated)
    }

    /// Loads a snapshot as the base.
    fn load_rdb(&self, file: impl Read) -> Result<snapshot::Loaded, snapshot::LoadError> {
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
        let epoch_us = services.clock.unix_us();
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
            epoch_us,
            epoch_ns: clock_ns,
            clock_ns,
            idle: None,
            helpers: None,
            aftermath: Default::default(),
            conditions: Conditions::of(services, &self.config, epoch_us / 1000),
        };
        let now_us = bench.now_us();
        let call =
            Call { command, args: view, now_us, may_wait: false, waited: false, alone: true };
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

/// Why a file is not loaded whose commands begin at `start`.
fn refused(problem: ReadError, name: &str, start: u64) -> LoadError {
    LoadError(match problem {
        ReadError::Truncated => {
            format!("Unexpected end of file reading the append only file {name}")
        }
        ReadError::Format { at, why } => format!(
            "Bad file format reading the append only file {name} at offset {}, {why}: make a backup of your \
             AOF file, then use rubrica-check --fix <file.manifest>",
            start + at
        ),
        ReadError::Checksum { at, bytes } => format!(
            "Bad file format reading the append only file {name}: the checksum of the {bytes} bytes from offset \
             {} on is wrong. Restore another copy, or make a backup and use rubrica-check --fix \
             <file.manifest>, which drops them and everything behind them",
            start + at
        ),
        ReadError::Io(error) if Damage::of(&error).is_some() => format!(
            "Bad file format reading the append only file {name}: {error}. Restore another copy, or make a backup \
             and use rubrica-check --fix <file.manifest>, which drops it and everything behind it"
        ),
        ReadError::Io(error) => {
            format!("Unrecoverable error reading the append only file {name}: {error}")
        }
    })
}

/// Takes the letters of a client that has no connection.
struct Nobody;

impl Mailbox for Nobody {
    fn post(&self, _letter: Letter) {}
}
