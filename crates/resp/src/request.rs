//! What clients send: multibulk and inline commands, parsed as their bytes arrive.
//!
//! Arguments are [`Span`]s into the caller's buffer, relative to the first byte of their command,
//! so the caller may move a half-received command to the front of its buffer at any time. A
//! [`Parser`] remembers how far it has read; whatever the pieces in which a stream arrives, each
//! byte is looked at once and the outcome is the same.
//!
//! Leniency is Redis's: the line feed after a length's carriage return and the two bytes after a
//! bulk's payload are skipped without a look, and a NUL hides the rest of an unfinished line.

mod error;
mod inline;

#[cfg(test)]
mod tests;

pub use error::ProtocolError;

/// An unauthenticated client may send this many arguments in a command.
const UNAUTHENTICATED_ARGS_MAX: i64 = 10;
/// An unauthenticated client may send arguments of this many bytes.
const UNAUTHENTICATED_BULK_MAX: i64 = 16 * 1024;
/// How many bytes beyond those received a hint asks for at least; see [`Parsed::Incomplete`].
const HINT_STEP: usize = 1024 * 1024;
/// How many spans of a half-received command a parser keeps room for after the command.
const SPANS_KEPT: usize = 64;

/// Where an argument lies: `start` counts from the first byte of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the argument's first byte from the command's first byte.
    pub start: u32,
    /// The argument's length in bytes.
    pub len: u32,
}

impl Span {
    /// The argument's bytes in `command`, a slice that starts at the command's first byte; empty
    /// when the span does not lie in it.
    #[inline]
    pub fn of<'a>(&self, command: &'a [u8]) -> &'a [u8] {
        let start = self.start as usize;
        command.get(start..start.saturating_add(self.len as usize)).unwrap_or_default()
    }
}

/// What a client may send. Whatever the limits, a command ends before its byte 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in one argument (`proto-max-bulk-len`); `usize::MAX` for the link to a primary.
    pub bulk_len: usize,
    /// Arguments in one command.
    pub multibulk_len: usize,
    /// Bytes in an inline command or in the line of a length.
    pub inline_len: usize,
    /// Whether the client may run more than AUTH and HELLO; until then stricter limits apply.
    pub authenticated: bool,
}

impl Limits {
    /// This many arguments need no closer look.
    #[inline]
    fn quick_count(&self) -> usize {
        match self.authenticated {
            true => self.multibulk_len,
            false => self.multibulk_len.min(UNAUTHENTICATED_ARGS_MAX as usize),
        }
    }

    /// Arguments of this length need no closer look.
    #[inline]
    fn quick_max(&self) -> usize {
        match self.authenticated {
            true => self.bulk_len,
            false => self.bulk_len.min(UNAUTHENTICATED_BULK_MAX as usize),
        }
    }
}

impl Default for Limits {
    /// Redis's limits for an authenticated client.
    fn default() -> Self {
        Self {
            bulk_len: 512 * 1024 * 1024,
            multibulk_len: i32::MAX as usize,
            inline_len: 64 * 1024,
            authenticated: true,
        }
    }
}

/// What [`Parser::parse`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// One whole command, its arguments appended to `args`; none when it is empty and to be
    /// skipped (`*0`, `*-1`, a blank inline line).
    Command {
        /// The command's length in bytes: the next one starts there.
        consumed: usize,
        /// Whether it is known to be written in the one way in which RESP writes an array of bulk strings.
        canonical: bool,
    },
    /// One whole inline command with quoted arguments, which exist in no buffer as such.
    Inline {
        /// The command's length in bytes: the next one starts there.
        consumed: usize,
        /// Its arguments, at least one.
        args: Vec<Vec<u8>>,
    },
    /// The command's end has not arrived. Call again with the same first byte and more behind it.
    Incomplete {
        /// A hint: the buffer length, counted from the command's first byte, worth reading up to.
        /// Never more than double what has arrived plus 1 MiB, whatever the client announced.
        wanted: usize,
    },
}

