use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use command::blocked::Parked;
use command::{Close, Command, Flags, OwnedArgs, Session};
use observe::Counters;
use resp::{Parser, Span};

use crate::buffers::Buffers;
use crate::helper::LONG;
use crate::source::Socket;

/// Room made before a read: at least so much, and for a large argument no more than so much at a time.
const READ_LEAST: usize = 4 * 1024;
const READ_MOST: usize = 1024 * 1024;
/// Buffers above this are given back when they are mostly empty.
const SHRINK_ABOVE: usize = 64 * 1024;
/// What is sent of one connection's output in a turn, so that a large reply does not keep the others waiting.
const SEND_MOST: usize = 512 * 1024;
/// What is moved to the front of the output at most, when half of it has been sent.
const MOVE_MOST: usize = 256 * 1024;
/// Reads thrown away before a connection is closed in good order.
const DRAIN_READS: usize = 64;

/// One client's connection: its socket, what it sent and has not been executed, what it has not
/// been sent yet.
pub struct Connection<S> {
    /// The socket.
    pub stream: S,
    /// The client's id, at hand for whoever looks at many connections.
    pub client: u64,
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
    /// Whether the input is elsewhere, where it gets a larger buffer.
    pub grows: bool,
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
    /// Whether all has been read that the other end will ever send.
    pub ended: bool,
    /// Whether the socket took all that it was given.
    pub writable: bool,
    /// Commands are held back until this moment (CLIENT PAUSE), milliseconds since the epoch.
    pub held_until_ms: Option<i64>,
    /// Replies are not sent before everything up to this number of the log of effects is durable.
    pub durable_from: u64,
    /// The log's number of the last change that they acknowledge.
    pub wrote: u64,
    /// Whether that is so now; nothing more is read meanwhile.
    pub awaits_durability: bool,
    /// What the client waits for in a blocking command.
    pub parked: Option<Arc<Parked>>,
    /// Since when the output has been above the soft limit, milliseconds since the epoch.
    pub above_soft_limit_since_ms: Option<i64>,
    /// What of its memory is in the worker's sum of those that may be closed to save memory.
    pub counted_bytes: u64,
}

/// What reading from a socket led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// Some bytes, maybe none.
    Bytes(usize),
    /// The other end sends no more.
    Ended,
    /// The connection is broken.
    Broken,
}

impl<S: Socket> Connection<S> {
    /// A connection on which nothing has happened yet.
    pub fn new(stream: S, session: Session) -> Self {
        Self {
            stream,
            client: session.client.id,
            session,
            parser: Parser::new(),
            input: Vec::new(),
            parsed: 0,
            executed: 0,
            wanted: 0,
            grows: false,
            hung_up: false,
            ended: false,
            output: Vec::new(),
            sent: 0,
            touched: false,
            readable: false,
            writable: true,
            held_until_ms: None,
            durable_from: 0,
            wrote: 0,
            awaits_durability: false,
            parked: None,
            above_soft_limit_since_ms: None,
            counted_bytes: 0,
        }
    }

    /// How much more room what has been sent of one long command needs, if it has to move for that and this takes long.
    pub fn needs_move(&self) -> Option<usize> {
        let is_at_start = self.parsed == 0 && self.executed == 0;
        let room = self.input.capacity() - self.input.len();
        let moves = self.input.len() >= LONG && room < self.wanted.min(READ_MOST);
        (moves && is_at_start).then_some(self.wanted)
    }

    /// Takes the words of a long command out of the input, whose start it is, together with all that follows.
    pub fn take_words(&mut self, spans: &[Span]) -> Arc<OwnedArgs> {
        Arc::new(OwnedArgs::of_buffer(std::mem::take(&mut self.input), spans))
    }

    /// Puts back what [`Self::take_words`] took, if nobody else needs it; otherwise what stands behind the command,
    /// which has run as far as this connection knows, and ended at `end`. Gives back where in the input that is now.
    pub fn put_back(&mut self, words: Arc<OwnedArgs>, end: usize) -> usize {
        match Arc::try_unwrap(words) {
            Ok(words) => {
                self.input = words.into_buffer();
                end
            }
            Err(words) => {
                self.input.extend_from_slice(words.behind(end));
                self.parsed = 0;
                0
            }
        }
    }

