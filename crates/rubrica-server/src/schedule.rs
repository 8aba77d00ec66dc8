//! What the operating system is told of threads that others wait for.

/// The share of a core that such a thread takes at a time, nanoseconds: less than Linux gives by default (0.7 ms and
/// more), and more than nearly all turns of a worker last.
#[cfg(target_os = "linux")]
const SLICE_NS: u64 = 300_000;

/// Asks for the calling thread to be run as soon as it has something to do, before others of the process that are
/// running on the same core. Its share of the core stays what it is, so nobody starves, and whoever holds a lock that
/// it needs gets on.
///
/// Linux does so since 6.12 and keeps things as they are before that, as it does where it is not allowed to be asked.
#[cfg(target_os = "linux")]
pub fn prefer_this_thread() {
    let mut attributes = libc::sched_attr {
        size: 0,
        sched_policy: 0,
        sched_flags: 0,
        sched_nice: 0,
        sched_priority: 0,
        sched_runtime: 0,
        sched_deadline: 0,
        sched_period: 0,
    };
    let size = size_of::<libc::sched_attr>();
    // SAFETY: 0 is the calling thread; the system writes at most `size` bytes, which the structure has, and takes
    // any bytes for it.
    let known = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attributes, size, 0) };
    let ordinary = [libc::SCHED_OTHER, libc::SCHED_BATCH];
    // What an operator has chosen otherwise stays so.
    if known != 0 || !ordinary.contains(&attributes.sched_policy.cast_signed()) {
        return;
    }
    attributes.sched_runtime = SLICE_NS;
    // SAFETY: as above; the structure says its size, and is only read.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
}

/// Other systems offer nothing of the kind.
#[cfg(not(target_os = "linux"))]
pub fn prefer_this_thread() {}
