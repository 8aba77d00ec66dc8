//! A connection that has been accepted: plain bytes on one side, a socket that never waits on the other.

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

use crate::Error;
use crate::identity::{Field, name_of};

/// Plain bytes encrypted at a time: four records. What a peer does not read is kept no further.
const SEND_MOST: usize = 64 * 1024;

/// The server's side of an encrypted connection over a non-blocking socket.
pub struct Stream<S: Read + Write> {
    socket: S,
    session: ServerConnection,
}

/// Notes whether the socket gave all that it was asked for: if not, it is empty.
struct Counted<'a, S> {
    socket: &'a mut S,
    is_drained: bool,
}

impl<S: Read> Read for Counted<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.socket.read(buffer)?;
        self.is_drained = count < buffer.len();
        Ok(count)
    }
}

impl<S: Read + Write> Stream<S> {
    /// A connection whose handshake has not begun.
    ///
    /// # Errors
    /// When the configuration does not allow any connection.
    pub fn new(socket: S, config: Arc<ServerConfig>) -> Result<Self, Error> {
        let mut session = ServerConnection::new(config)?;
        session.set_buffer_limit(Some(SEND_MOST));
        Ok(Self { socket, session })
    }

    /// The socket.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// The socket.
    pub fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Goes on with the handshake as far as the socket allows; true when it is over.
    ///
    /// # Errors
    /// When it fails; the other end has been told why, as far as the socket took it and if it speaks TLS at all.
    pub fn handshake(&mut self) -> io::Result<bool> {
        loop {
            match self.push() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(!self.session.is_handshaking());
                }
                other => other?,
            }
            if !self.session.is_handshaking() {
                return Ok(true);
            }
            match self.session.read_tls(&mut self.socket) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => self.process()?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// What names the client in its certificate, if it showed one.
    pub fn client_name(&self, field: Field) -> Option<Vec<u8>> {
        let certificate = self.session.peer_certificates()?.first()?;
        name_of(certificate, field).map(<[u8]>::to_vec)
    }

    /// Decrypts what has been read.
    fn process(&mut self) -> io::Result<()> {
        match self.session.process_new_packets() {
            Ok(_) => Ok(()),
            Err(error) => {
                // To someone who began in the clear an alert is nonsense. To others it says why; whether it arrives
                // does not matter any more.
                let begun = self.session.protocol_version().is_some();
                if begun || !matches!(error, rustls::Error::InvalidMessage(_)) {
                    let _ = self.push();
                }
                Err(io::Error::new(ErrorKind::InvalidData, error))
            }
        }
    }

    /// Appends what has arrived to `buffer`, no more than it has spare capacity for; less than that only when
    /// the socket is empty. 0 means that the other end has closed.
    ///
    /// # Errors
    /// `WouldBlock` when nothing has arrived; anything else when the connection is broken.
    pub fn receive(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let before = buffer.len();
        let mut is_drained = false;
        loop {
            let ended = self.take(buffer)?;
            let count = buffer.len() - before;
            if buffer.len() == buffer.capacity() || (count > 0 && (is_drained || ended)) {
                return Ok(count);
            }
            if ended {
                return Ok(0);
            }
            if is_drained {
                return Err(ErrorKind::WouldBlock.into());
            }
            let mut socket = Counted { socket: &mut self.socket, is_drained: false };
            match self.session.read_tls(&mut socket) {
                Ok(0) if count > 0 => return Ok(count),
                Ok(0) => return Ok(0),
                Ok(_) => {
                    is_drained = socket.is_drained;
                    self.process()?;
                    // Answers of the protocol itself; what the socket does not take now goes with the next
                    // reply.
                    if self.session.wants_write() {
                        let _ = self.push();
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => is_drained = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Moves decrypted bytes to `buffer`; true when no more will come.
    fn take(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        let mut reader = self.session.reader();
        loop {
            let room = buffer.capacity() - buffer.len();
            if room == 0 {
                return Ok(false);
            }
            match reader.fill_buf() {
                Ok([]) => return Ok(true),
                Ok(bytes) => {
                    let count = room.min(bytes.len());
                    buffer.extend_from_slice(bytes.get(..count).unwrap_or_default());
                    reader.consume(count);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                // The end without a goodbye.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }

    /// Encrypts the beginning of `bytes`, says how much of it, and sends what the socket takes; the rest is
    /// [`Stream::is_pending`].
    ///
    /// # Errors
    /// `WouldBlock` when there is no room; anything else when the connection is broken.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.session.wants_write() {
            self.push()?;
        }
        let count = self.session.writer().write(bytes)?;
        match self.push() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    /// Whether encrypted bytes wait for room in the socket.
    pub fn is_pending(&self) -> bool {
        self.session.wants_write()
    }

    /// Sends encrypted bytes until none is left.
    ///
    /// # Errors
    /// `WouldBlock` when there is no room; anything else when the connection is broken.
    pub fn push(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl<S: Read + Write> Drop for Stream<S> {
    /// Says goodbye, if the socket takes it: without that the other end could not tell the end from an attack.
    fn drop(&mut self) {
        if !self.session.is_handshaking() {
            self.session.send_close_notify();
            let _ = self.push();
        }
    }
}
