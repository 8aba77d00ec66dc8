//! A timer of the system that interrupts one thread.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::time::Duration;

/// The signal that interrupts: one that nothing else sends, and that does no harm to whoever does not handle it.
const SIGNAL: libc::c_int = libc::SIGURG;

/// It interrupts the thread that made it, which it therefore never leaves.
pub(super) struct Timer {
    id: libc::timer_t,
    of_this_thread: PhantomData<*mut ()>,
}

/// While this is there, the timer runs.
pub(super) struct Running<'a>(&'a Timer);

impl Timer {
    /// One for the calling thread that does not run yet; `None` where the system has none.
    pub(super) fn new() -> Option<Self> {
        static IS_HANDLED: OnceLock<bool> = OnceLock::new();
        if !*IS_HANDLED.get_or_init(handle_signal) {
            return None;
        }
        let mut event = MaybeUninit::<libc::sigevent>::zeroed();
        // SAFETY: zeros are a value of each of the structure's fields.
        let event = unsafe { event.assume_init_mut() };
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = SIGNAL;
        event.sigev_notify_thread_id = rustix::thread::gettid().as_raw_nonzero().get();
        let mut id = null_mut();
        // SAFETY: both are places for what the call reads and writes.
        let made = unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, event, &raw mut id) };
        (made == 0).then_some(Self { id, of_this_thread: PhantomData })
    }

    /// Has it interrupt the thread each time that so much time has passed.
    pub(super) fn run(&self, every: Duration) -> Running<'_> {
        self.set(every);
        Running(self)
    }

    /// Stops it if the time is zero.
    fn set(&self, every: Duration) {
        let (seconds, nanoseconds) = (every.as_secs() as _, every.subsec_nanos().into());
        let every = libc::timespec { tv_sec: seconds, tv_nsec: nanoseconds };
        let times = libc::itimerspec { it_interval: every, it_value: every };
        // SAFETY: the timer is there until it is dropped, and the structure is only read.
        unsafe { libc::timer_settime(self.id, 0, &raw const times, null_mut()) };
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: it is deleted here only.
        unsafe { libc::timer_delete(self.id) };
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(Duration::ZERO);
    }
}

/// Whether the signal is handled from now on.
fn handle_signal() -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: zeros are a value of each of the structure's fields, and stand for an empty mask.
    let action = unsafe { action.assume_init_mut() };
    action.sa_sigaction = give_way as *const () as usize;
    // What the thread waits for in the system goes on afterwards.
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: what the handler does may be done at any moment, see there; the structure is only read.
    unsafe { libc::sigaction(SIGNAL, action, null_mut()) == 0 }
}

/// It may come at any moment, so it must not touch what the thread may be in the middle of: it makes one call to the
/// system, which never fails and so leaves `errno` as it is.
extern "C" fn give_way(_signal: libc::c_int) {
    #[cfg(test)]
    INTERRUPTIONS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    // SAFETY: the call has no requirements.
    unsafe { libc::sched_yield() };
}

#[cfg(test)]
static INTERRUPTIONS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// How often any thread has been interrupted.
#[cfg(test)]
pub(super) fn interruptions() -> usize {
    INTERRUPTIONS.load(std::sync::atomic::Ordering::Relaxed)
}
