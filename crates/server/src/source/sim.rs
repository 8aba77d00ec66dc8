//! An event source without an operating system: streams are buffers in memory, nothing ever waits, and
//! a test decides in which pieces bytes arrive and how many the other end takes.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::{Ready, Socket, Source, Token};

/// Both directions of a connection.
#[derive(Default)]
struct Pipe {
    /// From the client, not yet received.
    inbound: VecDeque<u8>,
    /// To the client, not yet taken out by the test.
    outbound: Vec<u8>,
    /// How many more bytes the client's side takes; without one it takes all.
    room: Option<usize>,
    /// The client sends no more.
    ended: bool,
    /// The connection is reset.
    broken: bool,
    /// The server has closed its side.
    closed: bool,
    /// Something has changed that has not been reported.
    changed: bool,
}

/// The server's side of a connection.
pub struct SimStream(Arc<Mutex<Pipe>>);

/// The client's side, in the hands of a test.
pub struct SimPeer(Arc<Mutex<Pipe>>);

/// A new connection.
pub fn pair() -> (SimStream, SimPeer) {
    let pipe = Arc::new(Mutex::new(Pipe::default()));
    (SimStream(Arc::clone(&pipe)), SimPeer(pipe))
}

impl SimPeer {
    /// Sends bytes to the server.
    pub fn send(&self, bytes: impl AsRef<[u8]>) {
        let mut pipe = self.0.lock();
        pipe.inbound.extend(bytes.as_ref());
        pipe.changed = true;
    }

    /// Ends what this side sends; it still reads.
    pub fn end(&self) {
        let mut pipe = self.0.lock();
        pipe.ended = true;
        pipe.changed = true;
    }

    /// Breaks the connection.
    pub fn reset(&self) {
        let mut pipe = self.0.lock();
        pipe.broken = true;
        pipe.changed = true;
    }

    /// Takes no more than `bytes` from now on.
    pub fn take_at_most(&self, bytes: usize) {
        let mut pipe = self.0.lock();
        pipe.room = Some(bytes);
        pipe.changed = true;
    }

    /// What the server has sent since the last call.
    pub fn received(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.0.lock().outbound)).into_owned()
    }

    /// Whether the server has closed the connection.
    pub fn is_closed(&self) -> bool {
        self.0.lock().closed
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.0.lock().closed = true;
    }
}

impl Socket for SimStream {
    fn receive(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let mut pipe = self.0.lock();
        if pipe.broken {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let count = pipe.inbound.len().min(buffer.capacity() - buffer.len());
        if count == 0 && !pipe.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffer.extend(pipe.inbound.drain(..count));
        Ok(count)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pipe = self.0.lock();
        if pipe.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = bytes.len().min(pipe.room.unwrap_or(usize::MAX));
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if let Some(room) = &mut pipe.room {
            *room -= count;
        }
        pipe.outbound.extend_from_slice(&bytes[..count]);
        Ok(count)
    }
}

/// The source: reports what has changed since it last did, in the order of tokens.
#[derive(Default)]
pub struct Sim {
    watched: Vec<(Token, Arc<Mutex<Pipe>>)>,
}

impl Source for Sim {
    type Stream = SimStream;

    fn wait(&mut self, _timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        for (token, pipe) in &self.watched {
            let mut pipe = pipe.lock();
            if std::mem::take(&mut pipe.changed) {
                ready.push(Ready {
                    token: *token,
                    readable: !pipe.inbound.is_empty() || pipe.ended || pipe.broken,
                    hung_up: pipe.ended || pipe.broken,
                    writable: pipe.broken || pipe.room != Some(0),
                });
            }
        }
        Ok(())
    }

    fn add(&mut self, stream: &mut SimStream, token: Token) -> io::Result<()> {
        stream.0.lock().changed = true;
        self.watched.push((token, Arc::clone(&stream.0)));
        self.watched.sort_by_key(|(token, _)| *token);
        Ok(())
    }

    fn remove(&mut self, stream: &mut SimStream) {
        self.watched.retain(|(_, pipe)| !Arc::ptr_eq(pipe, &stream.0));
    }
}
