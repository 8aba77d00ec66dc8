//! Where a worker learns that a connection has something to read or room to write.

mod epoll;
#[cfg(test)]
pub mod sim;

use std::io;
use std::time::Duration;

pub use epoll::Epoll;

/// A connection's number in its worker.
pub type Token = usize;

/// What the event source says of a connection or listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Which one.
    pub token: Token,
    /// There is something to read, or the other end has closed.
    pub readable: bool,
    /// The other end has closed its half, or the connection is broken.
    pub hung_up: bool,
    /// There is room to write.
    pub writable: bool,
}

/// One end of a connection.
pub trait Socket {
    /// Appends what has arrived to `buffer`, no more than it has spare capacity for; 0 means that the other
    /// end has closed.
    ///
    /// # Errors
    /// `WouldBlock` when nothing has arrived; anything else when the connection is broken.
    fn receive(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize>;

    /// Sends the beginning of `bytes` and says how much.
    ///
    /// # Errors
    /// `WouldBlock` when there is no room; anything else when the connection is broken.
    fn send(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Whether bytes that [`Socket::send`] has taken are still to be sent: [`Socket::push`] does so when
    /// there is room.
    fn is_pending(&self) -> bool {
        false
    }

    /// Sends what is pending.
    ///
    /// # Errors
    /// As [`Socket::send`].
    fn push(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Whether there may be something to receive of which the event source does not know.
    fn may_hold_input(&self) -> bool {
        false
    }
}

/// The contract of an event source. Readiness is reported once per change (edge-triggered): whoever is
/// told that a stream is readable reads until it would block, or remembers that it did not.
pub trait Source {
    /// What connections are made of here.
    type Stream: Socket + Send + 'static;

    /// Waits until something is ready, the timeout has passed or somebody has called the waker, and
    /// appends what is ready to `ready`.
    ///
    /// # Errors
    /// When the operating system refuses; an interruption is no error.
    fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()>;

    /// Watches a stream for both directions.
    ///
    /// # Errors
    /// When the operating system refuses.
    fn add(&mut self, stream: &mut Self::Stream, token: Token) -> io::Result<()>;

    /// Stops watching a stream.
    fn remove(&mut self, stream: &mut Self::Stream);
}
