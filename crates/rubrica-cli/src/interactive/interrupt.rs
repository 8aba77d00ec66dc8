//! Ctrl-C as something to wait for.

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};

/// Holds SIGINT back from the process and makes it readable instead.
pub struct Interrupt(SignalFd);

impl Interrupt {
    /// From now on SIGINT does not end the process. An error is the system's.
    pub fn new() -> std::io::Result<Self> {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGINT);
        mask.thread_block()?;
        Ok(Self(SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?))
    }

    /// Whether Ctrl-C was pressed since the last look; forgets that it was.
    pub fn clear(&self) -> bool {
        let mut pressed = false;
        while let Ok(Some(_)) = self.0.read_signal() {
            pressed = true;
        }
        pressed
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
