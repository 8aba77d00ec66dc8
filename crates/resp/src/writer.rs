//! Replies in RESP2 or RESP3, appended to the connection's output buffer.

use codec::number;

#[cfg(test)]
mod tests;

/// The protocol version that a connection speaks (HELLO 2, HELLO 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2, until a client asks for more.
    #[default]
    Resp2,
    /// RESP3: maps, sets, doubles, booleans, pushes.
    Resp3,
}

/// Where an aggregate's header will stand whose length is known at its end; see
/// [`Writer::deferred`].
#[derive(Debug)]
#[must_use = "the reply stays malformed until the deferred header is finished"]
pub struct Deferred {
    at: usize,
}

/// The shortest header, `*0\r\n`, whose room a deferred one takes in advance.
const HEADER_MIN: usize = 4;

/// Appends replies to `out`. What RESP2 lacks is written as Redis writes it there.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    protocol: Protocol,
}

impl<'a> Writer<'a> {
    /// A writer that appends to `out`.
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, protocol: Protocol) -> Self {
        Self { out, protocol }
    }

    /// The protocol that replies are written in.
    #[inline]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Changes the protocol for what follows (HELLO answers in the new one).
    #[inline]
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Bytes in the output buffer, including those that were there before.
    #[inline]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether the output buffer holds nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Takes back everything written past `len`, a former [`len`](Self::len).
    pub fn truncate(&mut self, len: usize) {
        self.out.truncate(len);
    }

    /// Appends bytes that are already in the protocol.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// A status, `+text`. Line ends and NULs in it become spaces.
    pub fn simple(&mut self, text: &str) {
        self.simple_bytes(text.as_bytes());
    }

    /// [`simple`](Self::simple) for text that need not be UTF-8 (a script's status).
    pub fn simple_bytes(&mut self, text: &[u8]) {
        self.line(b'+', text);
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// An error, `-line`, where `line` starts with its code (`ERR `, `WRONGTYPE `). Line ends and
    /// NULs in it become spaces, so a client's own text cannot forge a reply; line ends at its end
    /// are dropped.
    pub fn error(&mut self, line: &str) {
        self.error_bytes(line.as_bytes());
    }

    /// [`error`](Self::error) for text that need not be UTF-8.
    pub fn error_bytes(&mut self, line: &[u8]) {
        let ends = line.iter().rev().take_while(|&&byte| matches!(byte, b'\r' | b'\n')).count();
        self.line(b'-', line.get(..line.len() - ends).unwrap_or_default());
    }

    /// `marker`, `text` on one line, and the line end.
    fn line(&mut self, marker: u8, text: &[u8]) {
        self.out.reserve(text.len() + 3);
        self.out.push(marker);
        self.out.extend(text.iter().map(|&byte| match byte {
            b'\r' | b'\n' | 0 => b' ',
            other => other,
        }));
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer, `:value`.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        if let 0..=9 = value {
            self.out.extend_from_slice(&[b':', b'0' + value as u8, b'\r', b'\n']);
        } else {
            self.header_text(b':', itoa::Buffer::new().format(value));
        }
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + 24);
        self.header(b'$', bytes.len());
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer's digits as a bulk string.
    #[inline]
    pub fn bulk_int(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// The absent value: `$-1` in RESP2, `_` in RESP3.
    #[inline]
    pub fn null(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"$-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// The absent array: `*-1` in RESP2, `_` in RESP3.
    #[inline]
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"*-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// The header of an array; `len` values follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len);
    }

    /// The header of a map; `pairs` times a key and a value follow. In RESP2 a flat array.
    #[inline]
    pub fn map(&mut self, pairs: usize) {
        let (marker, len) = self.map_shape(pairs);
        self.header(marker, len);
    }

    /// The header of a set; `len` values follow. In RESP2 an array.
    #[inline]
    pub fn set(&mut self, len: usize) {
        self.header(self.set_marker(), len);
    }

    /// The header of an out-of-band message; `len` values follow. In RESP2 an array.
    #[inline]
    pub fn push(&mut self, len: usize) {
        let marker = match self.protocol {
            Protocol::Resp2 => b'*',
            Protocol::Resp3 => b'>',
        };
        self.header(marker, len);
    }

    /// A double, as [`number::format_f64`] prints it. In RESP2 a bulk string.
    pub fn double(&mut self, value: f64) {
        // Most scores are small integers, which need no room of their own.
        let integer = value as i32;
        if f64::from(integer).to_bits() == value.to_bits() {
            return self.double_text(itoa::Buffer::new().format(integer).as_bytes());
        }
        let mut text = Vec::with_capacity(number::F64_TEXT_MAX);
        number::format_f64(value, &mut text);
        self.double_text(&text);
    }

    /// A double that is already text (a long double, a score kept as it was sent).
    pub fn double_text(&mut self, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => self.line(b',', text),
        }
    }

    /// A truth value; in RESP2 the integer 1 or 0.
    pub fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(match (self.protocol, value) {
            (Protocol::Resp2, true) => b":1\r\n",
            (Protocol::Resp2, false) => b":0\r\n",
            (Protocol::Resp3, true) => b"#t\r\n",
            (Protocol::Resp3, false) => b"#f\r\n",
        });
    }

    /// An integer of any size, in decimal. In RESP2 a bulk string.
    pub fn big_number(&mut self, digits: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits.as_bytes()),
            Protocol::Resp3 => self.line(b'(', digits.as_bytes()),
        }
    }

    /// Text in a format of three letters (`txt`, `mkd`): a shorter name is padded with spaces, a
    /// longer one cut. In RESP2 a bulk string of the text alone.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        if self.protocol == Protocol::Resp2 {
            return self.bulk(text);
        }
        self.header(b'=', text.len().saturating_add(4));
        let letters = format.bytes().chain(std::iter::repeat(b' ')).take(3);
        self.out.extend(letters);
        self.out.push(b':');
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\r\n");
    }

    /// Begins an aggregate whose length is not known yet: write its elements, then call
    /// [`finish_array`](Self::finish_array), [`finish_map`](Self::finish_map) or
    /// [`finish_set`](Self::finish_set). Nested ones are finished innermost first.
    ///
    /// Ten elements or more move what was written since by a few bytes.
    pub fn deferred(&mut self) -> Deferred {
        let at = self.out.len();
        self.out.extend_from_slice(&[0; HEADER_MIN]);
        Deferred { at }
    }

    /// Makes the aggregate begun by `deferred` an array of `len` values.
    pub fn finish_array(&mut self, deferred: Deferred, len: usize) {
        self.finish(deferred, b'*', len);
    }

    /// Makes the aggregate begun by `deferred` a map of `pairs` keys and values.
    pub fn finish_map(&mut self, deferred: Deferred, pairs: usize) {
        let (marker, len) = self.map_shape(pairs);
        self.finish(deferred, marker, len);
    }

    /// Makes the aggregate begun by `deferred` a set of `len` values.
    pub fn finish_set(&mut self, deferred: Deferred, len: usize) {
        let marker = self.set_marker();
        self.finish(deferred, marker, len);
    }

    fn map_shape(&self, pairs: usize) -> (u8, usize) {
        match self.protocol {
            Protocol::Resp2 => (b'*', pairs.saturating_mul(2)),
            Protocol::Resp3 => (b'%', pairs),
        }
    }

    fn set_marker(&self) -> u8 {
        match self.protocol {
            Protocol::Resp2 => b'*',
            Protocol::Resp3 => b'~',
        }
    }

    fn finish(&mut self, deferred: Deferred, marker: u8, len: usize) {
        let room = deferred.at..deferred.at + HEADER_MIN;
        // Taken back by `truncate`: there is nothing left to head.
        if room.end > self.out.len() {
            return;
        }
        let mut header = Vec::with_capacity(24);
        Writer::new(&mut header, self.protocol).header(marker, len);
        self.out.splice(room, header);
    }

    /// `marker`, `len` in decimal, line end.
    #[inline]
    fn header(&mut self, marker: u8, len: usize) {
        if len < 10 {
            self.out.extend_from_slice(&[marker, b'0' + len as u8, b'\r', b'\n']);
        } else if len < 100 {
            let (tens, ones) = (b'0' + (len / 10) as u8, b'0' + (len % 10) as u8);
            self.out.extend_from_slice(&[marker, tens, ones, b'\r', b'\n']);
        } else {
            self.header_text(marker, itoa::Buffer::new().format(len));
        }
    }

    fn header_text(&mut self, marker: u8, text: &str) {
        self.out.reserve(text.len() + 3);
        self.out.push(marker);
        self.out.extend_from_slice(text.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }
}
