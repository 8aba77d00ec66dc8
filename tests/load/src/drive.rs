//! GET or SET of uniformly random keys, alone, in a transaction or from a script, or any command with random numbers in
//! it, by many clients on one thread.
//! Each client sends a batch of `--pipeline` requests, waits for all its replies and sends the next.

use crate::cpu;
use crate::histogram::Histogram;
use crate::options::Options;
use crate::request::{self, Random};
use anyhow::{Context as _, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde_json::json;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// SETs of a transaction.
const SETS: usize = 10;

const EVENTS_MAX: usize = 1024;
/// A server that answers nobody for so long has hung.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// What every client sends.
struct Batch {
    /// One request with the digits of random numbers at `digits`, each below a bound.
    request: Vec<u8>,
    digits: Vec<(usize, u64)>,
    /// Replies to one request.
    replies: usize,
    pipeline: usize,
}

/// What stands for a number below `--keys` and below `--members` in a command, twelve digits each.
const NUMBERS: [(&[u8], &str); 2] = [(b"############", "keys"), (b"@@@@@@@@@@@@", "members")];

impl Batch {
    fn of(options: &Options) -> Result<Self> {
        let key = request::key(0);
        let mut request = Vec::new();
        let mut replies = 1;
        match options.text("op")? {
            "eval" => {
                let script = b"return redis.call('GET', KEYS[1])";
                request::push(&mut request, &[b"EVAL", script, b"1", &key]);
            }
            "multi" => {
                let value = vec![b'v'; options.number("value-bytes")?];
                request::push(&mut request, &[b"MULTI"]);
                for _ in 0..SETS {
                    request::push(&mut request, &[b"SET", &key, &value]);
                }
                request::push(&mut request, &[b"EXEC"]);
                replies = SETS + 2;
            }
            "get" => request::push(&mut request, &[b"GET", &key]),
            "set" => {
                let value = vec![b'v'; options.number("value-bytes")?];
                request::push(&mut request, &[b"SET", &key, &value]);
            }
            call if call.contains(',') => {
                let call = call.replace('#', &"#".repeat(12)).replace('@', &"@".repeat(12));
                request::push(
                    &mut request,
                    &call.split(',').map(str::as_bytes).collect::<Vec<_>>(),
                );
            }
            other => bail!("--op {other}: get, set, eval, multi, or a command as WORD,WORD..."),
        }
        let mut digits = Vec::new();
        for (text, ahead, bound) in
            [(&key[..], 4, "keys")].into_iter().chain(NUMBERS.map(|(text, bound)| (text, 0, bound)))
        {
            let windows = request.windows(text.len()).enumerate();
            for (at, _) in windows.filter(|(_, window)| *window == text) {
                digits.push((at + ahead, options.number(bound)?));
            }
        }
        Ok(Self { digits, request, replies, pipeline: options.number("pipeline")? })
    }

    /// The batch's bytes with new keys; the buffer keeps its length from one batch to the next.
    fn write(&self, out: &mut [u8], random: &mut Random) {
        for request in out.chunks_exact_mut(self.request.len()) {
            for (at, bound) in &self.digits {
                request::write_digits(&mut request[*at..at + 12], random.below(*bound));
            }
        }
    }
}

struct Client {
    stream: TcpStream,
    out: Vec<u8>,
    /// Bytes of `out` that the socket has taken.
    sent: usize,
    /// Bytes of an incomplete reply.
    rest: Vec<u8>,
    /// Replies still to come.
    pending: usize,
    since: Instant,
}

/// What one turn of the loop has counted.
#[derive(Default)]
struct Counts {
    replies: u64,
    misses: u64,
}

impl Client {
    fn open(address: SocketAddr, batch: &Batch) -> Result<Self> {
        let stream = std::net::TcpStream::connect(address).context("connect")?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(stream),
            out: batch.request.repeat(batch.pipeline),
            sent: 0,
            rest: Vec::new(),
            pending: 0,
            since: Instant::now(),
        })
    }

    fn begin(&mut self, batch: &Batch, random: &mut Random) -> Result<()> {
        batch.write(&mut self.out, random);
        (self.sent, self.pending, self.since) = (0, batch.pipeline * batch.replies, Instant::now());
        self.send()
    }

    /// Sends what the socket takes; the rest goes when it is writable again.
    fn send(&mut self) -> Result<()> {
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(len) => self.sent += len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("send"),
            }
        }
        Ok(())
    }

    /// Reads what is there; true when the batch's last reply has come.
    fn receive(&mut self, chunk: &mut [u8], counts: &mut Counts) -> Result<bool> {
        while self.pending > 0 {
            let len = match self.stream.read(chunk) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("receive"),
            };
            if self.rest.is_empty() {
                let taken = self.take(&chunk[..len], counts)?;
                self.rest.extend_from_slice(&chunk[taken..len]);
            } else {
                let mut joined = std::mem::take(&mut self.rest);
                joined.extend_from_slice(&chunk[..len]);
                let taken = self.take(&joined, counts)?;
                joined.drain(..taken);
                self.rest = joined;
            }
        }
        Ok(true)
    }

    /// Counts the whole replies; returns their bytes.
    fn take(&mut self, bytes: &[u8], counts: &mut Counts) -> Result<usize> {
        let mut at = 0;
        while self.pending > 0
            && let Some(len) = request::reply_len(&bytes[at..])?
        {
            match &bytes[at..at + len] {
                [b'-', ..] => bail!("{}", String::from_utf8_lossy(&bytes[at..at + len])),
                b"$-1\r\n" => counts.misses += 1,
                _ => {}
            }
            at += len;
            self.pending -= 1;
            counts.replies += 1;
        }
        Ok(at)
    }
}

