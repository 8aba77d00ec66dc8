//! Ctrl-C as something to wait for.

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};

/// While it lives, SIGINT is readable here instead of ending the process.
pub struct Interrupt {
    readable: SignalFd,
    mask: SigSet,
}

impl Interrupt {
    /// Holds SIGINT back. An error is the system's.
    pub fn new() -> std::io::Result<Self> {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGINT);
        mask.thread_block()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        Ok(Self { readable: SignalFd::with_flags(&mask, flags)?, mask })
    }

    /// Whether Ctrl-C was pressed since the last look; forgets that it was.
    pub fn clear(&self) -> bool {
        let mut pressed = false;
        while let Ok(Some(_)) = self.readable.read_signal() {
            pressed = true;
        }
        pressed
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.clear();
        let _ = self.mask.thread_unblock();
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.readable.as_fd()
    }
}
