use codec::crc64::Crc64;
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};

use crate::BLOCK_MAX;
use crate::header::FileId;

/// Bytes before a frame's content.
pub(crate) const HEAD: usize = 12;
/// Bytes behind it.
pub(crate) const TAG: usize = 16;
/// What the length of an end mark is.
const END: u32 = 1 << 31;

/// What a frame's head announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announced {
    /// So many bytes of content.
    Content(usize),
    /// The end mark.
    End,
}

impl Announced {
    /// Bytes that follow the head.
    pub fn following(self) -> usize {
        match self {
            Self::Content(length) => length + TAG,
            Self::End => TAG,
        }
    }

    fn word(self) -> [u8; 4] {
        match self {
            Self::Content(length) => (length as u32).to_le_bytes(),
            Self::End => END.to_le_bytes(),
        }
    }

    /// The head of frame `seq`. A length is not above [`BLOCK_MAX`].
    pub fn head(self, file: &FileId, seq: u64) -> [u8; HEAD] {
        let word = self.word();
        let mut head = [0; HEAD];
        let (length, sum) = head.split_at_mut(4);
        length.copy_from_slice(&word);
        sum.copy_from_slice(&checksum(file, seq, word).to_le_bytes());
        head
    }

    /// Reads the head of frame `seq`; `None` when it is none.
    pub fn read(head: &[u8; HEAD], file: &FileId, seq: u64) -> Option<Self> {
        let (word, sum) = head.split_first_chunk::<4>()?;
        if sum != checksum(file, seq, *word).to_le_bytes() {
            return None;
        }
        match u32::from_le_bytes(*word) {
            END => Some(Self::End),
            0 => None,
            length => {
                usize::try_from(length).ok().filter(|&most| most <= BLOCK_MAX).map(Self::Content)
            }
        }
    }

    /// What is authenticated beside the content.
    pub fn associated(self, file: &FileId, seq: u64) -> Aad<[u8; 28]> {
        let mut bytes = [0; 28];
        let (id, rest) = bytes.split_at_mut(16);
        let (number, word) = rest.split_at_mut(8);
        id.copy_from_slice(file);
        number.copy_from_slice(&seq.to_le_bytes());
        word.copy_from_slice(&self.word());
        Aad::from(bytes)
    }

    pub fn nonce(self, seq: u64) -> Nonce {
        let mut bytes = [0; NONCE_LEN];
        let (domain, number) = bytes.split_at_mut(4);
        domain.copy_from_slice(&[u8::from(self == Self::End), 0, 0, 0]);
        number.copy_from_slice(&seq.to_le_bytes());
        Nonce::assume_unique_for_key(bytes)
    }
}

fn checksum(file: &FileId, seq: u64, word: [u8; 4]) -> u64 {
    let mut sum = Crc64::new();
    sum.update(file);
    sum.update(&seq.to_le_bytes());
    sum.update(&word);
    sum.value()
}

/// The end mark behind `seq` frames: the same each time.
pub(crate) fn end_mark(cipher: &LessSafeKey, file: &FileId, seq: u64) -> Option<[u8; HEAD + TAG]> {
    let end = Announced::End;
    let tag = cipher
        .seal_in_place_separate_tag(end.nonce(seq), end.associated(file, seq), &mut [])
        .ok()?;
    let mut mark = [0; HEAD + TAG];
    let (head, rest) = mark.split_at_mut(HEAD);
    head.copy_from_slice(&end.head(file, seq));
    rest.copy_from_slice(tag.as_ref());
    Some(mark)
}
