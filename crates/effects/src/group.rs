use bitflags::bitflags;

use crate::encode::encode;

bitflags! {
    /// Who is to have an effect.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Targets: u8 {
        /// The append-only file.
        const AOF = 1;
        /// The replicas.
        const REPLICAS = 1 << 1;
    }
}

/// Effects that stay together: those of one command, or of a transaction.
#[derive(Debug, Default)]
pub struct Group {
    pub(crate) bytes: Vec<u8>,
    pub(crate) parts: Vec<Part>,
}

/// One command of a group or of a thread's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub database: u32,
    pub targets: Targets,
    pub bytes: usize,
}

impl Group {
    /// Appends a command of `count` words, which runs in `database`.
    pub fn push<'w>(
        &mut self,
        database: usize,
        targets: Targets,
        count: usize,
        words: impl Iterator<Item = &'w [u8]>,
    ) {
        let start = self.bytes.len();
        encode(&mut self.bytes, count, words);
        let bytes = self.bytes.len() - start;
        self.parts.push(Part { database: database as u32, targets, bytes });
    }

    /// Appends a command that is there in its RESP form.
    #[inline]
    pub fn push_encoded(&mut self, database: usize, targets: Targets, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.parts.push(Part { database: database as u32, targets, bytes: bytes.len() });
    }

    /// Moves the effects of `other` behind these.
    #[inline]
    pub fn append(&mut self, other: &mut Self) {
        if !other.is_empty() {
            self.append_some(other);
        }
    }

    fn append_some(&mut self, other: &mut Self) {
        self.bytes.append(&mut other.bytes);
        self.parts.append(&mut other.parts);
    }

    /// Lets nobody but `targets` have these.
    pub fn restrict(&mut self, targets: Targets) {
        self.parts.iter_mut().for_each(|part| part.targets &= targets);
    }

    /// Whether there is no effect.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The number of effects.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Forgets all effects.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.parts.clear();
    }
}
