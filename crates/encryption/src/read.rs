use std::io::{self, Read};

use ring::aead::LessSafeKey;

use crate::frame::{Announced, HEAD, TAG};
use crate::header::{self, FileId, HEADER, Kind};
use crate::{BLOCK_MAX, Damage, End, Keyring};

const CHANGED_HEAD: &str = "the head of a block was changed, or moved from elsewhere";
const CHANGED: &str = "a block was changed, or moved from elsewhere";
const BEHIND: &str = "something stands behind the end mark";
const NO_END: &str = "the file ends early: its end is missing";

/// Reads the content of an encrypted file. Nothing is given out that is not authentic.
pub struct Reader<R> {
    input: R,
    kind: Kind,
    key_name: String,
    file: FileId,
    cipher: LessSafeKey,
    /// Frames so far.
    seq: u64,
    /// Bytes of the file before the next frame.
    offset: u64,
    /// The frame that is being given out: its content, and the tag behind it.
    block: Vec<u8>,
    /// Bytes of its content.
    length: usize,
    /// Bytes of it that have been given out.
    at: usize,
    end: Option<End>,
    damage: Option<Damage>,
}

/// Reads until `out` is full or the input ends; returns how many bytes that were.
pub(crate) fn read_full(input: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = out.get_mut(filled..).filter(|room| !room.is_empty()) {
        match input.read(room) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl<R: Read> Reader<R> {
    /// Goes on behind a header.
    ///
    /// # Errors
    /// When the header was changed, or the keys do not open it.
    pub(crate) fn new(input: R, header: &[u8; HEADER], keys: Option<&Keyring>) -> io::Result<Self> {
        let header::Header { kind, key_name, file, cipher } = header::open(header, keys)?;
        Ok(Self {
            input,
            kind,
            key_name,
            file,
            cipher,
            seq: 0,
            offset: HEADER as u64,
            block: Vec::new(),
            length: 0,
            at: 0,
            end: None,
            damage: None,
        })
    }

    /// The name of the key that opened the file.
    pub fn key_name(&self) -> &str {
        &self.key_name
    }

    /// What may be missing at its end.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How the file ends, once everything has been read.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    fn fail<T>(&mut self, why: &'static str) -> io::Result<T> {
        Err(self.damage.insert(Damage { at: self.offset, why }).to_owned().into())
    }

    /// Notes how the file ends. Only a log may end without a mark.
    fn ends(&mut self, torn: usize) -> io::Result<bool> {
        if self.kind == Kind::Whole {
            return self.fail(NO_END);
        }
        self.end = Some(match torn {
            0 => End::Open,
            bytes => End::Torn { at: self.offset, bytes: bytes as u64 },
        });
        Ok(false)
    }

    /// Reads a frame; false at the end.
    fn next_block(&mut self) -> io::Result<bool> {
        if let Some(damage) = self.damage {
            return Err(damage.into());
        }
        if self.end.is_some() {
            return Ok(false);
        }
        let mut head = [0; HEAD];
        let read = read_full(&mut self.input, &mut head)?;
        if read < HEAD {
            return self.ends(read);
        }
        let Some(announced) = Announced::read(&head, &self.file, self.seq) else {
            return self.fail(CHANGED_HEAD);
        };
        self.block.resize(BLOCK_MAX + TAG, 0);
        let following = announced.following();
        let bytes = self.block.get_mut(..following).unwrap_or_default();
        let read = read_full(&mut self.input, bytes)?;
        if read < following {
            return self.ends(HEAD + read);
        }
        let associated = announced.associated(&self.file, self.seq);
        let opened = self.cipher.open_in_place(announced.nonce(self.seq), associated, bytes);
        let Ok(length) = opened.map(|content| content.len()) else {
            return self.fail(CHANGED);
        };
        (self.length, self.at) = (length, 0);
        if announced == Announced::End {
            return self.end_mark();
        }
        self.offset += (HEAD + following) as u64;
        self.seq += 1;
        Ok(true)
    }

    fn end_mark(&mut self) -> io::Result<bool> {
        if read_full(&mut self.input, &mut [0])? > 0 {
            self.offset += (HEAD + TAG) as u64;
            return self.fail(BEHIND);
        }
        self.end = Some(End::Finished);
        Ok(false)
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() || (self.at == self.length && !self.next_block()?) {
            return Ok(0);
        }
        let rest = self.block.get(self.at..self.length).unwrap_or_default();
        let count = rest.len().min(out.len());
        if let (Some(out), Some(rest)) = (out.get_mut(..count), rest.get(..count)) {
            out.copy_from_slice(rest);
        }
        self.at += count;
        Ok(count)
    }
}
