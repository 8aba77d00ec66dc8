//! One publisher that always has so many messages unanswered, and many subscribers that read.

use crate::cpu;
use crate::link::Link;
use crate::options::Options;
use crate::request;
use anyhow::{Context as _, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde_json::json;
use std::io::{ErrorKind, Read as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const CHANNEL: &[u8] = b"news";
const MESSAGE_BYTES: usize = 32;
const EVENTS_MAX: usize = 1024;
/// A server that sends nothing for so long has hung.
const SILENCE_MAX: Duration = Duration::from_secs(20);

pub(crate) fn run(options: &Options) -> Result<serde_json::Value> {
    let subscribers: usize = options.number("subscribers")?;
    let outstanding: usize = options.number("outstanding")?;
    let pid = options.number("pid")?;
    let warm_up = Duration::from_secs_f64(options.number_or("warm-up", 0.3)?);
    let length = Duration::from_secs_f64(options.number("seconds")?);
    let mut room = Room::open(options.address()?, subscribers)?;
    room.publish(outstanding)?;
    room.run_for(warm_up)?;
    let (received, cpu_start, start) = (room.received, cpu::seconds_of(pid)?, Instant::now());
    room.run_for(length)?;
    let cpu_seconds = cpu::seconds_of(pid)? - cpu_start;
    let seconds = start.elapsed().as_secs_f64();
    let deliveries = (room.received - received) as f64 / room.message_bytes as f64;
    if deliveries == 0.0 {
        bail!("no message came");
    }
    Ok(json!({
        "deliveries": deliveries,
        "deliveries_per_second": deliveries / seconds,
        "server_cpu_us_per_delivery": cpu_seconds * 1e6 / deliveries,
        "server_cpu_share": cpu_seconds / seconds,
    }))
}

struct Room {
    poll: Poll,
    events: Events,
    readers: Vec<TcpStream>,
    publisher: Link,
    request: Vec<u8>,
    /// Bytes of a message as a subscriber gets it.
    message_bytes: usize,
    /// Bytes of messages that have come.
    received: u64,
    chunk: Vec<u8>,
}

impl Room {
    fn open(address: SocketAddr, subscribers: usize) -> Result<Self> {
        let poll = Poll::new()?;
        let text = vec![b'x'; MESSAGE_BYTES];
        let mut readers = Vec::with_capacity(subscribers);
        for number in 0..subscribers {
            let mut link = Link::open(address)?;
            link.call(&[b"SUBSCRIBE", CHANNEL])?;
            let mut stream = TcpStream::from_std(link.into_stream()?);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            readers.push(stream);
        }
        let publisher = Link::open(address)?;
        let mut stream = TcpStream::from_std(publisher.second()?);
        poll.registry().register(&mut stream, Token(subscribers), Interest::READABLE)?;
        readers.push(stream);
        let (mut request, mut message) = (Vec::new(), Vec::new());
        request::push(&mut request, &[b"PUBLISH", CHANNEL, &text]);
        request::push(&mut message, &[b"message", CHANNEL, &text]);
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            readers,
            publisher,
            request,
            message_bytes: message.len(),
            received: 0,
            chunk: vec![0; 1 << 16],
        })
    }

    fn publish(&mut self, count: usize) -> Result<()> {
        self.publisher.send(&self.request.repeat(count))
    }

    fn run_for(&mut self, length: Duration) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < length {
            self.poll.poll(&mut self.events, Some(SILENCE_MAX)).context("poll")?;
            if self.events.is_empty() {
                bail!("nothing came for {} s", SILENCE_MAX.as_secs());
            }
            let mut answered = 0;
            for event in &self.events {
                let number = event.token().0;
                let is_publisher = number + 1 == self.readers.len();
                let Some(reader) = self.readers.get_mut(number) else { continue };
                loop {
                    match reader.read(&mut self.chunk) {
                        Ok(0) => bail!("the server closed a connection"),
                        Ok(len) if is_publisher => answered += replies(&self.chunk[..len])?,
                        Ok(len) => self.received += len as u64,
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) => return Err(error).context("receive"),
                    }
                }
            }
            self.publish(answered)?;
        }
        Ok(())
    }
}

/// Replies that end in these bytes.
fn replies(bytes: &[u8]) -> Result<usize> {
    if bytes.contains(&b'-') {
        bail!("{}", String::from_utf8_lossy(bytes));
    }
    Ok(bytes.iter().filter(|byte| **byte == b'\n').count())
}
