use std::io::ErrorKind;
use std::sync::Arc;

use command::blocked::Parked;
use command::{Close, Session};
use resp::Parser;

use crate::buffers::Buffers;
use crate::source::Socket;

/// Room made before a read: at least so much, and for a large argument no more than so much at a time.
const READ_LEAST: usize = 4 * 1024;
const READ_MOST: usize = 1024 * 1024;

/// One client's connection: its socket, what it sent and has not been executed, what it has not
/// been sent yet.
pub struct Connection<S> {
    /// The socket.
    pub stream: S,
    /// What commands see and change.
    pub session: Session,
    /// How far the first unexecuted command has been read.
    pub parser: Parser,
    /// Bytes received.
    pub input: Vec<u8>,
    /// How many of them have been parsed.
    pub parsed: usize,
    /// How many of them belong to commands that have been executed.
    pub executed: usize,
    /// How many more bytes the first unexecuted command is known to need.
    pub wanted: usize,
    /// Bytes to send.
    pub output: Vec<u8>,
    /// How many of them have been sent.
    pub sent: usize,
    /// Whether the connection is in the worker's list of those that did something in this turn.
    pub touched: bool,
    /// Whether the socket may have more than what was read.
    pub readable: bool,
    /// Whether the other end has closed its half: the socket stays readable until that has been read.
    pub hung_up: bool,
    /// Whether the socket took all that it was given.
    pub writable: bool,
    /// Commands are held back until this moment (CLIENT PAUSE), milliseconds since the epoch.
    pub held_until_ms: Option<i64>,
    /// What the client waits for in a blocking command.
    pub parked: Option<Arc<Parked>>,
    /// Since when the output has been above the soft limit, milliseconds since the epoch.
    pub above_soft_limit_since_ms: Option<i64>,
}

/// What reading from a socket led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// Some bytes, maybe none.
    Bytes(usize),
    /// The other end is gone.
    Closed,
}

impl<S: Socket> Connection<S> {
    /// A connection on which nothing has happened yet.
    pub fn new(stream: S, session: Session) -> Self {
        Self {
            stream,
            session,
            parser: Parser::new(),
            input: Vec::new(),
            parsed: 0,
            executed: 0,
            wanted: 0,
            hung_up: false,
            output: Vec::new(),
            sent: 0,
            touched: false,
            readable: false,
            writable: true,
            held_until_ms: None,
            parked: None,
            above_soft_limit_since_ms: None,
        }
    }

    /// Reads what the socket has, up to the buffer's capacity.
    pub fn fill(&mut self, buffers: &mut Buffers) -> Filled {
        if self.input.capacity() == 0 {
            self.input = buffers.take();
        }
        let wanted = self.wanted;
        let least = wanted.clamp(READ_LEAST, READ_MOST);
        if self.input.capacity() - self.input.len() < least {
            self.input.reserve(wanted.max(READ_LEAST));
        }
        let room = self.input.capacity() - self.input.len();
        match self.stream.receive(&mut self.input) {
            Ok(0) => Filled::Closed,
            Ok(count) => {
                // The socket is empty, and the next byte to arrive will be reported.
                self.readable = count == room || self.hung_up;
                Filled::Bytes(count)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                Filled::Bytes(0)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Filled::Bytes(0),
            Err(_) => Filled::Closed,
        }
    }

    /// Drops what has been executed from the input. A connection that is held back parses the rest
    /// again.
    pub fn consume(&mut self, buffers: &mut Buffers) {
        let held = self.held_until_ms.is_some() || self.parked.is_some();
        let done = if held { self.executed } else { self.parsed };
        if done < self.parsed {
            self.parser.reset();
        }
        if done == self.input.len() {
            self.input.clear();
            buffers.reclaim(&mut self.input);
        } else if done > 0 {
            self.input.drain(..done);
        }
        (self.parsed, self.executed) = (0, 0);
    }

    /// Whether more commands may run.
    pub fn may_run(&self) -> bool {
        self.held_until_ms.is_none() && self.parked.is_none() && self.session.close == Close::No
    }

    /// Shows others what the connection holds.
    pub fn report(&self) {
        let figures = &self.session.client.figures;
        figures.query_bytes.set((self.input.len() - self.parsed) as u64);
        figures.query_free.set((self.input.capacity() - self.input.len()) as u64);
        figures.output_bytes.set(self.unsent() as u64);
        let buffers = self.input.capacity() + self.output.capacity();
        figures.memory_bytes.set((buffers + size_of::<Self>()) as u64);
    }

    /// Sends what the socket takes. False when the connection is broken.
    pub fn flush(&mut self, buffers: &mut Buffers) -> (bool, usize) {
        let before = self.sent;
        while self.sent < self.output.len() {
            match self.stream.send(&self.output[self.sent..]) {
                Ok(0) => return (false, self.sent - before),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.writable = false;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return (false, self.sent - before),
            }
        }
        let count = self.sent - before;
        if self.sent == self.output.len() {
            self.output.clear();
            self.sent = 0;
            buffers.reclaim(&mut self.output);
        } else if self.sent >= self.output.len() / 2 {
            self.output.drain(..self.sent);
            self.sent = 0;
        }
        (true, count)
    }

    /// Bytes that wait to be sent.
    pub fn unsent(&self) -> usize {
        self.output.len() - self.sent
    }
}
