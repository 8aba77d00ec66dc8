//! Values to bytes: a file per type.

mod hash;
mod number;
mod records;
mod stream;

use std::io::Write as _;

use value::cut::Element;
use value::item::{Digits, Item};
use value::list::{List, ListLimits, Node};
use value::set::{Set, SetForm};
use value::zset::Zset;
use value::{ObjectRef, listpack};

use crate::VERSION;
use crate::op::Type;
pub(crate) use records::{ACTIVE_TIMES, MEMBER_DEADLINES, set_active_times, set_member_deadlines};
pub use records::{Frame, Records, Used};

/// A value to be written.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// A string that is an integer.
    Int(i64),
    /// A string.
    Bytes(&'a [u8]),
    /// Anything else.
    Object(ObjectRef<'a>),
}

/// How values are written.
#[derive(Clone, Copy, Debug)]
pub struct Encoder {
    /// Compress strings of more than 20 bytes where that saves some (`rdbcompression`).
    pub compress: bool,
}

/// Strings up to this many bytes are not compressed.
const COMPRESS_ABOVE: usize = 20;
/// Bytes that compression must save at least.
const SAVED_MIN: usize = 4;
/// The longest text that may be the decimal form of a 32-bit integer.
const INT_TEXT_MAX: usize = 11;

impl Encoder {
    /// Appends a value behind its type; says which version of the format knows that type.
    pub fn typed_value(&self, value: View<'_>, out: &mut Vec<u8>) -> u32 {
        let at = out.len();
        out.push(0);
        let (kind, version) = self.value(value, out);
        if let Some(first) = out.get_mut(at) {
            *first = kind.number();
        }
        version
    }

    /// Appends a value; says its type, and which version of the format knows that.
    pub fn value(&self, value: View<'_>, out: &mut Vec<u8>) -> (Type, u32) {
        match value {
            View::Int(int) => self.int(int, out),
            View::Bytes(bytes) => self.string(bytes, out),
            View::Object(object) => return self.object(object, out),
        }
        (Type::String, VERSION)
    }

    fn object(&self, object: ObjectRef<'_>, out: &mut Vec<u8>) -> (Type, u32) {
        let kind = match object {
            ObjectRef::String(bytes) => {
                self.string(bytes, out);
                Type::String
            }
            ObjectRef::List(list) => self.list(list, out),
            ObjectRef::Set(set) => self.set(set, out),
            ObjectRef::SortedSet(zset) => self.zset(zset, out),
            ObjectRef::Hash(hash) => return self.hash(hash, out),
            ObjectRef::Stream(stream) => return self.stream(stream, out),
        };
        (kind, VERSION)
    }

    /// Appends an element of a collection, as it stands there whatever its neighbours are; of a hash with deadlines
    /// they begin at `first`. A member's deadline is appended as [`Records::member_deadlines`] takes it.
    pub fn element(&self, element: Element<'_>, first: Option<i64>, out: &mut Vec<u8>) {
        match element {
            Element::Item(item) => self.item(item, out),
            Element::Node(_, node) => self.node(node, out),
            Element::Scored(member, score) => {
                self.string(member, out);
                out.extend_from_slice(&score.to_le_bytes());
            }
            Element::Field(name, value, deadline) => self.field(name, value, deadline, first, out),
            Element::Block(_, part) => self.block(part, out),
            Element::Deadline(member, at) => {
                member.with_bytes(|member| self.raw(member, out));
                out.extend_from_slice(&at.to_le_bytes());
            }
        }
    }

    /// Appends a string that is an integer.
    pub fn int(&self, int: i64, out: &mut Vec<u8>) {
        if !number::put_int(int, out) {
            let mut digits = Digits::new();
            self.raw(digits.format(int).as_bytes(), out);
        }
    }

    /// Appends a string in its shortest form.
    pub fn string(&self, bytes: &[u8], out: &mut Vec<u8>) {
        if bytes.len() <= INT_TEXT_MAX
            && let Some(int) = value::item::canonical_int(bytes)
            && number::put_int(int, out)
        {
            return;
        }
        self.raw(bytes, out);
    }

    /// Appends an item.
    fn item(&self, item: Item<'_>, out: &mut Vec<u8>) {
        match item {
            Item::Int(int) => self.int(int, out),
            // An item that is an integer is never bytes.
            Item::Bytes(bytes) => self.raw(bytes, out),
        }
    }

    fn raw(&self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.compress
            && bytes.len() > COMPRESS_ABOVE
            && let Some(packed) = codec::lzf::compress(bytes, SAVED_MIN)
        {
            out.push(0xc3);
            number::put(packed.len() as u64, out);
            number::put(bytes.len() as u64, out);
            out.extend_from_slice(&packed);
            return;
        }
        number::put(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    }

    /// Appends a string that `write` makes.
    fn made(&self, write: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
        let mut bytes = Vec::new();
        write(&mut bytes);
        self.raw(&bytes, out);
    }

    fn list(&self, list: &List, out: &mut Vec<u8>) -> Type {
        number::put(list.nodes().count() as u64, out);
        list.nodes().for_each(|node| self.node(node, out));
        Type::ListQuicklist2
    }

    fn node(&self, node: Node<'_>, out: &mut Vec<u8>) {
        match node.plain(ListLimits::default()) {
            Some(text) => {
                number::put(1, out);
                self.raw(text, out);
            }
            None => {
                number::put(2, out);
                self.made(|bytes| node.write_listpack(bytes), out);
            }
        }
    }

    /// Sets of a listpack are written member by member: Redis 7.0 does not know their other form.
    fn set(&self, set: &Set, out: &mut Vec<u8>) -> Type {
        if let SetForm::Intset(blob) = set.form() {
            self.made(|bytes| blob.write(bytes), out);
            return Type::SetIntset;
        }
        number::put(set.len() as u64, out);
        set.iter().for_each(|item| self.element(Element::Item(item), None, out));
        Type::Set
    }

    fn zset(&self, zset: &Zset, out: &mut Vec<u8>) -> Type {
        if zset.encoding() == "listpack" {
            let mut packed = listpack::Builder::new();
            let mut text = Vec::new();
            for (member, score) in zset.iter() {
                packed.push(Item::parse(member));
                text.clear();
                codec::number::format_f64(score, &mut text);
                packed.push(Item::parse(&text));
            }
            self.raw(&packed.finish(), out);
            return Type::ZsetListpack;
        }
        number::put(zset.len() as u64, out);
        // From the highest score down: so Redis adds each at the front of its list.
        for (member, score) in zset.range(0..zset.len(), true) {
            self.element(Element::Scored(member, score), None, out);
        }
        Type::Zset2
    }
}

/// Appends a file's header.
pub fn header(out: &mut Vec<u8>) {
    // Writing to a vector does not fail.
    let _ = write!(out, "REDIS{VERSION:04}");
}
