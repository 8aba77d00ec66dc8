//! What a server knows of scripts and functions: their sources, and the one that runs. Each worker compiles them
//! for itself.
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use script::Flags;

/// The name of a script: SHA-1 in lower-case hexadecimal digits.
pub type Sha = [u8; 40];

/// Scripts that were only ever run by EVAL and that are kept: the ones used last.
pub const EVAL_SCRIPTS_MAX: usize = 500;

/// Scripts, functions and the one that runs.
#[derive(Default)]
pub struct Scripts {
    cache: RwLock<Cache>,
    /// How often all scripts were forgotten.
    flushes: AtomicU64,
    evicted: AtomicU64,
    ticks: AtomicU64,
    libraries: RwLock<Arc<Libraries>>,
    running: Mutex<Option<Arc<Running>>>,
    busy: AtomicBool,
    /// Scripts may run every command (DEBUG SET-DISABLE-DENY-SCRIPTS).
    pub allow_all: AtomicBool,
    /// Bytes that interpreters hold: of scripts, of functions.
    pub vm_bytes: [AtomicU64; 2],
}

#[derive(Default)]
struct Cache {
    scripts: HashMap<Sha, Cached>,
    evals: usize,
    bytes: usize,
}

struct Cached {
    script: Arc<Source>,
    used: AtomicU64,
    /// It came by EVAL and may go again.
    may_go: bool,
}

/// A script.
pub struct Source {
    /// Its text, the first line included.
    pub text: Box<[u8]>,
    /// What it declares; none if it has no line that declares anything.
    pub flags: Option<Flags>,
    /// Where what is compiled begins.
    pub start: usize,
}

impl Scripts {
    /// Looks a script up; it counts as used.
    pub fn find(&self, sha: &Sha) -> Option<Arc<Source>> {
        let cache = self.cache.read();
        let cached = cache.scripts.get(sha)?;
        if cached.may_go {
            cached.used.store(self.ticks.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        }
        Some(Arc::clone(&cached.script))
    }

    /// Whether a script is known.
    pub fn has(&self, sha: &Sha) -> bool {
        self.cache.read().scripts.contains_key(sha)
    }

    /// Adds a script, for good or until others that came by EVAL push it out.
    pub fn add(&self, sha: Sha, script: Arc<Source>, may_go: bool) {
        let mut cache = self.cache.write();
        if let Some(cached) = cache.scripts.get_mut(&sha) {
            if !may_go && std::mem::take(&mut cached.may_go) {
                cache.evals -= 1;
            }
            return;
        }
        cache.bytes += script.text.len();
        let used = AtomicU64::new(self.ticks.fetch_add(1, Ordering::Relaxed));
        cache.scripts.insert(sha, Cached { script, used, may_go });
        cache.evals += usize::from(may_go);
        if cache.evals > EVAL_SCRIPTS_MAX {
            let candidates = cache.scripts.iter().filter(|(_, cached)| cached.may_go);
            let oldest = candidates.min_by_key(|(_, cached)| cached.used.load(Ordering::Relaxed));
            if let Some(sha) = oldest.map(|(sha, _)| *sha)
                && let Some(gone) = cache.scripts.remove(&sha)
            {
                cache.evals -= 1;
                cache.bytes -= gone.script.text.len();
                self.evicted.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Forgets all scripts.
    pub fn flush(&self) {
        *self.cache.write() = Cache::default();
        self.flushes.fetch_add(1, Ordering::Release);
    }

    /// How often all scripts were forgotten: what was compiled before is to be forgotten, too.
    pub fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Acquire)
    }

    /// The number of scripts, and bytes of their texts.
    pub fn cached(&self) -> (usize, usize) {
        let cache = self.cache.read();
        (cache.scripts.len(), cache.bytes)
    }

    /// Scripts that were pushed out so far.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// The libraries as they are now.
    pub fn libraries(&self) -> Arc<Libraries> {
        Arc::clone(&self.libraries.read())
    }

    /// Puts other libraries in the place of all.
    pub fn set_libraries(&self, libraries: Libraries) {
        *self.libraries.write() = Arc::new(libraries);
    }

    /// Lets others know which script runs.
    pub fn begin(&self, running: Arc<Running>) {
        *self.running.lock() = Some(running);
    }

    /// No script runs any more.
    pub fn end(&self) {
        *self.running.lock() = None;
        self.busy.store(false, Ordering::Release);
    }

    /// The script that runs.
    pub fn running(&self) -> Option<Arc<Running>> {
        self.running.lock().clone()
    }

    /// The script runs for so long that others are told instead of waiting for it.
    pub fn set_busy(&self) {
        self.busy.store(true, Ordering::Release);
    }

    /// Whether it does.
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }
}

/// A script or function that runs.
pub struct Running {
    /// The script's SHA-1, or the function's name.
    pub name: Vec<u8>,
    /// Whether it is a script.
    pub is_script: bool,
    /// The words of the command that runs it.
    pub words: crate::OwnedArgs,
    /// The stop watch when it began.
    pub start_ns: u64,
    /// It has changed something, so it cannot be ended.
    pub has_written: AtomicBool,
    /// Somebody has asked for its end.
    pub killed: AtomicBool,
}

/// Every library, by its name.
#[derive(Clone, Default)]
pub struct Libraries {
    /// By name.
    pub by_name: BTreeMap<Vec<u8>, Arc<Library>>,
    /// The library of each function, by its name in lower case.
    pub functions: HashMap<Vec<u8>, Arc<Library>>,
}

/// A library of functions.
pub struct Library {
    /// Its name.
    pub name: Vec<u8>,
    /// Its text, the first line included.
    pub code: Box<[u8]>,
    /// Where what is compiled begins.
    pub start: usize,
    /// Its functions.
    pub functions: Vec<Function>,
}

/// A function of a library.
pub struct Function {
    /// Its name.
    pub name: Vec<u8>,
    /// What its author says of it.
    pub description: Option<Vec<u8>>,
    /// What it declares.
    pub flags: Flags,
}

impl Libraries {
    /// Takes a library away.
    pub fn remove(&mut self, name: &[u8]) -> Option<Arc<Library>> {
        let library = self.by_name.remove(name)?;
        for function in &library.functions {
            self.functions.remove(&function.name.to_ascii_lowercase());
        }
        Some(library)
    }

    /// Adds a library whose names are free.
    pub fn add(&mut self, library: Arc<Library>) {
        for function in &library.functions {
            self.functions.insert(function.name.to_ascii_lowercase(), Arc::clone(&library));
        }
        self.by_name.insert(library.name.clone(), library);
    }

    /// A function of `library` whose name is taken by another library.
    pub fn taken<'l>(&self, library: &'l Library) -> Option<&'l Function> {
        library
            .functions
            .iter()
            .find(|function| self.functions.contains_key(&function.name.to_ascii_lowercase()))
    }

    /// Bytes of all texts.
    pub fn bytes(&self) -> usize {
        self.by_name.values().map(|library| library.code.len()).sum()
    }
}
