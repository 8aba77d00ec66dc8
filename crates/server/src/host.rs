use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use command::{Error, Host, MemoryFigures, Shutdown};
use parking_lot::{Condvar, Mutex};

/// What the allocator and the operating system know of the process's memory; the binary brings it, since
/// it chooses the allocator.
pub trait ProcessMemory: Send + Sync {
    /// The figures now; `peak` and `startup` are filled in by the server.
    fn figures(&self) -> MemoryFigures;
    /// Returns unused memory to the operating system.
    fn purge(&self);
    /// The allocator's own report.
    fn report(&self) -> String;
}

/// A change of options that only the thread that owns the listeners can make, and its result.
pub struct Request {
    /// The options.
    pub changed: Vec<&'static str>,
    /// Where the result goes.
    pub answer: std::sync::mpsc::Sender<Result<(), String>>,
}

/// The process, as commands see it.
pub struct Process {
    memory: Box<dyn ProcessMemory>,
    startup_bytes: AtomicU64,
    peak_bytes: AtomicU64,
    run_id: String,
    started_ms: i64,
    workers: usize,
    config_file: Option<String>,
    stop: Mutex<Option<Shutdown>>,
    stopping: Condvar,
    control: Mutex<Option<Arc<dyn Fn(Request) + Send + Sync>>>,
}

impl Process {
    /// The process as it is at its start.
    pub fn new(
        memory: Box<dyn ProcessMemory>,
        workers: usize,
        started_ms: i64,
        config_file: Option<String>,
    ) -> Self {
        use env::RngCore;
        let mut random = env::random();
        let run_id = (0..5).map(|_| format!("{:08x}", random.next_u32())).collect();
        let startup_bytes = AtomicU64::new(memory.figures().allocated);
        Self {
            memory,
            startup_bytes,
            peak_bytes: AtomicU64::new(0),
            run_id,
            started_ms,
            workers,
            config_file,
            stop: Mutex::new(None),
            stopping: Condvar::new(),
            control: Mutex::new(None),
        }
    }

    /// Who makes the changes that commands ask for.
    pub fn set_control(&self, control: Arc<dyn Fn(Request) + Send + Sync>) {
        *self.control.lock() = Some(control);
    }

    /// Waits until somebody asks for the end.
    pub fn wait_for_stop(&self) -> Shutdown {
        let mut stop = self.stop.lock();
        loop {
            if let Some(how) = *stop {
                return how;
            }
            self.stopping.wait(&mut stop);
        }
    }
}

impl Host for Process {
    fn shutdown(&self, how: Shutdown) -> Result<(), Error> {
        *self.stop.lock() = Some(how);
        self.stopping.notify_all();
        Ok(())
    }

    fn memory(&self) -> MemoryFigures {
        let mut figures = self.memory.figures();
        figures.startup = self.startup_bytes.load(Ordering::Relaxed);
        figures.peak =
            self.peak_bytes.fetch_max(figures.allocated, Ordering::Relaxed).max(figures.allocated);
        figures
    }

    fn reconfigure(&self, changed: &[&'static str]) -> Result<(), String> {
        let Some(control) = self.control.lock().clone() else { return Ok(()) };
        let (answer, result) = std::sync::mpsc::channel();
        control(Request { changed: changed.to_vec(), answer });
        result.recv().unwrap_or(Ok(()))
    }

    fn executable(&self) -> String {
        std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default()
    }

    fn config_file(&self) -> Option<String> {
        self.config_file.clone()
    }

    fn run_id(&self) -> &str {
        &self.run_id
    }

    fn started_ms(&self) -> i64 {
        self.started_ms
    }

    fn workers(&self) -> usize {
        self.workers
    }

    fn purge_memory(&self) {
        self.memory.purge();
    }

    fn allocator_report(&self) -> String {
        self.memory.report()
    }
}
