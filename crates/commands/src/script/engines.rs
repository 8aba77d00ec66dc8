//! The interpreters of a worker's thread, and how they keep up with what the server knows.
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use command::scripts::{Library, Sha, Source};
use command::{REDIS_VERSION, Services};
use resp::Writer;
use script::engine::Run;
use script::{Engine, Failure, Host, Kind, Registered};

/// How many scripts an interpreter keeps compiled, far more than the server keeps for EVAL.
const COMPILED_MAX: usize = 4096;

thread_local! {
    // An interpreter belongs to its thread. It holds nothing that the server could not give it again.
    static SCRIPTS: RefCell<Option<Scripts>> = const { RefCell::new(None) };
    static FUNCTIONS: RefCell<Option<Functions>> = const { RefCell::new(None) };
}

/// Scripts as this thread has compiled them.
pub(crate) struct Scripts {
    engine: Engine,
    /// The flush that it has seen.
    flushes: u64,
    compiled: usize,
}

/// Works with this thread's interpreter of scripts.
pub(crate) fn with_scripts<T>(services: &Services, work: impl FnOnce(&mut Scripts) -> T) -> T {
    SCRIPTS.with_borrow_mut(|place| {
        let flushes = services.scripts.flushes();
        if place
            .as_ref()
            .is_some_and(|scripts| scripts.flushes != flushes || scripts.compiled > COMPILED_MAX)
        {
            *place = None;
        }
        let scripts = place.get_or_insert_with(|| Scripts {
            engine: Engine::new(Kind::Scripts, REDIS_VERSION),
            flushes,
            compiled: 0,
        });
        let result = work(scripts);
        let bytes = scripts.engine.used_bytes() as u64;
        services.scripts.vm_bytes[0].store(bytes, Ordering::Relaxed);
        result
    })
}

impl Scripts {
    /// Compiles a script, unless it is compiled.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn compile(&mut self, sha: Sha, source: &Source) -> Result<(), Vec<u8>> {
        if self.engine.has(&sha) {
            return Ok(());
        }
        self.compiled += 1;
        self.engine.compile(sha, source.text.get(source.start..).unwrap_or_default())
    }

    /// Runs a script.
    pub fn eval(
        &mut self,
        host: &mut dyn Host,
        sha: &Sha,
        source: &Source,
        run: Run<'_, '_>,
        reply: &mut Writer<'_>,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        self.compile(*sha, source).map_err(|line| Failure { line, counted: false })?;
        self.engine.eval(host, sha, run, reply)
    }
}

/// Functions as this thread has loaded them.
pub(crate) struct Functions {
    engine: Engine,
    /// By name.
    libraries: HashMap<Vec<u8>, Loaded>,
    /// The same, as one thing to compare with.
    seen: Option<Arc<command::scripts::Libraries>>,
}

struct Loaded {
    library: Arc<Library>,
    functions: HashMap<Vec<u8>, Registered>,
}

/// How long a library may take to load.
const LOAD_TIMEOUT: Duration = Duration::from_millis(500);

/// Works with this thread's interpreter of functions.
pub(crate) fn with_functions<T>(services: &Services, work: impl FnOnce(&mut Functions) -> T) -> T {
    FUNCTIONS.with_borrow_mut(|place| {
        let libraries = services.scripts.libraries();
        if libraries.by_name.is_empty() && place.as_ref().is_some_and(|own| own.is_used()) {
            *place = None;
        }
        let functions = place.get_or_insert_with(|| Functions {
            engine: Engine::new(Kind::Functions, REDIS_VERSION),
            libraries: HashMap::new(),
            seen: None,
        });
        functions.follow(&libraries);
        let result = work(functions);
        let bytes = functions.engine.used_bytes() as u64;
        services.scripts.vm_bytes[1].store(bytes, Ordering::Relaxed);
        result
    })
}

impl Functions {
    fn is_used(&self) -> bool {
        !self.libraries.is_empty()
    }

    /// Loads and unloads what others have changed.
    fn follow(&mut self, libraries: &Arc<command::scripts::Libraries>) {
        if self.seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, libraries)) {
            return;
        }
        let is_current = |loaded: &Loaded| {
            libraries
                .by_name
                .get(&loaded.library.name)
                .is_some_and(|library| Arc::ptr_eq(library, &loaded.library))
        };
        let gone: Vec<Vec<u8>> = self
            .libraries
            .iter()
            .filter(|(_, loaded)| !is_current(loaded))
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            let loaded = self.libraries.remove(&name);
            for function in loaded.into_iter().flat_map(|loaded| loaded.functions.into_values()) {
                self.engine.unload(function);
            }
        }
        for (name, library) in &libraries.by_name {
            if self.libraries.contains_key(name) {
                continue;
            }
            // It was loaded once by whoever added it; should it fail here, its functions do.
            let code = library.code.get(library.start..).unwrap_or_default();
            let registered = self.engine.load(code, LOAD_TIMEOUT).unwrap_or_default();
            let functions = registered.into_iter().map(|one| (one.name.clone(), one)).collect();
            self.libraries.insert(name.clone(), Loaded { library: Arc::clone(library), functions });
        }
        self.seen = Some(Arc::clone(libraries));
    }

    /// Loads a library to see what it registers, and forgets it again.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn try_load(&mut self, code: &[u8]) -> Result<Vec<command::scripts::Function>, String> {
        let registered = self.engine.load(code, LOAD_TIMEOUT)?;
        let functions = registered.into_iter().map(|one| {
            let function = command::scripts::Function {
                name: one.name.clone(),
                description: one.description.clone(),
                flags: one.flags,
            };
            self.engine.unload(one);
            function
        });
        Ok(functions.collect())
    }

    /// Runs a function.
    pub fn call(
        &mut self,
        host: &mut dyn Host,
        name: &[u8],
        run: Run<'_, '_>,
        reply: &mut Writer<'_>,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let function = self.libraries.values().find_map(|loaded| loaded.functions.get(name));
        match function {
            Some(function) => self.engine.call(host, function, run, reply),
            None => Err(Failure { line: b"ERR Function not found".to_vec(), counted: false }),
        }
    }
}
