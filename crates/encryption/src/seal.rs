use std::io;

use ring::aead::LessSafeKey;

use crate::frame::{Announced, end_mark};
use crate::header::{self, FileId, HEADER, Kind};
use crate::{BLOCK_MAX, Keyring};

/// Turns content into the bytes of one new file: its header, frames, and the end mark.
pub struct Sealer {
    header: [u8; HEADER],
    file: FileId,
    cipher: LessSafeKey,
    /// Frames so far.
    seq: u64,
}

impl Sealer {
    /// For a new file, whose data key is wrapped by the first of the keys.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(keys: &Keyring, kind: Kind) -> io::Result<Self> {
        let (header, file, cipher) = header::make(keys, kind)?;
        Ok(Self { header, file, cipher, seq: 0 })
    }

    /// What the file begins with.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Appends content as frames, one for each [`BLOCK_MAX`] bytes or part of these.
    ///
    /// # Errors
    /// When there have been too many frames: not with files of this world.
    pub fn seal(&mut self, content: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        for block in content.chunks(BLOCK_MAX) {
            let announced = Announced::Content(block.len());
            out.extend_from_slice(&announced.head(&self.file, self.seq));
            let start = out.len();
            out.extend_from_slice(block);
            let sealed = self.cipher.seal_in_place_separate_tag(
                announced.nonce(self.seq),
                announced.associated(&self.file, self.seq),
                out.get_mut(start..).unwrap_or_default(),
            );
            let tag = sealed.map_err(|_| io::Error::other("a block cannot be encrypted"))?;
            out.extend_from_slice(tag.as_ref());
            self.seq = self.seq.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        }
        Ok(())
    }

    /// The end mark for where the file is now. Should the file go on all the same, the mark has to be cut off first.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn end_mark(&self) -> io::Result<Vec<u8>> {
        end_mark(&self.cipher, &self.file, self.seq)
            .map(|mark| mark.to_vec())
            .ok_or_else(|| io::Error::other("an end mark cannot be made"))
    }
}
