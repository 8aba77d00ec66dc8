//! Finding a reply's end, without building anything.

use super::{ReplyError, ReplyLimits};

/// A line of a number, a truth value or a null is shorter than this.
const SHORT_LINE: usize = 64;

/// How far a reply has been read.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Everything before this offset has been understood.
    at: usize,
    /// No line end lies between `at` and this offset.
    scanned: usize,
    /// The aggregates that `at` lies in, outermost first.
    open: Vec<Open>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// This many values are still to come. The value that an attribute is about counts as its last,
    /// so a chain of attributes is as deep as it is long.
    Counted(u64),
    /// Values up to a `.`.
    Streamed,
    /// Keys and values up to a `.`; whether a key awaits its value.
    StreamedMap { key: bool },
    /// Chunks of a string up to an empty one; its length so far.
    Chunks(usize),
}

/// What one header made of the reply.
enum Item {
    /// A value ended at `at`.
    Whole,
    /// An aggregate was opened.
    Opened,
}

impl Scan {
    /// Reads on: the reply's length once its end is there.
    pub(super) fn run(
        &mut self,
        buf: &[u8],
        limits: &ReplyLimits,
    ) -> Result<Option<usize>, ReplyError> {
        loop {
            let Some(item) = self.item(buf, limits)? else { return Ok(None) };
            if matches!(item, Item::Whole) && self.close() {
                return Ok(Some(self.at));
            }
        }
    }

    /// Counts a whole value in what it belongs to; true when that was the reply itself.
    fn close(&mut self) -> bool {
        while let Some(open) = self.open.last_mut() {
            match open {
                Open::Counted(left) => {
                    *left = left.saturating_sub(1);
                    if *left > 0 {
                        return false;
                    }
                    self.open.pop();
                }
                Open::StreamedMap { key } => {
                    *key = !*key;
                    return false;
                }
                Open::Streamed | Open::Chunks(_) => return false,
            }
        }
        true
    }

    /// Reads one value or one aggregate's header; `None` when it is not all there.
    fn item(&mut self, buf: &[u8], limits: &ReplyLimits) -> Result<Option<Item>, ReplyError> {
        let Some(&marker) = buf.get(self.at) else { return Ok(None) };
        if let Some(Open::Chunks(len)) = self.open.last().copied() {
            return self.chunk(buf, limits, marker, len);
        }
        let line_max = match marker {
            b'+' | b'-' | b'(' => limits.bulk_len,
            b':' | b'$' | b'!' | b'=' | b'*' | b'~' | b'%' | b'>' | b'|' | b'_' | b'#' | b'.' => {
                SHORT_LINE
            }
            // A double may carry more digits than it needs.
            b',' => SHORT_LINE * 16,
            other => return Err(ReplyError::UnknownType(other)),
        };
        let Some((line, next)) = self.line(buf, line_max)? else { return Ok(None) };
        match marker {
            b'$' if line == b"?" => {
                self.enter(Open::Chunks(0), next, limits)?;
                return Ok(Some(Item::Opened));
            }
            b'$' if line == b"-1" => {}
            b'$' | b'!' | b'=' => {
                let len = length(line, limits.bulk_len, ReplyError::TooLong)?;
                let Some(end) = payload_end(buf, next, len)? else { return Ok(None) };
                if marker == b'=' && buf.get(next..next + len).and_then(|s| s.get(3)) != Some(&b':')
                {
                    return Err(ReplyError::InvalidContent);
                }
                self.advance(end);
                return Ok(Some(Item::Whole));
            }
            b'*' if line == b"-1" => {}
            b'*' | b'~' | b'>' | b'%' | b'|' => return self.aggregate(marker, line, next, limits),
            b'.' => {
                if !line.is_empty() {
                    return Err(ReplyError::InvalidContent);
                }
                match self.open.pop() {
                    Some(Open::Streamed | Open::StreamedMap { key: false }) => {}
                    Some(Open::StreamedMap { key: true }) => return Err(ReplyError::OddMap),
                    _ => return Err(ReplyError::UnknownType(b'.')),
                }
            }
            _ => check_line(marker, line)?,
        }
        self.advance(next);
        Ok(Some(Item::Whole))
    }

    /// Opens the aggregate whose header is `marker` and `line`.
    fn aggregate(
        &mut self,
        marker: u8,
        line: &[u8],
        next: usize,
        limits: &ReplyLimits,
    ) -> Result<Option<Item>, ReplyError> {
        let open = match (marker, line) {
            (b'%', b"?") => Open::StreamedMap { key: false },
            (b'*' | b'~', b"?") => Open::Streamed,
            _ => {
                let len = length(line, limits.elements, ReplyError::TooManyElements)? as u64;
                let count = if matches!(marker, b'%' | b'|') { len.saturating_mul(2) } else { len };
                if count > limits.elements as u64 {
                    return Err(ReplyError::TooManyElements);
                }
                let count = if marker == b'|' { count.saturating_add(1) } else { count };
                if count == 0 {
                    self.advance(next);
                    return Ok(Some(Item::Whole));
                }
                Open::Counted(count)
            }
        };
        self.enter(open, next, limits)?;
        Ok(Some(Item::Opened))
    }

