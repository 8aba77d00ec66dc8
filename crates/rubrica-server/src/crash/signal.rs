//! The handler of the signals that end a process which has gone wrong.
//!
//! It does nothing but what a handler may (signal-safety(7)): atomic loads and stores, `gettid`, `write`, `poll`,
//! `sigaction` and `raise`; and it walks the stack, which takes no memory and, as the unwinder knows all loaded objects
//! since [`catch`] has walked it once, at most the lock of the dynamic loader. Should that be held, or the stack be
//! broken, the process hangs for [`PATIENCE_MS`] at most, or dies of the next fault: a fault in the handler is not
//! handled. What was known before has been reported by then.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{IntoRawFd as _, OwnedFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::thread;

use libc::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, c_int, c_void, siginfo_t};

/// Signals that say that the process has gone wrong.
const SIGNALS: [c_int; 5] = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT];

/// How long a crashing thread waits for each of the two parts of its report, milliseconds.
const PATIENCE_MS: c_int = 5000;

const FRAMES: usize = 64;

/// What is known of a crash.
pub struct Crash {
    /// The signal.
    pub signal: c_int,
    /// Its `si_code`.
    pub code: c_int,
    /// Who sent it, if a process did.
    pub sender: Option<i32>,
    /// The address that was accessed, or the instruction's.
    pub address: usize,
    /// The thread, as the system numbers it.
    pub thread: i32,
    /// Where the thread was, the innermost first; nothing when that is still to come.
    pub frames: Option<Vec<usize>>,
}

/// The name of one of the signals.
pub fn name(signal: c_int) -> &'static str {
    match signal {
        SIGSEGV => "SIGSEGV",
        SIGBUS => "SIGBUS",
        SIGILL => "SIGILL",
        SIGFPE => "SIGFPE",
        SIGABRT => "SIGABRT",
        _ => "?",
    }
}

/// What the handler leaves for the reporter. Only the first thread that crashes writes it.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);
static SIGNAL: AtomicI32 = AtomicI32::new(0);
static CODE: AtomicI32 = AtomicI32::new(0);
static SENDER: AtomicI32 = AtomicI32::new(0);
static ADDRESS: AtomicUsize = AtomicUsize::new(0);
static THREAD: AtomicI32 = AtomicI32::new(0);
static COUNT: AtomicUsize = AtomicUsize::new(0);
static TRACE: [AtomicUsize; FRAMES] = [const { AtomicUsize::new(0) }; FRAMES];

/// The ends of two pipes that the handler uses: a byte asks for a part of the report, one answers that it is written.
static ASK: AtomicI32 = AtomicI32::new(-1);
static ANSWERED: AtomicI32 = AtomicI32::new(-1);
/// The reporter, whose own crash nobody reports.
static REPORTER: AtomicI32 = AtomicI32::new(0);

/// Has `report` called, in a thread of its own, when one of the signals comes: first with what the system tells, then
/// with the frames as well. The process dies of the signal afterwards.
///
/// # Errors
/// When the system has no thread, no pipe, or refuses the handler.
pub fn catch(report: impl Fn(&Crash) + Send + 'static) -> io::Result<()> {
    let (asked, ask) = io::pipe()?;
    let (answered, answer) = io::pipe()?;
    let (asked, answer) = (OwnedFd::from(asked), OwnedFd::from(answer));
    thread::Builder::new().name("crash".into()).spawn(move || {
        REPORTER.store(own_thread(), Ordering::Release);
        let mut with_frames = false;
        while matches!(rustix::io::read(&asked, &mut [0; 1]), Ok(1)) {
            report(&what_is_left(with_frames));
            with_frames = true;
            let _ = rustix::io::write(&answer, &[0]);
        }
    })?;
    // Never closed: a signal may come until the end.
    ASK.store(OwnedFd::from(ask).into_raw_fd(), Ordering::Release);
    ANSWERED.store(OwnedFd::from(answered).into_raw_fd(), Ordering::Release);
    // What the unwinder does only once is done now.
    note_frames();
    SIGNALS.iter().try_for_each(|signal| install(*signal))
}

