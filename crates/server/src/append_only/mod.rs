//! Append-only files of a running server: loading them, writing the log of effects to them, and
//! writing new bases.
//!
//! Two threads beside the workers: the journal's (`journal.rs`) brings the log of effects into order and
//! writes it; the keeper's (`keeper.rs`) writes bases and turns logging on and off. What is durable is
//! known by number (`effects::Log::durable`): under `appendfsync always` workers hold replies back until
//! their turn's numbers are.

mod base;
mod journal;
mod keeper;
mod load;
mod resp_base;
mod sync;
mod waiting;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

use aof::{Directory, FileInfo, Manifest, State};
use command::Services;
use parking_lot::Mutex;

use crate::persistence;

pub use load::LoadError;

/// What the journal's thread is told to do when it has reached a number.
pub(crate) enum Order {
    /// Goes on in another file, which the manifest names from then on.
    Open { after: u64, file: NewFile, done: Sender<io::Result<()>> },
    /// Writes nothing any more.
    Close { after: u64, done: Sender<io::Result<()>> },
}

/// Where the journal goes on.
pub(crate) enum NewFile {
    /// A file of the manifest, which is opened.
    Listed(FileInfo),
    /// The next of the manifest.
    Next,
    /// One that the manifest will name when its base is written.
    Temporary(String),
}

/// The append-only files of a server.
pub struct AppendOnly {
    pub(crate) services: Arc<Services>,
    pub(crate) directory: Directory,
    pub(crate) manifest: Mutex<Manifest>,
    orders: Mutex<Vec<Order>>,
    stopping: AtomicBool,
}

impl AppendOnly {
    /// The files that the configuration names.
    pub fn new(services: &Arc<Services>) -> Arc<Self> {
        let config = services.config.load();
        let path = PathBuf::from(&config.appenddirname);
        Arc::new(Self {
            services: Arc::clone(services),
            directory: Directory::new(path, &config.appendfilename),
            manifest: Mutex::default(),
            orders: Mutex::default(),
            stopping: AtomicBool::new(false),
        })
    }

    /// Files elsewhere, to be loaded only: those of a manifest.
    pub fn of_manifest(services: &Arc<Services>, manifest: &Path) -> Self {
        let name = manifest.file_stem().unwrap_or_default().to_string_lossy();
        let folder = manifest.parent().unwrap_or(Path::new("."));
        Self {
            services: Arc::clone(services),
            directory: Directory::new(folder, &name),
            manifest: Mutex::default(),
            orders: Mutex::default(),
            stopping: AtomicBool::new(false),
        }
    }

    /// Whether there are files to be loaded.
    pub fn has_files(&self) -> bool {
        self.directory.manifest().exists()
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// When the system is out of threads.
    pub fn start(self: &Arc<Self>) -> io::Result<Vec<JoinHandle<()>>> {
        let (journal, keeper) = (Arc::clone(self), Arc::clone(self));
        let journal = thread::Builder::new().name("journal".into()).spawn(move || {
            journal::Journal::new(journal).run();
        })?;
        let keeper =
            thread::Builder::new().name("keeper".into()).spawn(move || keeper::run(&keeper))?;
        Ok(vec![journal, keeper])
    }

    /// Lets the threads end, when everything is written and durable.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(base) = &*self.services.persistence.base() {
            base.give_up();
        }
        self.services.log.wake();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Tells the journal's thread what to do.
    pub(crate) fn order(&self, order: Order) {
        self.orders.lock().push(order);
        self.services.log.wake();
    }

    pub(crate) fn take_orders(&self) -> Vec<Order> {
        std::mem::take(&mut *self.orders.lock())
    }

    /// Begins to write effects down once the data set has been loaded.
    ///
    /// # Errors
    /// When a file cannot be made.
    pub fn begin(self: &Arc<Self>) -> Result<(), LoadError> {
        let services = &self.services;
        if !services.config.load().appendonly {
            return Ok(());
        }
        self.directory.create().map_err(|error| {
            let path = self.directory.path().display();
            LoadError(format!("Can't open or create append-only dir {path}: {error}"))
        })?;
        let info = self.first_files()?;
        let (done, opened) = std::sync::mpsc::channel();
        {
            let _closed = services.keyspace.gate().close();
            services.log.set_on(true);
            let file = NewFile::Listed(info);
            self.order(Order::Open { after: services.log.issued(), file, done });
        }
        services.aof.set_state(State::On);
        match opened.recv() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(LoadError(format!("Can't open the append-only file: {error}"))),
            Err(_) => Err(LoadError("Can't open the append-only file".to_owned())),
        }
    }

    /// The file to go on in; from nothing also an empty base is made.
    fn first_files(&self) -> Result<FileInfo, LoadError> {
        let mut manifest = self.manifest.lock();
        let filename = self.directory.filename();
        let failed = |error: io::Error| LoadError(format!("Can't write the AOF manifest: {error}"));
        if manifest.is_empty() {
            let rdb = self.services.config.load().aof_use_rdb_preamble;
            let base = manifest.next_base(filename, rdb);
            self.write_first_base(&base).map_err(failed)?;
            tracing::info!("Creating AOF base file {} on server start", base.name);
            manifest.rebase(base, 0);
        }
        let goes_on = |info: &FileInfo| match self.goes_on(info) {
            Ok(true) => Some(Ok(info.clone())),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        };
        let last = manifest.incr.last().and_then(goes_on).transpose().map_err(failed)?;
        let info = match last {
            Some(info) => {
                tracing::info!("Opening AOF incr file {} on server start", info.name);
                info
            }
            None => {
                let info = manifest.next_incr(filename);
                tracing::info!("Creating AOF incr file {} on server start", info.name);
                self.directory.append(&info.name).map_err(failed)?;
                manifest.push_incr(info.clone());
                info
            }
        };
        self.directory.save(&manifest).map_err(failed)?;
        if !self.services.config.load().aof_disable_auto_gc {
            self.directory.remove_history(&mut manifest);
        }
        Ok(info)
    }

    /// Whether a file is gone on with: an encrypted one never is, and a plain one only without keys.
    fn goes_on(&self, info: &FileInfo) -> io::Result<bool> {
        let file = std::fs::File::open(self.directory.file(&info.name))?;
        let is_empty = file.metadata()?.len() == 0;
        let mut start = Vec::new();
        file.take(8).read_to_end(&mut start)?;
        let is_plain =
            !encryption::is_encrypted(&start) && self.services.encryption.get().is_none();
        Ok(is_empty || is_plain)
    }

    /// Writes what there is: nothing, unless something else was loaded.
    fn write_first_base(&self, info: &FileInfo) -> io::Result<()> {
        let services = &self.services;
        let base = persistence::with_all(services, |held| {
            let interrupted = persistence::give_up(services, held);
            services.persistence.saves().scheduled |= interrupted;
            base::Base::cut(self, held)
        });
        base.write(self, info)
    }

    /// Bytes of all files of the manifest.
    pub(crate) fn total_size(&self) -> u64 {
        let manifest = self.manifest.lock();
        manifest.files().map(|info| self.directory.size(info).unwrap_or(0)).sum()
    }
}