/// Everything that the measurement counts, from its start.
struct Measure {
    pid: u32,
    /// Replies to one operation.
    replies: usize,
    start: Instant,
    cpu_start: f64,
    counts: Counts,
    latencies: Histogram,
}

impl Measure {
    fn begin(pid: u32, replies: usize) -> Result<Self> {
        Ok(Self {
            pid,
            replies,
            cpu_start: cpu::seconds_of(pid)?,
            counts: Counts::default(),
            latencies: Histogram::new(),
            start: Instant::now(),
        })
    }

    fn operations(&self) -> u64 {
        self.counts.replies / self.replies as u64
    }

    fn report(&self) -> Result<serde_json::Value> {
        let seconds = self.start.elapsed().as_secs_f64();
        let cpu_seconds = cpu::seconds_of(self.pid)? - self.cpu_start;
        let count = self.operations();
        let operations = count.max(1) as f64;
        Ok(json!({
            "operations": count,
            "misses": self.counts.misses,
            "seconds": seconds,
            "operations_per_second": operations / seconds,
            "server_cpu_us_per_operation": cpu_seconds * 1e6 / operations,
            "server_cpu_share": cpu_seconds / seconds,
            // How long a whole batch took: at pipeline 1 that is one operation's latency.
            "batch": self.latencies.report(),
        }))
    }
}

pub(crate) fn run(options: &Options) -> Result<serde_json::Value> {
    let batch = Batch::of(options)?;
    let address = options.address()?;
    let warm_up = Duration::from_secs_f64(options.number_or("warm-up", 0.2)?);
    // A time with a warm-up, or so many operations without.
    let count: u64 = options.number_or("count", u64::MAX)?;
    let length = match count {
        u64::MAX => Duration::from_secs_f64(options.number("seconds")?),
        _ => Duration::MAX,
    };
    let pid = options.number("pid")?;
    let mut random = Random(options.number_or("seed", 1)?);
    let mut poll = Poll::new()?;
    let mut clients = Vec::new();
    for number in 0..options.number("clients")? {
        let mut client = Client::open(address, &batch)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut client.stream, Token(number), interest)?;
        clients.push(client);
    }
    for client in &mut clients {
        client.begin(&batch, &mut random)?;
    }
    let mut events = Events::with_capacity(EVENTS_MAX);
    let mut chunk = vec![0; 256 << 10];
    let begun = Instant::now();
    let mut warm = count < u64::MAX;
    let mut measure = Measure::begin(pid, batch.replies)?;
    loop {
        poll.poll(&mut events, Some(SILENCE_MAX)).context("poll")?;
        if events.is_empty() {
            bail!("no reply for {} s", SILENCE_MAX.as_secs());
        }
        for event in &events {
            let Some(client) = clients.get_mut(event.token().0) else { continue };
            if event.is_writable() {
                client.send()?;
            }
            if event.is_readable() && client.receive(&mut chunk, &mut measure.counts)? {
                measure.latencies.record(client.since.elapsed());
                client.begin(&batch, &mut random)?;
            }
        }
        if !warm && begun.elapsed() >= warm_up {
            warm = true;
            measure = Measure::begin(pid, batch.replies)?;
        } else if warm && (measure.start.elapsed() >= length || measure.operations() >= count) {
            return measure.report();
        }
    }
}