fn install(signal: c_int) -> io::Result<()> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the structure is plain numbers, for which zeros are valid, and a pointer that is optional; it is then
    // filled in. The handler has the form that `SA_SIGINFO` asks for, and does only what a handler may (see above).
    let done = unsafe {
        let action = action.assume_init_mut();
        action.sa_sigaction = handle as *const () as usize;
        // A thread whose stack has overflowed has another one for this.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigfillset(&raw mut action.sa_mask);
        libc::sigaction(signal, action, null_mut())
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

extern "C" fn handle(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    let thread = own_thread();
    if thread == REPORTER.load(Ordering::Acquire) {
        return die(signal);
    }
    if IS_TAKEN.swap(true, Ordering::AcqRel) {
        // Another thread has crashed, and is about to end the process.
        wait(None, 2 * PATIENCE_MS);
        return die(signal);
    }
    // SAFETY: the system gives a handler with `SA_SIGINFO` a valid structure; an address and a sender are read from
    // it as they are for some signals, and are arbitrary numbers for others.
    let (code, sender, address) = unsafe {
        let info = &*info;
        (info.si_code, info.si_pid(), info.si_addr() as usize)
    };
    SIGNAL.store(signal, Ordering::Relaxed);
    CODE.store(code, Ordering::Relaxed);
    SENDER.store(sender, Ordering::Relaxed);
    ADDRESS.store(address, Ordering::Relaxed);
    THREAD.store(thread, Ordering::Relaxed);
    if ask() {
        note_frames();
        ask();
    }
    die(signal);
}

/// Ends the process as the signal would have without a handler.
fn die(signal: c_int) {
    // SAFETY: both calls are allowed in a handler and take only a number. The signal is blocked until the handler
    // returns, and ends the process then.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// Asks for a part of the report, and waits for it; false when it does not come.
fn ask() -> bool {
    let byte = 0u8;
    // SAFETY: one byte is read, from a variable that lives.
    let sent = unsafe { libc::write(ASK.load(Ordering::Acquire), (&raw const byte).cast(), 1) };
    let answered = ANSWERED.load(Ordering::Acquire);
    sent == 1 && wait(Some(answered), PATIENCE_MS) && {
        let mut byte = 0u8;
        // SAFETY: one byte is written, to a variable that lives.
        unsafe { libc::read(answered, (&raw mut byte).cast(), 1) == 1 }
    }
}

/// Waits until a pipe can be read, for so many milliseconds at most; whether it can.
fn wait(pipe: Option<c_int>, patience_ms: c_int) -> bool {
    let fd = pipe.unwrap_or(-1);
    let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: the one structure that is announced lives.
    unsafe { libc::poll(&raw mut poll, 1, patience_ms) == 1 }
}

/// Notes where the calling thread is.
fn note_frames() {
    let mut count = 0;
    let note = |frame: &backtrace::Frame| {
        if let Some(place) = TRACE.get(count) {
            place.store(frame.ip() as usize, Ordering::Relaxed);
            count += 1;
        }
        count < FRAMES
    };
    // SAFETY: what the crate keeps of its own without synchronisation is not touched by walking, only by naming
    // frames. That is done by the reporter alone, and by its synchronised functions.
    unsafe { backtrace::trace_unsynchronized(note) };
    COUNT.store(count, Ordering::Release);
}

/// The calling thread, as the system numbers it.
#[cfg(target_os = "linux")]
fn own_thread() -> i32 {
    // SAFETY: it takes nothing and does not fail.
    unsafe { libc::gettid() }
}

#[cfg(not(target_os = "linux"))]
fn own_thread() -> i32 {
    // SAFETY: it takes nothing and does not fail.
    unsafe { libc::pthread_self() as usize as i32 }
}

fn what_is_left(with_frames: bool) -> Crash {
    let code = CODE.load(Ordering::Relaxed);
    let frames = || {
        let count = COUNT.load(Ordering::Acquire);
        TRACE.iter().take(count).map(|one| one.load(Ordering::Relaxed)).collect()
    };
    Crash {
        signal: SIGNAL.load(Ordering::Relaxed),
        code,
        // The system's own codes are above 0.
        sender: (code <= 0).then(|| SENDER.load(Ordering::Relaxed)),
        address: ADDRESS.load(Ordering::Relaxed),
        thread: THREAD.load(Ordering::Relaxed),
        frames: with_frames.then(frames),
    }
}
