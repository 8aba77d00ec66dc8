use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use command::{Error, Host, MemoryFigures, ProcessorTime, Services, Shutdown, SystemFigures};
use keyspace::Lent;
use parking_lot::{Condvar, Mutex};

use crate::persistence;

/// What the allocator and the operating system know of the process's memory, and do for its threads; the binary brings
/// it, since it chooses the allocator.
pub trait ProcessMemory: Send + Sync {
    /// The figures now; `peak` and `startup` are filled in by the server.
    fn figures(&self) -> MemoryFigures;
    /// Bytes that the calling thread has allocated, less those that it has freed, if the allocator tells.
    fn thread(&self) -> Option<i64> {
        None
    }
    /// Lets the operating system run the calling thread before others of the process, as soon as it has something
    /// to do.
    fn prefer_thread(&self) {}
    /// Returns unused memory to the operating system.
    fn purge(&self);
    /// The allocator's own report.
    fn report(&self) -> String;
    /// The allocator's name.
    fn allocator(&self) -> &'static str {
        "libc"
    }
}

/// How often an end that waits for DEBUG PAUSE-CRON looks whether it may begin.
const CRON_LOOK: Duration = Duration::from_millis(5);

/// A change of options that only the thread that owns the listeners can make, and its result.
pub struct Request {
    /// The options.
    pub changed: Vec<&'static str>,
    /// Where the result goes.
    pub answer: std::sync::mpsc::Sender<Result<(), String>>,
}

/// Makes the changes that commands ask for.
type Control = dyn Fn(Request) + Send + Sync;

/// The process, as commands see it.
pub struct Process {
    memory: Box<dyn ProcessMemory>,
    startup_bytes: AtomicU64,
    peak_bytes: AtomicU64,
    run_id: String,
    started_ms: i64,
    workers: usize,
    config_file: Option<String>,
    supervisor: OnceLock<&'static str>,
    stop: Mutex<Option<Shutdown>>,
    stopping: Condvar,
    /// An end has been asked for that has not begun.
    scheduled: AtomicBool,
    control: Mutex<Option<Arc<Control>>>,
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
            supervisor: OnceLock::new(),
            stop: Mutex::new(None),
            stopping: Condvar::new(),
            scheduled: AtomicBool::new(false),
            control: Mutex::new(None),
        }
    }

    /// Who makes the changes that commands ask for.
    pub fn set_control(&self, control: Arc<Control>) {
        *self.control.lock() = Some(control);
    }

    /// Notes what is allocated now that everything has been started, and nothing stored yet.
    pub fn note_startup(&self) {
        self.startup_bytes.store(self.memory.figures().allocated, Ordering::Relaxed);
    }

    /// Notes which supervisor was told of the start.
    pub fn set_supervisor(&self, name: &'static str) {
        let _ = self.supervisor.set(name);
    }

    /// Lets the operating system run the calling thread before others of the process.
    pub fn prefer_thread(&self) {
        self.memory.prefer_thread();
    }

    /// Waits while DEBUG PAUSE-CRON lasts; false when the end was taken back meanwhile.
    pub fn await_cron(&self, services: &Services) -> bool {
        self.scheduled.store(true, Ordering::SeqCst);
        while services.cron_paused.load(Ordering::SeqCst) && self.scheduled.load(Ordering::SeqCst) {
            std::thread::sleep(CRON_LOOK);
        }
        self.scheduled.swap(false, Ordering::SeqCst)
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

    fn segfault(&self) {
        let _ = signal_hook::low_level::raise(signal_hook::consts::SIGSEGV);
    }

    fn abort_shutdown(&self) -> bool {
        self.scheduled.swap(false, Ordering::SeqCst)
    }

    fn prepare_shutdown(
        &self,
        services: &Arc<Services>,
        held: &mut Lent<'_>,
        how: Shutdown,
    ) -> Result<(), Error> {
        persistence::prepare_shutdown(services, held, how)
    }

    fn save(&self, services: &Arc<Services>, held: &mut Lent<'_>) -> Result<(), Error> {
        persistence::save(services, held)
    }

    fn save_in_background(
        &self,
        services: &Arc<Services>,
        held: &mut Lent<'_>,
    ) -> Result<(), Error> {
        persistence::save_in_background(services, held)
    }

    fn start_backup(&self, services: &Arc<Services>, held: &mut Lent<'_>) -> Result<(), Error> {
        persistence::backup::start(services, held)
    }

    fn seal_backup(&self, services: &Arc<Services>) -> Result<(), Error> {
        persistence::backup::seal(services)
    }

    fn end_backup(&self, services: &Arc<Services>, why: Option<&str>) -> Result<(), Error> {
        persistence::backup::end(services, why)
    }

    fn load(
        &self,
        services: &Arc<Services>,
        held: &mut Lent<'_>,
        replaces: bool,
    ) -> Result<(), Error> {
        persistence::reload(services, held, replaces)
    }

    fn memory(&self) -> MemoryFigures {
        let mut figures = self.memory.figures();
        figures.startup = self.startup_bytes.load(Ordering::Relaxed);
        figures.peak =
            self.peak_bytes.fetch_max(figures.allocated, Ordering::Relaxed).max(figures.allocated);
        figures
    }

    fn thread_memory(&self) -> Option<i64> {
        self.memory.thread()
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

    fn system(&self) -> SystemFigures {
        let name = rustix::system::uname();
        let parts = [name.sysname(), name.release(), name.machine()];
        let parts = parts.map(|part| part.to_string_lossy().into_owned());
        let memory = rustix::system::sysinfo();
        SystemFigures {
            os: parts.join(" "),
            memory_bytes: (memory.totalram as u64).saturating_mul(u64::from(memory.mem_unit)),
            process_id: std::process::id(),
        }
    }

    fn processor_time(&self) -> ProcessorTime {
        let [user_us, system_us, children_user_us, children_system_us] =
            processor_time("/proc/self/stat");
        let [thread_user_us, thread_system_us, ..] = processor_time("/proc/thread-self/stat");
        ProcessorTime {
            system_us,
            user_us,
            children_system_us,
            children_user_us,
            thread_system_us,
            thread_user_us,
        }
    }

    fn supervisor(&self) -> &'static str {
        self.supervisor.get().copied().unwrap_or("no")
    }

    fn allocator(&self) -> &'static str {
        self.memory.allocator()
    }

    fn purge_memory(&self) {
        self.memory.purge();
    }

    fn allocator_report(&self) -> String {
        self.memory.report()
    }
}

/// User and system time of a process or thread and of its children, microseconds; 0 where the system does
/// not tell. See proc(5).
fn processor_time(stat: &str) -> [u64; 4] {
    /// Fields between the program's name and the times.
    const BEFORE: usize = 11;
    let text = std::fs::read_to_string(stat).unwrap_or_default();
    // The name may have blanks and brackets in it.
    let fields = text.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let mut times = fields.split(' ').skip(BEFORE).map(|field| {
        let count = field.parse::<u64>().unwrap_or(0);
        count.saturating_mul(1_000_000) / ticks
    });
    std::array::from_fn(|_| times.next().unwrap_or(0))
}
