use std::ops::{Index, RangeInclusive};

use keyspace::{Key, KeyHash};
use resp::Span;

use crate::error::Error;

/// The words of a command, the command's name first; borrowed from the buffer they were read into.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    buffer: &'a [u8],
    spans: &'a [Span],
    /// The hash of the word at `hashed`, computed ahead for the prefetch.
    hash: KeyHash,
    /// 0 if none has been: the command's name is no key.
    hashed: u32,
    /// Whether the buffer is the command in its canonical form.
    canonical: bool,
}

impl<'a> Args<'a> {
    /// The words at `spans` of `buffer`.
    #[inline]
    pub fn new(buffer: &'a [u8], spans: &'a [Span]) -> Self {
        Self { buffer, spans, hash: KeyHash::default(), hashed: 0, canonical: false }
    }

    /// The words of a command that arrived as all of `buffer`, in the one way in which RESP writes an array of bulk
    /// strings ([`resp::Parsed::Command`]).
    #[inline]
    pub fn canonical(buffer: &'a [u8], spans: &'a [Span]) -> Self {
        Self { canonical: true, ..Self::new(buffer, spans) }
    }

    /// The same words with the hash of the word at `index`.
    #[inline]
    pub fn with_hash(self, index: usize, hash: KeyHash) -> Self {
        Self { hash, hashed: index as u32, ..self }
    }

    /// The number of words, the name included.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Bytes from the start of the first word to the end of the last: no less than all words together, and a
    /// look at two of them only.
    #[inline]
    pub fn extent(&self) -> usize {
        match (self.spans.first(), self.spans.last()) {
            (Some(first), Some(last)) => {
                (last.start as usize + last.len as usize).saturating_sub(first.start as usize)
            }
            _ => 0,
        }
    }

    /// The whole command in RESP, if it is known to have arrived like that, without a sign or a zero that could be left
    /// out.
    #[inline]
    pub fn frame(&self) -> Option<&'a [u8]> {
        self.canonical.then_some(self.buffer)
    }

    /// Whether there is no word at all.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The word at `index`, if there is one.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let span = self.spans.get(index)?;
        let start = span.start as usize;
        self.buffer.get(start..start + span.len as usize)
    }

    /// The word at `index`, which the command's arity promises.
    #[inline]
    pub fn at(&self, index: usize) -> &'a [u8] {
        self.get(index).unwrap_or_default()
    }

    /// The word at `index` as a key.
    #[inline]
    pub fn key(&self, index: usize) -> Key<'a> {
        if self.hashed > 0 && self.hashed as usize == index {
            return Key::with_hash(self.at(index), self.hash);
        }
        Key::new(self.at(index))
    }

    /// The words from `start` on.
    pub fn iter_from(&self, start: usize) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let copy = *self;
        (start..copy.len()).map(move |index| copy.at(index))
    }

    /// The words from `start` on, as a command of their own.
    pub fn tail(&self, start: usize) -> Self {
        Self::new(self.buffer, self.spans.get(start..).unwrap_or_default())
    }

    /// All words.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.iter_from(0)
    }

    /// Whether the word at `index` is `name`, in any case.
    pub fn is(&self, index: usize, name: &str) -> bool {
        self.get(index).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The word at `index` as a 64-bit integer.
    pub fn integer(&self, index: usize) -> Result<i64, Error> {
        codec::number::parse_i64(self.at(index)).ok_or(Error::NOT_AN_INTEGER)
    }

    /// The word at `index` as an integer within `range`; `error` takes the place of anything outside, and
    /// of what is no integer.
    pub fn integer_in(
        &self,
        index: usize,
        range: RangeInclusive<i64>,
        error: Error,
    ) -> Result<i64, Error> {
        let number = codec::number::parse_i64(self.at(index));
        number.filter(|number| range.contains(number)).ok_or(error)
    }

    /// The word at `index` as a count, zero included.
    pub fn count(&self, index: usize) -> Result<usize, Error> {
        let count = self.integer_in(index, 0..=i64::MAX, Error::NOT_POSITIVE)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// The word at `index` as a 32-bit integer: what Redis reads database numbers and the like as.
    pub fn int(&self, index: usize) -> Result<i64, Error> {
        let number = self.integer(index)?;
        if i32::try_from(number).is_err() {
            return Err(Error::NOT_AN_INT);
        }
        Ok(number)
    }

    /// The word at `index` as a double.
    pub fn double(&self, index: usize) -> Result<f64, Error> {
        codec::number::parse_f64(self.at(index)).ok_or(Error::NOT_A_FLOAT)
    }

    /// The word at `index` as UTF-8 text up to its first zero byte, with what is not UTF-8
    /// replaced; for error messages, where Redis stops at that byte, too.
    pub fn text(&self, index: usize) -> String {
        let word = self.at(index).split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(word).into_owned()
    }

    /// A copy that outlives the buffer.
    pub fn to_owned(&self) -> OwnedArgs {
        OwnedArgs::new(self.iter())
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    fn index(&self, index: usize) -> &[u8] {
        self.at(index)
    }
}

/// The words of a command with a buffer of their own: queued commands, inline commands, very long ones.
#[derive(Clone, Debug, Default)]
pub struct OwnedArgs {
    buffer: Vec<u8>,
    spans: Vec<Span>,
}

impl OwnedArgs {
    /// Copies `words`, which together stay below 4 GiB as the protocol's limits ensure.
    pub fn new<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> Self {
        let mut owned = Self::default();
        for word in words {
            let word = word.as_ref();
            owned.spans.push(Span { start: owned.buffer.len() as u32, len: word.len() as u32 });
            owned.buffer.extend_from_slice(word);
        }
        owned
    }

    /// The words at `spans` of a buffer that is not copied.
    pub fn of_buffer(buffer: Vec<u8>, spans: &[Span]) -> Self {
        Self { buffer, spans: spans.to_vec() }
    }

    /// What the words lie in.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// What the buffer has from `end` on.
    pub fn behind(&self, end: usize) -> &[u8] {
        self.buffer.get(end..).unwrap_or_default()
    }

    /// The words.
    pub fn view(&self) -> Args<'_> {
        Args::new(&self.buffer, &self.spans)
    }

    /// Heap bytes.
    pub fn heap_bytes(&self) -> usize {
        self.buffer.capacity() + self.spans.capacity() * size_of::<Span>()
    }
}

#[cfg(test)]
mod tests {
    use resp::{Limits, Parsed, Parser};

    use super::*;

    #[test]
    fn a_command_that_did_not_arrive_as_one_has_no_frame() {
        let request = b"*3\r\n$4\r\nCOPY\r\n$1\r\na\r\n$1\r\nb\r\n";
        let mut spans = Vec::new();
        let parsed = Parser::default().parse(request, &Limits::default(), &mut spans);
        assert_eq!(parsed, Ok(Parsed::Command { consumed: request.len(), canonical: true }));
        let args = Args::canonical(request, &spans);
        assert_eq!(args.frame(), Some(&request[..]));
        assert_eq!(args.tail(1).frame(), None);
        for words in
            [&["*1\r\n$4\r\nPING\r\n"][..], &["\r\n", "\r\n"], &["*1\r\n", "$4\r\n", "PING\r\n"]]
        {
            let owned = OwnedArgs::new(words.iter().map(|word| word.as_bytes()));
            assert_eq!(owned.view().frame(), None);
        }
    }
}