    /// Reads what the socket has, up to the buffer's capacity.
    pub fn fill(&mut self, buffers: &mut Buffers) -> Filled {
        if self.input.capacity() == 0 {
            self.input = buffers.take();
        }
        // The last few bytes of a large argument must not double its buffer: what is known to be wanted makes the
        // buffer no larger than that. It grows with what has arrived, so this does not happen often.
        let least = if self.input.len() < SHRINK_ABOVE { READ_LEAST } else { 1 };
        if self.input.capacity() - self.input.len() < self.wanted.clamp(least, READ_MOST) {
            match self.wanted {
                0..=READ_LEAST => self.input.reserve(READ_LEAST),
                known => self.input.reserve_exact(known),
            }
        }
        let room = self.input.capacity() - self.input.len();
        match self.stream.receive(&mut self.input) {
            Ok(0) => Filled::Ended,
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
            Err(_) => Filled::Broken,
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

    /// Holds commands back until a moment, milliseconds since the epoch.
    pub fn hold_until(&mut self, until_ms: i64) {
        self.held_until_ms = Some(until_ms);
        self.session.client.figures.held.store(true, Ordering::Relaxed);
    }

    /// Lets commands run that were held back. They are parsed anew, as the input may still have what came before
    /// them: it is only consumed when replies are sent, which may have to wait for the disk.
    pub fn let_go(&mut self) {
        self.rewind();
        self.held_until_ms = None;
        self.session.client.figures.held.store(false, Ordering::Relaxed);
    }

    /// Ends the wait with this ticket, if the client waits so, and lets what it sent behind it run.
    pub fn end_wait(&mut self, ticket: u64) -> Option<Arc<Parked>> {
        let parked = self.parked.take_if(|parked| parked.ticket == ticket)?;
        self.rewind();
        Some(parked)
    }

    /// Forgets what has been parsed and not executed: it is to be parsed again.
    pub fn rewind(&mut self) {
        self.parsed = self.executed;
        self.parser.reset();
    }

    /// Whether more commands may run.
    pub fn may_run(&self) -> bool {
        self.held_until_ms.is_none()
            && self.parked.is_none()
            && !self.awaits_durability
            && !self.grows
            && self.session.close == Close::No
    }

    /// Notes what a command has changed: the log's last number of this thread was `before` and is `after`.
    pub fn note_change(&mut self, command: Option<Command>, before: u64, after: u64) {
        // What reads may end keys whose time has come: nobody is told that.
        let reads = || command.is_some_and(|command| command.flags.contains(Flags::READONLY));
        if before != after && !reads() {
            self.wrote = after;
        }
    }

    /// Bytes that have arrived and are not understood yet, as far as has been parsed.
    pub fn pending_bytes(&self) -> u64 {
        self.input.len().saturating_sub(self.parsed + self.parser.understood()) as u64
    }

    /// Shows others what of the input waits to be understood.
    pub fn report_input(&self) {
        let figures = &self.session.client.figures;
        figures.query_bytes.set(self.pending_bytes());
        figures.query_free.set((self.input.capacity() - self.input.len()) as u64);
    }

    /// Shows others what the connection holds, and counts it.
    pub fn report(&mut self, counters: &Counters) {
        self.report_input();
        let figures = &self.session.client.figures;
        figures.output_bytes.set(self.unsent() as u64);
        figures.output_capacity.set(self.output.capacity() as u64);
        let buffers = self.input.capacity() + self.output.capacity();
        let queued = self.session.transaction.as_ref().map_or(0, |queue| queue.bytes);
        figures.queued_bytes.set(queued as u64);
        let memory = (buffers + size_of::<Self>()) as u64 + self.session.memory_bytes();
        figures.memory_bytes.set(memory);
        self.count(if figures.may_be_evicted() { memory } else { 0 }, counters);
    }

    /// Counts `bytes` for the connection instead of what was counted before; at its end, 0.
    pub fn count(&mut self, bytes: u64, counters: &Counters) {
        let before = std::mem::replace(&mut self.counted_bytes, bytes);
        counters.client_bytes.add(bytes.wrapping_sub(before));
    }

    /// Sends what the socket takes up to a limit, if it takes anything, and counts it. False when the
    /// connection is broken.
    pub fn send(&mut self, buffers: &mut Buffers, counters: &Counters, now_ms: i64) -> bool {
        if !self.writable || !self.has_unsent() {
            return true;
        }
        let figures = &self.session.client.figures;
        figures.output_peak.set(figures.output_peak.get().max(self.output.len() as u64));
        let (alive, count) = self.flush(buffers);
        let figures = &self.session.client.figures;
        counters.writes.add(1);
        counters.sent_bytes.add(count as u64);
        figures.sent_bytes.add(count as u64);
        if count > 0 {
            figures.active_ms.store(now_ms, Ordering::Relaxed);
        }
        alive
    }

    /// Sends `bytes` without a copy if nothing is to be sent before them, and keeps what the socket does
    /// not take. False when the connection is broken.
    pub fn send_now(
        &mut self,
        bytes: &[u8],
        buffers: &mut Buffers,
        counters: &Counters,
        now_ms: i64,
    ) -> bool {
        let mut taken = 0;
        if !self.has_unsent() && self.writable {
            match self.stream.send(bytes) {
                Ok(0) => return false,
                Ok(count) => taken = count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
            let figures = &self.session.client.figures;
            counters.writes.add(1);
            counters.sent_bytes.add(taken as u64);
            figures.sent_bytes.add(taken as u64);
            figures.active_ms.store(now_ms, Ordering::Relaxed);
        }
        if let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            self.keep(rest, buffers);
        }
        true
    }

    /// Appends to what is to be sent.
    pub fn keep(&mut self, bytes: &[u8], buffers: &mut Buffers) {
        if self.output.capacity() == 0 {
            self.output = buffers.take();
        }
        self.output.extend_from_slice(bytes);
    }

    /// Throws away what has arrived and will not be read: a socket that is closed with something in it
    /// makes the other end lose replies that it has not read yet.
    pub fn drain(&mut self, buffers: &mut Buffers) {
        if self.ended {
            return;
        }
        let mut waste = buffers.take();
        for _ in 0..DRAIN_READS {
            waste.clear();
            match self.stream.receive(&mut waste) {
                Ok(count) if count > 0 => {}
                _ => break,
            }
        }
        waste.clear();
        buffers.reclaim(&mut waste);
    }

    /// Gives memory back that one large command has left behind.
    pub fn shrink(&mut self, buffers: &mut Buffers) {
        shrink(&mut self.input, buffers);
        shrink(&mut self.output, buffers);
    }

    /// Frees what the connection holds.
    pub fn dispose(&mut self, buffers: &mut Buffers) {
        buffers.dispose(std::mem::take(&mut self.input));
        buffers.dispose(std::mem::take(&mut self.output));
    }

    /// Sends what the socket takes, up to a limit: whether the connection is whole, and how many bytes.
    fn flush(&mut self, buffers: &mut Buffers) -> (bool, usize) {
        let before = self.sent;
        while self.sent < self.output.len() && self.sent - before < SEND_MOST {
            let end = self.output.len().min(before + SEND_MOST);
            match self.stream.send(&self.output[self.sent..end]) {
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
        if self.stream.is_pending() {
            match self.stream.push() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(_) => return (false, self.sent - before),
                Ok(()) => {}
            }
        }
        let count = self.sent - before;
        if self.sent == self.output.len() {
            self.output.clear();
            self.sent = 0;
            buffers.reclaim(&mut self.output);
        } else if self.sent >= self.output.len() / 2 && self.unsent() <= MOVE_MOST {
            self.output.drain(..self.sent);
            self.sent = 0;
        }
        (true, count)
    }

    /// Whether anything waits to be sent, be it encrypted already.
    pub fn has_unsent(&self) -> bool {
        self.unsent() > 0 || self.stream.is_pending()
    }

    /// Bytes that wait to be sent.
    pub fn unsent(&self) -> usize {
        self.output.len() - self.sent
    }
}

/// Moves what a buffer holds to a smaller one, if that is little. More is not worth the copy: it will be gone soon.
fn shrink(buffer: &mut Vec<u8>, buffers: &mut Buffers) {
    if buffer.capacity() > SHRINK_ABOVE
        && buffer.len() < buffer.capacity() / 4
        && buffer.len() <= MOVE_MOST
    {
        let mut smaller = Vec::with_capacity(buffer.len().max(READ_LEAST));
        smaller.extend_from_slice(buffer);
        buffers.dispose(std::mem::replace(buffer, smaller));
    }
}
