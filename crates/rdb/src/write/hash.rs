use value::cut::Element;
use value::hash::Hash;
use value::item::Item;

use super::{Encoder, number};
use crate::VERSION;
use crate::op::Type;

/// The version that brought deadlines of fields.
const VERSION_OF_DEADLINES: u32 = 12;

impl Encoder {
    /// A hash goes into the newer types only when a field has a deadline.
    pub(super) fn hash(&self, hash: &Hash, out: &mut Vec<u8>) -> (Type, u32) {
        let Some(first) = hash.next_expiry() else { return (self.hash_plain(hash, out), VERSION) };
        out.extend_from_slice(&first.to_le_bytes());
        if hash.encoding() == "listpackex" {
            self.made(|bytes| assert_packed(hash.write_listpack(bytes)), out);
            return (Type::HashListpackEx, VERSION_OF_DEADLINES);
        }
        number::put(hash.len() as u64, out);
        for field in hash.iter() {
            self.element(Element::Field(field.name, field.value, field.deadline), Some(first), out);
        }
        (Type::HashMetadata, VERSION_OF_DEADLINES)
    }

    /// Appends a field of a hash, and with the first deadline of all its own: counted from that, plus one; 0 stands
    /// for none.
    pub(super) fn field(
        &self,
        name: Item<'_>,
        value: Item<'_>,
        deadline: Option<i64>,
        first: Option<i64>,
        out: &mut Vec<u8>,
    ) {
        if let Some(first) = first {
            let after = deadline.map_or(0, |at| at.saturating_sub(first).saturating_add(1));
            number::put(u64::try_from(after).unwrap_or(1), out);
        }
        self.item(name, out);
        self.item(value, out);
    }

    fn hash_plain(&self, hash: &Hash, out: &mut Vec<u8>) -> Type {
        if hash.encoding() == "listpack" {
            self.made(|bytes| assert_packed(hash.write_listpack(bytes)), out);
            return Type::HashListpack;
        }
        number::put(hash.len() as u64, out);
        for field in hash.iter() {
            self.element(Element::Field(field.name, field.value, None), None, out);
        }
        Type::Hash
    }
}

/// The encoding has just been asked for.
fn assert_packed(packed: bool) {
    debug_assert!(packed);
}
