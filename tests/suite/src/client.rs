//! A minimal blocking client that hides nothing: replies keep their types, pushes their order.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::reply::{self, Reply};
use resp::{ReplyLimits, ReplyParser};

/// What came when a reply was waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    /// A reply.
    Reply(Reply),
    /// Nothing within the time given.
    Silence,
    /// The server closed the connection first.
    Closed,
}

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    parser: ReplyParser,
    pushes: VecDeque<Reply>,
    closed: bool,
}

/// How long a reply may take before the case counts it as missing.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(10);

impl Client {
    /// Connects; switches to RESP3 when `protocol` is 3.
    ///
    /// # Errors
    /// When the server is not there or refuses `HELLO 3`.
    pub fn connect(addr: SocketAddr, protocol: u8) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, Duration::from_secs(5))
            .with_context(|| format!("connect to {addr}"))?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream,
            buffer: Vec::new(),
            parser: ReplyParser::new(),
            pushes: VecDeque::new(),
            closed: false,
        };
        if protocol == 3 {
            match client.call(&["HELLO", "3"])? {
                Reply::Map(_) => {}
                other => bail!("HELLO 3 was answered {other:?}"),
            }
        }
        Ok(client)
    }

    /// Sends bytes as they are. A connection that the server has closed swallows them: the
    /// reader is who reports it.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        if self.stream.write_all(bytes).is_err() {
            self.closed = true;
        }
    }

    /// Sends one command.
    pub fn send(&mut self, args: &[Vec<u8>]) {
        self.send_raw(&reply::encode(args));
    }

    /// Sends one command and waits for its reply, leaving pushes aside.
    ///
    /// # Errors
    /// When no reply comes or the bytes are not RESP.
    pub fn call<S: AsRef<[u8]>>(&mut self, args: &[S]) -> Result<Reply> {
        let args: Vec<Vec<u8>> = args.iter().map(|a| a.as_ref().to_vec()).collect();
        self.send(&args);
        match self.reply(REPLY_TIMEOUT)? {
            Got::Reply(reply) => Ok(reply),
            other => bail!("{}: {other:?}", String::from_utf8_lossy(&args.join(&b' '))),
        }
    }

    /// The next reply that is not a push; pushes met on the way wait for [`Client::next`].
    ///
    /// # Errors
    /// When the bytes are not RESP.
    pub fn reply(&mut self, timeout: Duration) -> Result<Got> {
        let until = Instant::now() + timeout;
        loop {
            match self.receive(until)? {
                Got::Reply(push @ Reply::Push(_)) => self.pushes.push_back(push),
                other => return Ok(other),
            }
        }
    }

    /// The next thing the server sent, push or reply.
    ///
    /// # Errors
    /// When the bytes are not RESP.
    pub fn next(&mut self, timeout: Duration) -> Result<Got> {
        match self.pushes.pop_front() {
            Some(push) => Ok(Got::Reply(push)),
            None => self.receive(Instant::now() + timeout),
        }
    }

    fn receive(&mut self, until: Instant) -> Result<Got> {
        loop {
            if let Some((reply, used)) = self.parser.parse(&self.buffer, &ReplyLimits::default())? {
                self.buffer.drain(..used);
                return Ok(Got::Reply(reply));
            }
            if self.closed {
                return Ok(Got::Closed);
            }
            if !self.fill(until)? {
                return Ok(if self.closed { Got::Closed } else { Got::Silence });
            }
        }
    }

    /// Reads what is there; `false` when nothing came before `until` or the peer closed.
    fn fill(&mut self, until: Instant) -> Result<bool> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || self.closed {
            return Ok(false);
        }
        self.stream.set_read_timeout(Some(left))?;
        let mut chunk = vec![0; 64 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.closed = true,
            Ok(n) => {
                self.buffer.extend_from_slice(&chunk[..n]);
                return Ok(true);
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(e) if e.kind() == ErrorKind::Interrupted => return Ok(true),
            Err(_) => self.closed = true,
        }
        Ok(false)
    }

    /// Bytes as the server sent them, until `enough` says so, the peer closes, or `timeout`
    /// passes without a byte. The second value says whether the peer has closed.
    ///
    /// # Errors
    /// When the socket cannot be read at all.
    pub fn read_raw(
        &mut self,
        timeout: Duration,
        enough: impl Fn(&[u8], bool) -> bool,
    ) -> Result<(Vec<u8>, bool)> {
        loop {
            if enough(&self.buffer, self.closed) {
                break;
            }
            if !self.fill(Instant::now() + timeout)? {
                break;
            }
        }
        Ok((std::mem::take(&mut self.buffer), self.closed))
    }
}
