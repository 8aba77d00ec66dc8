//! `--pipe`: protocol from standard input to the server as fast as it takes it, replies counted.

use crate::connection::Connection;
use crate::session::Session;
use anyhow::{anyhow, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use resp::Value;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::modes::Silent;

/// How much is read from standard input at once, bytes.
const CHUNK: usize = 64 * 1024;
/// Length of the text that marks the last reply, bytes.
const MARK_LEN: usize = 20;

struct Pipe<'a> {
    connection: &'a mut Connection,
    output: Vec<u8>,
    written: usize,
    /// The last command's argument, once standard input has ended.
    mark: Option<[u8; MARK_LEN]>,
    errors: u64,
    replies: u64,
    done: bool,
    last_reply: Instant,
}

/// Fails when a reply was an error or the last ones did not come in time.
pub fn run(session: &mut Session) -> anyhow::Result<()> {
    let timeout = session.options.pipe_timeout;
    let connection = session.connection().ok_or_else(|| anyhow!("Not connected"))?;
    connection
        .set_nonblocking()
        .map_err(|error| anyhow!("Can't set the socket in non blocking mode: {error}"))?;
    let mut pipe = Pipe {
        connection,
        output: Vec::new(),
        written: 0,
        mark: None,
        errors: 0,
        replies: 0,
        done: false,
        last_reply: Instant::now(),
    };
    while !pipe.done {
        let (readable, writable) = pipe.wait()?;
        if readable {
            pipe.receive()?;
        }
        if writable && !pipe.done {
            pipe.send()?;
        }
        let waited = pipe.last_reply.elapsed();
        if pipe.mark.is_some() && !timeout.is_zero() && waited > timeout && !pipe.done {
            eprintln!("No replies for {} seconds: exiting.", timeout.as_secs());
            pipe.errors += 1;
            break;
        }
    }
    println!("errors: {}, replies: {}", pipe.errors, pipe.replies);
    if pipe.errors > 0 { Err(Silent.into()) } else { Ok(()) }
}

impl Pipe<'_> {
    fn pending(&self) -> bool {
        self.written < self.output.len()
    }

    /// Waits a second at most; tells whether replies can be read and bytes written.
    fn wait(&self) -> anyhow::Result<(bool, bool)> {
        let mut events = PollFlags::POLLIN;
        if self.mark.is_none() || self.pending() {
            events |= PollFlags::POLLOUT;
        }
        let mut fds = [PollFd::new(self.connection.as_fd(), events)];
        match poll(&mut fds, PollTimeout::from(1000_u16)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => bail!("poll: {error}"),
        }
        let [fd] = fds;
        let ready = fd.revents().unwrap_or(PollFlags::empty());
        let broken = ready.intersects(PollFlags::POLLERR | PollFlags::POLLHUP);
        Ok((broken || ready.contains(PollFlags::POLLIN), ready.contains(PollFlags::POLLOUT)))
    }

    /// Reads what has arrived and counts the replies in it.
    fn receive(&mut self) -> anyhow::Result<()> {
        let ended = match self.connection.fill() {
            Ok(read) => read == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        };
        loop {
            let reply = self
                .connection
                .buffered()
                .map_err(|_| anyhow!("Error reading replies from server"))?;
            let Some(reply) = reply else { break };
            self.count(&reply);
        }
        // What came before the end has been counted and its errors shown.
        if ended && !self.done { Err(Silent.into()) } else { Ok(()) }
    }

    fn count(&mut self, reply: &Value) {
        self.last_reply = Instant::now();
        match reply {
            Value::Error(text) => {
                eprintln!("{}", String::from_utf8_lossy(text));
                self.errors += 1;
            }
            Value::Bulk(text) if self.mark.is_some_and(|mark| mark.as_slice() == text) => {
                println!("Last reply received from server.");
                self.done = true;
                return;
            }
            _ => {}
        }
        self.replies += 1;
    }

    /// Writes until the socket is full or a chunk is through, taking more from standard input.
    fn send(&mut self) -> anyhow::Result<()> {
        if !self.pending() {
            if self.mark.is_some() {
                return Ok(());
            }
            self.load()?;
        }
        while self.pending() {
            match self.connection.write(self.output.get(self.written..).unwrap_or_default()) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => {
                    bail!("Error writing to the server: {}", crate::connection::system_text(&error))
                }
            }
        }
        Ok(())
    }

    /// The next chunk of standard input; at its end, a command whose reply cannot be mistaken.
    fn load(&mut self) -> anyhow::Result<()> {
        self.output.resize(CHUNK, 0);
        self.written = 0;
        let read = std::io::stdin().lock().read(&mut self.output).map_err(|error| {
            anyhow!("Error reading from stdin: {}", crate::connection::system_text(&error))
        })?;
        self.output.truncate(read);
        if read > 0 {
            return Ok(());
        }
        let mark = mark();
        // The empty line ends a command that standard input left unfinished.
        self.output.extend(b"\r\n");
        crate::connection::encode(&mut self.output, &[b"ECHO".as_slice(), &mark]);
        self.mark = Some(mark);
        println!("All data transferred. Waiting for the last reply...");
        Ok(())
    }
}

/// A text that no other reply holds: the time and the process, in hexadecimal.
fn mark() -> [u8; MARK_LEN] {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let text = format!("{:012x}{:08x}", time.as_micros() & 0xffff_ffff_ffff, std::process::id());
    let mut mark = [b'-'; MARK_LEN];
    for (to, from) in mark.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    mark
}
