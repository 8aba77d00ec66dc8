//! A connection to another server that keys are sent to.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use command::Args;
use command::migration::{Migration, Offer};
use commands::MigrateRequest;

/// The longest answer that is read; all that are expected are short.
const LINE_MAX: u64 = 64 << 10;
/// Longer is as good as for ever.
const TIMEOUT_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// A connection.
pub struct Link {
    stream: BufReader<TcpStream>,
    /// The database that is selected there, as far as it is known.
    database: Option<i64>,
}

/// What can go wrong with the other server.
pub enum Trouble {
    /// It refuses something: its words.
    Refused(String),
    /// There is no talking with it.
    Broken {
        /// What was tried.
        doing: &'static str,
        /// It has not answered anything, and not been too slow for that.
        may_retry: bool,
    },
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// Says at what it failed: Redis, which connects in the background, learns at the first write that nobody
    /// listens.
    pub fn connect(request: &MigrateRequest<'_>) -> Result<Self, &'static str> {
        const CONNECTING: &str = "connecting to the client";
        let host = str::from_utf8(request.host).map_err(|_| CONNECTING)?;
        let port = codec::number::parse_i64(request.port).and_then(|port| u16::try_from(port).ok());
        let timeout = request.timeout.min(TIMEOUT_MAX);
        let addresses = (host, port.unwrap_or(0)).to_socket_addrs().map_err(|_| CONNECTING)?;
        let mut failed = CONNECTING;
        for address in addresses {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    // It only makes small requests faster.
                    let _ = stream.set_nodelay(true);
                    return Ok(Self { stream: BufReader::new(stream), database: None });
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                Err(_) => failed = "writing to target instance",
            }
        }
        Err(failed)
    }

    /// Sends what the migration offers, and notes what is taken. After an error the connection may be used again
    /// if the other server has refused something, and only then.
    ///
    /// # Errors
    /// The first that is met.
    pub fn tell(
        &mut self,
        request: &MigrateRequest<'_>,
        args: Args<'_>,
        migration: &mut Migration,
        now_ms: i64,
    ) -> Result<(), Trouble> {
        let selects = self.database != Some(request.database);
        let mut out = Vec::new();
        if !request.credentials.is_empty() {
            let words: Vec<&[u8]> =
                [&b"AUTH"[..]].into_iter().chain(request.credentials.iter().copied()).collect();
            write(&mut out, &words);
        }
        if selects {
            write(&mut out, &[b"SELECT", request.database.to_string().as_bytes()]);
        }
        let mut told = Vec::new();
        for (word, ours, offer) in migration.offers() {
            let replace = ours || request.replace;
            if write_offer(&mut out, args.at(word), offer, replace, now_ms) {
                told.push(offer);
            }
        }
        self.send(request, &out).map_err(|error| broken(&error, "writing", true))?;
        let mut refusal = None;
        let prelude = usize::from(!request.credentials.is_empty()) + usize::from(selects);
        for _ in 0..prelude {
            let line = self.line().map_err(|error| broken(&error, "reading", true))?;
            refusal = refusal.or(refused(&line));
        }
        let refused_before = refusal.is_some();
        for (index, offer) in told.into_iter().enumerate() {
            let line = match self.line() {
                Ok(line) => line,
                // What it has refused tells more.
                Err(_) if refusal.is_some() => break,
                Err(error) => return Err(broken(&error, "reading", index == 0)),
            };
            let answer = refused(&line);
            offer.taken = !refused_before && answer.is_none();
            refusal = refusal.or(answer);
        }
        self.database = refusal.is_none().then_some(request.database);
        refusal.map_or(Ok(()), |line| Err(Trouble::Refused(line)))
    }

    fn send(&mut self, request: &MigrateRequest<'_>, bytes: &[u8]) -> io::Result<()> {
        let timeout = Some(request.timeout.min(TIMEOUT_MAX));
        let stream = self.stream.get_mut();
        stream.set_read_timeout(timeout)?;
        stream.set_write_timeout(timeout)?;
        stream.write_all(bytes)
    }

    /// A line without its end.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.stream.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }
}

fn broken(error: &io::Error, doing: &'static str, unanswered: bool) -> Trouble {
    let late = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
    Trouble::Broken { doing, may_retry: unanswered && !late }
}

/// The words behind the sign of an error.
fn refused(line: &[u8]) -> Option<String> {
    line.strip_prefix(b"-").map(|line| String::from_utf8_lossy(line).into_owned())
}

/// Appends a request.
fn write(out: &mut Vec<u8>, words: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends what makes the key there what it is here; false when its time has come meanwhile.
fn write_offer(out: &mut Vec<u8>, key: &[u8], offer: &Offer, replace: bool, now_ms: i64) -> bool {
    let Some(value) = &offer.value else {
        write(out, &[b"DEL", key]);
        return true;
    };
    let ttl_ms = match value.deadline_ms {
        None => 0,
        Some(at_ms) if at_ms < now_ms => return false,
        // 0 stands for none.
        Some(at_ms) => (at_ms - now_ms).max(1),
    };
    let ttl_ms = ttl_ms.to_string();
    let words: [&[u8]; 5] = [b"RESTORE", key, ttl_ms.as_bytes(), &value.payload, b"REPLACE"];
    write(out, &words[..if replace { 5 } else { 4 }]);
    true
}
