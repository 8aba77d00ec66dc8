use std::fs::File;
use std::io::{self, Write};

use crate::{BLOCK_MAX, Keyring, Kind, Sealer};

/// Writes an encrypted file from its beginning to its end.
pub struct Writer<W> {
    sealer: Sealer,
    output: W,
    /// Content that does not fill a block yet.
    block: Vec<u8>,
    sealed: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When that fails.
    pub fn new(mut output: W, keys: &Keyring, kind: Kind) -> io::Result<Self> {
        let sealer = Sealer::new(keys, kind)?;
        output.write_all(sealer.header())?;
        Ok(Self { sealer, output, block: Vec::new(), sealed: Vec::new() })
    }

    fn write_block(&mut self) -> io::Result<()> {
        self.sealed.clear();
        self.sealer.seal(&self.block, &mut self.sealed)?;
        self.block.clear();
        self.output.write_all(&self.sealed)
    }

    /// Writes what is left, and the end mark.
    ///
    /// # Errors
    /// When that fails.
    pub fn finish(&mut self) -> io::Result<()> {
        self.write_block()?;
        self.output.write_all(&self.sealer.end_mark()?)
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(BLOCK_MAX.saturating_sub(self.block.len()));
        self.block.extend_from_slice(bytes.get(..count).unwrap_or_default());
        if self.block.len() >= BLOCK_MAX {
            self.write_block()?;
        }
        Ok(count)
    }

    /// Blocks are written as they fill; the last by [`Writer::finish`].
    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// A new file, encrypted where there are keys.
pub enum Output {
    /// It is not.
    Plain(File),
    /// It is.
    Encrypted(Box<Writer<File>>),
}

impl Output {
    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn new(file: File, keys: Option<&Keyring>, kind: Kind) -> io::Result<Self> {
        Ok(match keys {
            None => Self::Plain(file),
            Some(keys) => Self::Encrypted(Box::new(Writer::new(file, keys, kind)?)),
        })
    }

    /// The file itself, to be made durable.
    pub fn file(&self) -> &File {
        match self {
            Self::Plain(file) => file,
            Self::Encrypted(writer) => &writer.output,
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When what is left cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Encrypted(writer) => writer.finish(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Encrypted(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Encrypted(writer) => writer.flush(),
        }
    }
}
