use std::io::{self, BufReader, Cursor, Read};

use crate::Keyring;
use crate::header::{HEADER, MAGIC, is_encrypted};
use crate::read::{Reader, read_full};

/// Bytes that are read from an encrypted file at once.
const READ: usize = 1 << 18;

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is not encrypted: what it holds has to say.
    Plain,
    /// With its end mark.
    Finished,
    /// Behind a whole block, but without an end mark: its writer was interrupted.
    Open,
    /// Within a block, or the header: so many bytes, from `at` on, cannot be read.
    Torn {
        /// Bytes of the file before them.
        at: u64,
        /// How many they are.
        bytes: u64,
    },
}

/// A file's content, whether the file is encrypted or not: what it begins with decides.
pub struct Input<R> {
    source: Source<R>,
    position: u64,
}

enum Source<R> {
    Plain(io::Chain<Cursor<Vec<u8>>, R>),
    Encrypted(Box<Reader<BufReader<R>>>),
    /// A file of so many bytes, which are the beginning of a header.
    Torn(u64),
}

impl<R: Read> Input<R> {
    /// Looks at how a file begins, and reads on from there.
    ///
    /// # Errors
    /// When it cannot be read; when it is encrypted, and the keys do not open it.
    pub fn open(mut input: R, keys: Option<&Keyring>) -> io::Result<Self> {
        let mut header = [0; HEADER];
        let (magic, rest) = header.split_at_mut(MAGIC.len());
        let read = read_full(&mut input, magic)?;
        let start = magic.get(..read).unwrap_or_default();
        let may_be = is_encrypted(start) || MAGIC.starts_with(start);
        let source = if start.is_empty() || !may_be {
            Source::Plain(Cursor::new(start.to_vec()).chain(input))
        } else {
            let mut input = BufReader::with_capacity(READ, input);
            let read = read + read_full(&mut input, rest)?;
            match read {
                HEADER => Source::Encrypted(Box::new(Reader::new(input, &header, keys)?)),
                bytes => Source::Torn(bytes as u64),
            }
        };
        Ok(Self { source, position: 0 })
    }

    /// Bytes of content that have been read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether the file is encrypted.
    pub fn is_encrypted(&self) -> bool {
        !matches!(self.source, Source::Plain(_))
    }

    /// The name of the key that opened it.
    pub fn key_name(&self) -> Option<&str> {
        match &self.source {
            Source::Encrypted(reader) => Some(reader.key_name()),
            Source::Plain(_) | Source::Torn(_) => None,
        }
    }

    /// How the file ends, once everything has been read; before that, nothing is known.
    pub fn end(&self) -> Option<End> {
        match &self.source {
            Source::Plain(_) => Some(End::Plain),
            Source::Encrypted(reader) => reader.end(),
            Source::Torn(bytes) => Some(End::Torn { at: 0, bytes: *bytes }),
        }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.source {
            Source::Plain(input) => input.read(out)?,
            Source::Encrypted(reader) => reader.read(out)?,
            Source::Torn(_) => 0,
        };
        self.position += read as u64;
        Ok(read)
    }
}
