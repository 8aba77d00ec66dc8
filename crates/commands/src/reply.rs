//! How items of collections are written.

use resp::Writer;
use value::Item;

/// Writes the text of an item as a bulk string.
#[inline]
pub(crate) fn item(reply: &mut Writer<'_>, item: Item<'_>) {
    match item {
        Item::Int(int) => reply.bulk_int(int),
        Item::Bytes(bytes) => reply.bulk(bytes),
    }
}