/// How far a multibulk command has been read.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    /// Everything before this offset has been understood.
    at: usize,
    /// No line end lies between `at` and this offset.
    scanned: usize,
    /// Arguments still to come; 0 while the command's header is unread.
    left: usize,
    /// The length of the argument whose payload starts at `at`, once known.
    bulk: Option<usize>,
}

/// The state of a partially received command; at rest between commands.
#[derive(Debug, Default)]
pub struct Parser {
    cursor: Cursor,
    /// The arguments of the partially received command that have arrived.
    spans: Vec<Span>,
}

impl Parser {
    /// A parser at rest.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a command's beginning has been read and remembered.
    pub fn is_partial(&self) -> bool {
        self.cursor.at != 0 || self.cursor.scanned != 0
    }

    /// How many bytes of a partially received command have been understood.
    pub fn understood(&self) -> usize {
        self.cursor.at
    }

    /// Forgets a partially received command.
    pub fn reset(&mut self) {
        self.cursor = Cursor::default();
        self.spans.clear();
        self.spans.shrink_to(SPANS_KEPT);
    }

    /// Reads the command whose first byte is `buf`'s first.
    ///
    /// After [`Parsed::Incomplete`] the next call must pass the same bytes, with more behind them.
    /// `args` is appended to and keeps what it holds; it receives whole commands only. After an
    /// error the stream cannot be read any further.
    #[inline]
    pub fn parse(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        args: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        match self.parse_plain(buf, limits, args) {
            Some(consumed) => Ok(Parsed::Command { consumed, canonical: true }),
            None => self.parse_closely(buf, limits, args),
        }
    }

    /// The length of the command at the start of `buf`, its arguments appended to `args`, if it is all there and
    /// written as nearly all are: canonically, and with at most 99 arguments. Otherwise nothing has happened, and
    /// [`Parser::parse_closely`] sees to it.
    #[inline(never)]
    fn parse_plain(&self, buf: &[u8], limits: &Limits, args: &mut Vec<Span>) -> Option<usize> {
        let (count, mut at) = match buf.first_chunk::<5>()? {
            [b'*', ones @ b'1'..=b'9', b'\r', b'\n', _] => (digit(*ones), 4),
            [b'*', tens @ b'1'..=b'9', ones @ b'0'..=b'9', b'\r', b'\n'] => {
                (digit(*tens) * 10 + digit(*ones), 5)
            }
            _ => return None,
        };
        if count > limits.quick_count() || self.is_partial() {
            return None;
        }
        let (held, quick_max) = (args.len(), limits.quick_max());
        for _ in 0..count {
            let Some((span, end)) = whole_bulk(buf, at, quick_max) else {
                args.truncate(held);
                return None;
            };
            args.push(span);
            at = end;
        }
        Some(at)
    }

    /// Reads a command in whatever form, or what has arrived of it.
    #[inline(never)]
    fn parse_closely(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        args: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        match buf.first() {
            Some(b'*') if !self.is_partial() => self.begin(buf, limits, args),
            Some(b'*') => self.resume(buf, limits, args),
            Some(_) => inline::parse(&mut self.cursor.scanned, buf, limits, args),
            None => Ok(Parsed::Incomplete { wanted: 1 }),
        }
    }