    /// Reads one chunk of a streamed string that is `so_far` bytes long.
    fn chunk(
        &mut self,
        buf: &[u8],
        limits: &ReplyLimits,
        marker: u8,
        so_far: usize,
    ) -> Result<Option<Item>, ReplyError> {
        if marker != b';' {
            return Err(ReplyError::UnknownType(marker));
        }
        let Some((line, next)) = self.line(buf, SHORT_LINE)? else { return Ok(None) };
        let len = length(line, limits.bulk_len.saturating_sub(so_far), ReplyError::TooLong)?;
        if len == 0 {
            self.open.pop();
            self.advance(next);
            return Ok(Some(Item::Whole));
        }
        let Some(end) = payload_end(buf, next, len)? else { return Ok(None) };
        if let Some(open) = self.open.last_mut() {
            *open = Open::Chunks(so_far.saturating_add(len));
        }
        self.advance(end);
        Ok(Some(Item::Opened))
    }

    fn enter(&mut self, open: Open, next: usize, limits: &ReplyLimits) -> Result<(), ReplyError> {
        if self.open.len() >= limits.depth {
            return Err(ReplyError::TooDeep);
        }
        self.open.push(open);
        self.advance(next);
        Ok(())
    }

    fn advance(&mut self, to: usize) {
        self.at = to;
        self.scanned = to;
    }

    /// The line at `at` without its marker, and the offset behind its end; `None` when its end is
    /// not there.
    fn line<'a>(
        &mut self,
        buf: &'a [u8],
        line_max: usize,
    ) -> Result<Option<(&'a [u8], usize)>, ReplyError> {
        let from = self.scanned.max(self.at);
        let found = memchr::memchr(b'\r', buf.get(from..).unwrap_or_default());
        let end = found.map_or(buf.len(), |offset| from + offset);
        self.scanned = end;
        if end.saturating_sub(self.at).saturating_sub(1) > line_max {
            return Err(ReplyError::TooLong);
        }
        match (found, buf.get(end.saturating_add(1))) {
            (Some(_), Some(b'\n')) => {
                Ok(Some((buf.get(self.at + 1..end).unwrap_or_default(), end + 2)))
            }
            (Some(_), Some(_)) => Err(ReplyError::MissingLineEnd),
            _ => Ok(None),
        }
    }
}

/// A length in decimal, at most `max`.
fn length(line: &[u8], max: usize, above: ReplyError) -> Result<usize, ReplyError> {
    let len = codec::number::parse_u64(line).ok_or(ReplyError::InvalidNumber)?;
    usize::try_from(len).ok().filter(|&len| len <= max).ok_or(above)
}

/// The offset behind a payload of `len` bytes at `start` and its line end, once that is there.
fn payload_end(buf: &[u8], start: usize, len: usize) -> Result<Option<usize>, ReplyError> {
    let Some(tail) = start.checked_add(len).and_then(|end| buf.get(end..)) else { return Ok(None) };
    match tail {
        [b'\r', b'\n', ..] => Ok(Some(start + len + 2)),
        [] | [b'\r'] => Ok(None),
        _ => Err(ReplyError::MissingLineEnd),
    }
}

/// Whether a value that is only a line is well formed.
fn check_line(marker: u8, line: &[u8]) -> Result<(), ReplyError> {
    let signed = |line: &[u8]| {
        let digits = line.strip_prefix(b"-").or_else(|| line.strip_prefix(b"+")).unwrap_or(line);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    let ok = match marker {
        b':' => return integer(line).map(|_| ()).ok_or(ReplyError::InvalidNumber),
        b'(' => return signed(line).then_some(()).ok_or(ReplyError::InvalidNumber),
        b',' => std::str::from_utf8(line).is_ok_and(|text| text.parse::<f64>().is_ok()),
        b'#' => matches!(line, b"t" | b"f"),
        b'_' => line.is_empty(),
        // A line feed alone would end the line for other readers.
        _ => memchr::memchr(b'\n', line).is_none(),
    };
    ok.then_some(()).ok_or(ReplyError::InvalidContent)
}

/// The integer of a `:` line; RESP allows a plus sign and leading zeros.
pub(super) fn integer(line: &[u8]) -> Option<i64> {
    std::str::from_utf8(line).ok()?.parse().ok()
}
