//! Building a value from the bytes of one whole reply that the scan has found well formed.
//!
//! The scan has bounded the depth, so the recursion is bounded too; and it has seen every element,
//! so what is built is no more than a small multiple of the bytes received.

use super::{ReplyError, Value, scan};

/// The value that `reply`, one whole reply, spells. An error means that the scan let something
/// through; it never does.
pub(super) fn build(reply: &[u8]) -> Result<Value, ReplyError> {
    Reader { rest: reply }.value()
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Value, ReplyError> {
        let (marker, line) = self.line()?;
        Ok(match (marker, line) {
            (b'+', _) => Value::Simple(line.to_vec()),
            (b'-', _) => Value::Error(line.to_vec()),
            (b':', _) => Value::Integer(scan::integer(line).ok_or(ReplyError::InvalidNumber)?),
            (b'$', b"-1") => Value::NullBulk,
            (b'$', b"?") => Value::Bulk(self.chunks()?),
            (b'$', _) => Value::Bulk(self.payload(line)?.to_vec()),
            (b'!', _) => Value::Error(self.payload(line)?.to_vec()),
            (b'=', _) => self.verbatim(line)?,
            (b'_', _) => Value::Null,
            (b'#', _) => Value::Boolean(line == b"t"),
            (b',', _) => Value::Double(String::from_utf8_lossy(line).into_owned()),
            (b'(', _) => Value::BigNumber(String::from_utf8_lossy(line).into_owned()),
            (b'*', b"-1") => Value::NullArray,
            (b'*', _) => Value::Array(self.values(line)?),
            (b'~', _) => Value::Set(self.values(line)?),
            (b'>', _) => Value::Push(self.values(line)?),
            (b'%', _) => Value::Map(self.pairs(line)?),
            (b'|', _) => {
                let attributes = self.pairs(line)?;
                Value::Attributed { attributes, value: Box::new(self.value()?) }
            }
            (other, _) => return Err(ReplyError::UnknownType(other)),
        })
    }

    fn values(&mut self, line: &[u8]) -> Result<Vec<Value>, ReplyError> {
        if line == b"?" {
            let mut values = Vec::new();
            while !self.at_stream_end() {
                values.push(self.value()?);
            }
            return Ok(values);
        }
        (0..length(line)?).map(|_| self.value()).collect()
    }

    fn pairs(&mut self, line: &[u8]) -> Result<Vec<(Value, Value)>, ReplyError> {
        if line == b"?" {
            let mut pairs = Vec::new();
            while !self.at_stream_end() {
                pairs.push((self.value()?, self.value()?));
            }
            return Ok(pairs);
        }
        (0..length(line)?).map(|_| Ok((self.value()?, self.value()?))).collect()
    }

    /// Whether the streamed aggregate ends here; its end is then taken.
    fn at_stream_end(&mut self) -> bool {
        match self.rest.strip_prefix(b".\r\n") {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, ReplyError> {
        let mut bytes = Vec::new();
        loop {
            let (_, line) = self.line()?;
            if line == b"0" {
                return Ok(bytes);
            }
            bytes.extend_from_slice(self.payload(line)?);
        }
    }

    fn verbatim(&mut self, line: &[u8]) -> Result<Value, ReplyError> {
        match self.payload(line)? {
            [a, b, c, b':', text @ ..] => {
                Ok(Value::Verbatim { format: [*a, *b, *c], text: text.to_vec() })
            }
            _ => Err(ReplyError::InvalidContent),
        }
    }

    fn payload(&mut self, line: &[u8]) -> Result<&'a [u8], ReplyError> {
        let len = length(line)?;
        let (payload, rest) = self.rest.split_at_checked(len).ok_or(ReplyError::MissingLineEnd)?;
        self.rest = rest.strip_prefix(b"\r\n").ok_or(ReplyError::MissingLineEnd)?;
        Ok(payload)
    }

    fn line(&mut self) -> Result<(u8, &'a [u8]), ReplyError> {
        let end = memchr::memchr(b'\r', self.rest).ok_or(ReplyError::MissingLineEnd)?;
        let (line, rest) = self.rest.split_at_checked(end).ok_or(ReplyError::MissingLineEnd)?;
        self.rest = rest.strip_prefix(b"\r\n").ok_or(ReplyError::MissingLineEnd)?;
        let (&marker, line) = line.split_first().ok_or(ReplyError::MissingLineEnd)?;
        Ok((marker, line))
    }
}

fn length(line: &[u8]) -> Result<usize, ReplyError> {
    let len = codec::number::parse_u64(line).ok_or(ReplyError::InvalidNumber)?;
    usize::try_from(len).map_err(|_| ReplyError::InvalidNumber)
}
