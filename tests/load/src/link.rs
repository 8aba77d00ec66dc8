//! One blocking connection that sends batches and reads their replies.

use crate::request;
use anyhow::{Context as _, Result, bail};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server that says nothing for so long has hung.
const SILENCE_MAX: Duration = Duration::from_secs(60);

pub(crate) struct Link {
    stream: TcpStream,
    /// Bytes received; those before `at` are taken.
    buffer: Vec<u8>,
    at: usize,
    chunk: Vec<u8>,
}

impl Link {
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("connect {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        Ok(Self { stream, buffer: Vec::new(), at: 0, chunk: vec![0; 1 << 16] })
    }

    /// The connection itself, which does not block; nothing is left in the buffer.
    pub(crate) fn into_stream(self) -> Result<TcpStream> {
        self.stream.set_nonblocking(true)?;
        Ok(self.stream)
    }

    /// The same connection once more, which does not block; this one is only sent on from now on.
    pub(crate) fn second(&self) -> Result<TcpStream> {
        let stream = self.stream.try_clone()?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).context("send")
    }

    /// The next whole reply, as bytes. An error reply is a failure that carries its text.
    pub(crate) fn receive(&mut self) -> Result<&[u8]> {
        let len = loop {
            if let Some(len) = request::reply_len(&self.buffer[self.at..])? {
                break len;
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            match self.stream.read(&mut self.chunk).context("receive")? {
                0 => bail!("the server closed the connection"),
                got => self.buffer.extend_from_slice(&self.chunk[..got]),
            }
        };
        let reply = &self.buffer[self.at..self.at + len];
        self.at += len;
        if reply.first() == Some(&b'-') {
            bail!("{}", String::from_utf8_lossy(reply).trim_end());
        }
        Ok(reply)
    }

    pub(crate) fn call(&mut self, words: &[&[u8]]) -> Result<&[u8]> {
        let mut out = Vec::new();
        request::push(&mut out, words);
        self.send(&out)?;
        self.receive()
    }

    pub(crate) fn integer(&mut self, words: &[&[u8]]) -> Result<u64> {
        let reply = self.call(words)?;
        let text = std::str::from_utf8(reply)?.trim_end();
        let digits = text.strip_prefix(':').with_context(|| format!("not an integer: {text}"))?;
        Ok(digits.parse()?)
    }
}