    /// Reads a command from its start, in the hope that it is all there.
    #[inline]
    fn begin(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        args: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        let held = args.len();
        let mut cursor = Cursor::default();
        match read_multibulk(buf, limits, &mut cursor, args) {
            Ok(None) => Ok(Parsed::Command { consumed: cursor.at, canonical: false }),
            Ok(Some(wanted)) => {
                self.cursor = cursor;
                self.spans.extend(args.drain(held..));
                Ok(Parsed::Incomplete { wanted })
            }
            Err(error) => {
                args.truncate(held);
                Err(error)
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn resume(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        args: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        match read_multibulk(buf, limits, &mut self.cursor, &mut self.spans)? {
            None => {
                let consumed = self.cursor.at;
                args.append(&mut self.spans);
                self.reset();
                Ok(Parsed::Command { consumed, canonical: false })
            }
            Some(wanted) => Ok(Parsed::Incomplete { wanted }),
        }
    }
}

/// Reads on from `cursor`: `None` when the command is complete, otherwise the buffer length wanted.
#[inline]
fn read_multibulk(
    buf: &[u8],
    limits: &Limits,
    cursor: &mut Cursor,
    spans: &mut Vec<Span>,
) -> Result<Option<usize>, ProtocolError> {
    if cursor.left == 0 {
        match read_header(buf, limits, cursor)? {
            Header::Empty => return Ok(None),
            Header::Incomplete => return Ok(Some(buf.len().saturating_add(1))),
            Header::Arguments => {}
        }
    }
    loop {
        read_whole_bulks(buf, limits.quick_max(), cursor, spans);
        if cursor.left == 0 {
            return Ok(None);
        }
        if let Some(wanted) = read_bulk(buf, limits, cursor, spans)? {
            return Ok(Some(wanted));
        }
        if cursor.left == 0 {
            return Ok(None);
        }
    }
}

enum Header {
    Arguments,
    Empty,
    Incomplete,
}

/// Reads the `*N` line into `cursor.left`.
fn read_header(buf: &[u8], limits: &Limits, cursor: &mut Cursor) -> Result<Header, ProtocolError> {
    let Some(end) = find_line_end(buf, limits, cursor, ProtocolError::TooBigMultibulkCount)? else {
        return Ok(Header::Incomplete);
    };
    let count = codec::number::parse_i64(buf.get(1..end).unwrap_or_default())
        .filter(|&count| count <= 0 || count as u64 <= limits.multibulk_len as u64)
        .ok_or(ProtocolError::InvalidMultibulkLength)?;
    if count > UNAUTHENTICATED_ARGS_MAX && !limits.authenticated {
        return Err(ProtocolError::UnauthenticatedMultibulkLength);
    }
    let at = end.saturating_add(2);
    let left = usize::try_from(count).unwrap_or(0);
    *cursor = Cursor { at, scanned: at, left, bulk: None };
    Ok(if left == 0 { Header::Empty } else { Header::Arguments })
}

/// Reads arguments as long as they are whole, canonical and within `quick_max` bytes.
#[inline]
fn read_whole_bulks(buf: &[u8], quick_max: usize, cursor: &mut Cursor, spans: &mut Vec<Span>) {
    if cursor.bulk.is_some() {
        return;
    }
    let (mut at, mut left) = (cursor.at, cursor.left);
    while left > 0
        && let Some((span, end)) = whole_bulk(buf, at, quick_max)
    {
        spans.push(span);
        at = end;
        left -= 1;
    }
    *cursor = Cursor { at, scanned: at.max(cursor.scanned), left, bulk: None };
}

/// The argument that begins at `at`, and where it ends, if it is whole, canonical and within `quick_max` bytes.
#[inline(always)]
fn whole_bulk(buf: &[u8], at: usize, quick_max: usize) -> Option<(Span, usize)> {
    // The shortest one has six bytes.
    let [b'$', line @ ..] = buf.get(at..)?.first_chunk::<6>()? else { return None };
    let (len, line_len) = match line {
        [ones @ b'0'..=b'9', b'\r', b'\n', ..] => (digit(*ones), 4),
        [tens @ b'1'..=b'9', ones @ b'0'..=b'9', b'\r', b'\n', ..] => {
            (digit(*tens) * 10 + digit(*ones), 5)
        }
        _ => long_length(buf, at)?,
    };
    let start = at + line_len;
    let end = start + len + 2;
    if len > quick_max || end > u32::MAX as usize || buf.get(end - 2..end) != Some(b"\r\n") {
        return None;
    }
    Some((Span { start: start as u32, len: len as u32 }, end))
}

/// What an ASCII digit stands for.
fn digit(byte: u8) -> usize {
    usize::from(byte.wrapping_sub(b'0'))
}

/// The number behind the sign at `at` and how far behind it its line ends, if it is a canonical number of at most
/// nine digits and all there.
fn long_length(buf: &[u8], at: usize) -> Option<(usize, usize)> {
    let line = buf.get(at + 1..)?;
    if !matches!(line.first(), Some(b'1'..=b'9')) {
        return None;
    }
    let mut value = 0;
    for (index, &byte) in line.iter().enumerate().take(10) {
        if !byte.is_ascii_digit() {
            let whole = byte == b'\r' && line.get(index + 1) == Some(&b'\n');
            return whole.then_some((value, index + 3));
        }
        value = value * 10 + digit(byte);
    }
    None
}

/// Reads one argument, whatever its form: `None` when it is complete, otherwise the buffer length
/// wanted.
#[cold]
#[inline(never)]
fn read_bulk(
    buf: &[u8],
    limits: &Limits,
    cursor: &mut Cursor,
    spans: &mut Vec<Span>,
) -> Result<Option<usize>, ProtocolError> {
    let len = match cursor.bulk {
        Some(len) => len,
        None => match read_bulk_length(buf, limits, cursor)? {
            Some(len) => len,
            None => return Ok(Some(buf.len().saturating_add(1))),
        },
    };
    // A length is only accepted when this sum fits in 32 bits.
    let end = cursor.at + len + 2;
    if end > buf.len() {
        return Ok(Some(end.min(buf.len().saturating_add(buf.len().max(HINT_STEP)))));
    }
    spans.push(Span { start: cursor.at as u32, len: len as u32 });
    *cursor = Cursor { at: end, scanned: end, left: cursor.left - 1, bulk: None };
    Ok(None)
}

/// Reads the `$N` line into `cursor.bulk`, if the whole line is there.
fn read_bulk_length(
    buf: &[u8],
    limits: &Limits,
    cursor: &mut Cursor,
) -> Result<Option<usize>, ProtocolError> {
    let Some(end) = find_line_end(buf, limits, cursor, ProtocolError::TooBigBulkCount)? else {
        return Ok(None);
    };
    let line = buf.get(cursor.at..).unwrap_or_default();
    let Some(b'$') = line.first() else {
        return Err(ProtocolError::ExpectedBulk(line.first().copied().unwrap_or(0)));
    };
    let digits = line.get(1..end - cursor.at).unwrap_or_default();
    let announced = codec::number::parse_i64(digits)
        .filter(|&len| len >= 0 && len as u64 <= limits.bulk_len as u64)
        .ok_or(ProtocolError::InvalidBulkLength)?;
    if announced > UNAUTHENTICATED_BULK_MAX && !limits.authenticated {
        return Err(ProtocolError::UnauthenticatedBulkLength);
    }
    let at = end.saturating_add(2);
    let len = usize::try_from(announced)
        .ok()
        .filter(|&len| at.saturating_add(len).saturating_add(2) <= u32::MAX as usize)
        .ok_or(ProtocolError::InvalidBulkLength)?;
    *cursor = Cursor { at, scanned: at, left: cursor.left, bulk: Some(len) };
    Ok(Some(len))
}

/// The offset of the carriage return that ends the line at `cursor.at`, once the byte behind it has
/// arrived too; `too_big` when the line grows past the limit.
fn find_line_end(
    buf: &[u8],
    limits: &Limits,
    cursor: &mut Cursor,
    too_big: ProtocolError,
) -> Result<Option<usize>, ProtocolError> {
    let from = cursor.scanned.max(cursor.at);
    let unseen = buf.get(from..).unwrap_or_default();
    let found = memchr::memchr2(b'\r', 0, unseen).map(|offset| from + offset);
    cursor.scanned = found.unwrap_or(buf.len());
    match found.filter(|&end| buf.get(end) == Some(&b'\r')) {
        Some(end) if end - cursor.at > limits.inline_len => Err(too_big),
        Some(end) => Ok((end + 1 < buf.len()).then_some(end)),
        None if buf.len().saturating_sub(cursor.at) > limits.inline_len => Err(too_big),
        None => Ok(None),
    }
}
