//! How a list goes into a snapshot

use std::fmt;

use crate::packed::Packed;

use super::chunk::Chunk;
use super::limits::ListLimits;

/// One node of a list's snapshot form.
#[derive(Clone, Copy)]
pub struct Node<'a>(NodeForm<'a>);

#[derive(Clone, Copy)]
enum NodeForm<'a> {
    Packed(&'a Packed<true>),
    Chunk(&'a Chunk),
}

impl<'a> Node<'a> {
    pub(super) fn of(chunk: &'a Chunk) -> Self {
        Self(NodeForm::Chunk(chunk))
    }

    pub(super) fn of_packed(packed: &'a Packed<true>) -> Self {
        Self(NodeForm::Packed(packed))
    }

    /// The text of a node that holds one text too large for a listpack of the usual size.
    pub fn plain(&self, limits: ListLimits) -> Option<&'a [u8]> {
        match self.0 {
            NodeForm::Chunk(chunk) if chunk.count() == 1 && chunk.width() > limits.max_bytes() => {
                Some(chunk.run())
            }
            _ => None,
        }
    }

    /// Appends the node as a listpack to `out`.
    pub fn write_listpack(&self, out: &mut Vec<u8>) {
        match self.0 {
            NodeForm::Packed(packed) => packed.write_listpack(out),
            NodeForm::Chunk(chunk) => chunk.write_listpack(out),
        }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut listpack = Vec::new();
        self.write_listpack(&mut listpack);
        write!(f, "{}", listpack.escape_ascii())
    }
}
