//! One connection: commands out, replies in. It knows nothing of what they mean.

use crate::args::Options;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use resp::{ReplyLimits, ReplyParser, Value};
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Idle time before the kernel asks whether the peer still lives; a long command looks idle.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// The least that one read asks for, bytes.
const READ_MIN: usize = 16 * 1024;

/// Why a connection is of no more use.
#[derive(Debug)]
pub enum Broken {
    /// The server closed it.
    Closed,
    /// The system says so.
    Io(io::Error),
    /// What the server sent is no reply.
    Protocol(String),
}

impl Broken {
    /// Whether the connection was merely lost, so that a new one will do.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Closed => true,
            Self::Io(error) => {
                matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
            }
            Self::Protocol(_) => false,
        }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => f.write_str("Server closed the connection"),
            Self::Io(error) => f.write_str(&system_text(error)),
            Self::Protocol(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Broken {}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The system's own text of an error, without the number and the prefixes that `io::Error` adds.
pub fn system_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    match text.rfind(" (os error ") {
        Some(end) => text.get(..end).unwrap_or(text).to_string(),
        None => text.to_string(),
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<tls::ClientStream<TcpStream>>),
}

/// A connection with the bytes read but not yet parsed.
pub struct Connection {
    stream: Stream,
    parser: ReplyParser,
    input: Vec<u8>,
    /// Start of the bytes of `input` that no reply has taken.
    parsed: usize,
}

impl Connection {
    /// Connects to the socket of `options`, or to its host and port.
    pub fn open(options: &Options) -> io::Result<Self> {
        let stream = match &options.socket {
            Some(path) => Stream::Unix(UnixStream::connect(OsStr::from_bytes(path))?),
            None if options.encrypted => Stream::Tls(Box::new(connect_tls(options)?)),
            None => Stream::Tcp(connect_tcp(options)?),
        };
        Ok(Self { stream, parser: ReplyParser::new(), input: Vec::new(), parsed: 0 })
    }

    /// Sends one command.
    pub fn send<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Result<(), Broken> {
        let mut request = Vec::new();
        encode(&mut request, words);
        self.write_all(&request)?;
        Ok(())
    }

    /// Sends one command and waits for its reply; push messages on the way are dropped.
    pub fn call<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Result<Value, Broken> {
        self.send(words)?;
        self.reply()
    }

    /// The next reply that is no push message.
    pub fn reply(&mut self) -> Result<Value, Broken> {
        loop {
            let value = self.read()?;
            if !matches!(value, Value::Push(_)) {
                return Ok(value);
            }
        }
    }

    /// The next reply or push message.
    pub fn read(&mut self) -> Result<Value, Broken> {
        loop {
            if let Some(value) = self.buffered()? {
                return Ok(value);
            }
            if self.fill()? == 0 {
                return Err(Broken::Closed);
            }
        }
    }

    /// The next reply among the bytes that are here already.
    pub fn buffered(&mut self) -> Result<Option<Value>, Broken> {
        let rest = self.input.get(self.parsed..).unwrap_or_default();
        let parsed = self.parser.parse(rest, &ReplyLimits::default());
        let parsed =
            parsed.map_err(|error| Broken::Protocol(format!("Protocol error, {error}")))?;
        let Some((value, taken)) = parsed else { return Ok(None) };
        self.parsed += taken;
        if self.parsed >= self.input.len() {
            self.input.clear();
            self.parsed = 0;
        }
        // Nothing is shown of a reply's attributes.
        Ok(Some(match value {
            Value::Attributed { value, .. } => *value,
            value => value,
        }))
    }

    /// Reads what is there, at most as much again as is held: a long reply is then looked at only a
    /// few times. Returns the number of bytes, 0 at the end of the stream.
    pub fn fill(&mut self) -> io::Result<usize> {
        self.input.drain(..self.parsed);
        self.parsed = 0;
        let held = self.input.len();
        self.input.resize(held + held.max(READ_MIN), 0);
        let free = self.input.get_mut(held..).unwrap_or_default();
        let read = loop {
            match read_stream(&mut self.stream, free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.input.truncate(held + read.as_ref().map_or(0, |read| *read));
        read
    }

    /// Waits until there is something to read, here or from `interrupt`; true for the latter.
    pub fn wait(&self, interrupt: BorrowedFd<'_>) -> io::Result<bool> {
        if let Stream::Tls(stream) = &self.stream
            && !stream.conn.wants_read()
        {
            // Something is here already, of which the socket does not know any more.
            return Ok(false);
        }
        let mut fds = [
            PollFd::new(self.as_fd(), PollFlags::POLLIN),
            PollFd::new(interrupt, PollFlags::POLLIN),
        ];
        poll(&mut fds, PollTimeout::NONE)?;
        let [_, interrupt] = fds;
        Ok(interrupt.any().unwrap_or(false))
    }

    /// Makes reads and writes return at once.
    pub fn set_nonblocking(&self) -> io::Result<()> {
        match &self.stream {
            Stream::Tcp(stream) => stream.set_nonblocking(true),
            Stream::Unix(stream) => stream.set_nonblocking(true),
            Stream::Tls(stream) => stream.sock.set_nonblocking(true),
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.stream {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
            Stream::Tls(stream) => stream.sock.as_fd(),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Stream::Tls(stream) = &mut self.stream {
            stream.flush()?;
        }
        Ok(())
    }
}

fn read_stream(stream: &mut Stream, into: &mut [u8]) -> io::Result<usize> {
    match stream {
        Stream::Tcp(stream) => stream.read(into),
        Stream::Unix(stream) => stream.read(into),
        Stream::Tls(stream) => match stream.read(into) {
            // The end without a goodbye is an end too.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            other => other,
        },
    }
}

/// Appends a command as an array of bulk strings.
pub fn encode<W: AsRef<[u8]>>(out: &mut Vec<u8>, words: &[W]) {
    out.extend(format!("*{}\r\n", words.len()).bytes());
    for word in words {
        let word = word.as_ref();
        out.extend(format!("${}\r\n", word.len()).bytes());
        out.extend(word);
        out.extend(b"\r\n");
    }
}

fn connect_tls(options: &Options) -> io::Result<tls::ClientStream<TcpStream>> {
    let socket = connect_tcp(options)?;
    tls::connect(&options.tls, &options.host, socket)
        .map_err(|error| io::Error::other(format!("SSL_connect failed: {error}")))
}

/// Tries every address of the host in turn; the error is the last one's.
fn connect_tcp(options: &Options) -> io::Result<TcpStream> {
    let mut addresses: Vec<SocketAddr> =
        (options.host.as_str(), options.port).to_socket_addrs()?.collect();
    match options.prefer_ipv4 {
        Some(true) => addresses.sort_by_key(SocketAddr::is_ipv6),
        Some(false) => addresses.sort_by_key(SocketAddr::is_ipv4),
        None => {}
    }
    let mut last = io::Error::other("Can't create socket: the host has no address");
    for address in addresses {
        let connected = match options.connect_timeout {
            Some(timeout) => TcpStream::connect_timeout(&address, timeout),
            None => TcpStream::connect(address),
        };
        match connected {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE);
                socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
