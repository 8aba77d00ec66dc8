use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::{Events, Interest, Poll, Waker};

use super::{Ready, Source, Token};
use crate::stream::Stream;

/// Events taken from the kernel at a time.
const EVENTS: usize = 1024;
const WAKE: mio::Token = mio::Token(usize::MAX);

/// Linux's epoll (or the platform's equivalent), by way of mio.
pub struct Epoll {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
}

impl Epoll {
    /// A source that watches nothing yet.
    ///
    /// # Errors
    /// When the process is out of file descriptors.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        Ok(Self { poll, events: Events::with_capacity(EVENTS), waker })
    }

    /// Ends a wait, from any thread.
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Watches a listening socket.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn add_listener(
        &mut self,
        listener: &mut impl mio::event::Source,
        token: Token,
    ) -> io::Result<()> {
        self.poll.registry().register(listener, mio::Token(token), Interest::READABLE)
    }

    /// Stops watching a listening socket.
    pub fn remove_listener(&mut self, listener: &mut impl mio::event::Source) {
        let _ = self.poll.registry().deregister(listener);
    }
}

impl Source for Epoll {
    type Stream = Stream;

    fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        ready.extend(self.events.iter().filter(|event| event.token() != WAKE).map(|event| Ready {
            token: event.token().0,
            readable: event.is_readable() || event.is_read_closed() || event.is_error(),
            hung_up: event.is_read_closed() || event.is_error(),
            writable: event.is_writable(),
        }));
        Ok(())
    }

    fn add(&mut self, stream: &mut Stream, token: Token) -> io::Result<()> {
        self.poll.registry().register(
            stream,
            mio::Token(token),
            Interest::READABLE | Interest::WRITABLE,
        )
    }

    fn remove(&mut self, stream: &mut Stream) {
        let _ = self.poll.registry().deregister(stream);
    }
}
