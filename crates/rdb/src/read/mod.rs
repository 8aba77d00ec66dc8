//! Bytes to values: a file per type.

mod hash;
mod list;
mod set;
mod stream;
pub(crate) use stream::UNUSED;
mod ziplist;
mod zipmap;
mod zset;

use std::borrow::Cow;

use value::Object;

use crate::error::Error;
use crate::input::{Input, Text};
use crate::limits::Limits;
use crate::op::Type;

/// A value that was read.
#[derive(Debug)]
pub enum Value<'a> {
    /// A string that was kept as an integer.
    Int(i64),
    /// A string.
    Bytes(Cow<'a, [u8]>),
    /// A collection with at least one member, or a stream.
    Object(Box<Object>),
}

/// Reads a value of type `kind`.
///
/// # Errors
/// When the bytes are no such value.
pub fn value<'a>(kind: Type, input: &mut Input<'a>, limits: &Limits) -> Result<Value<'a>, Error> {
    of_type(kind, input, limits).map_err(|error| error.of(kind))
}

fn of_type<'a>(kind: Type, input: &mut Input<'a>, limits: &Limits) -> Result<Value<'a>, Error> {
    use Type as T;
    let object = match kind {
        T::String => {
            return Ok(match input.text()? {
                Text::Int(int) => Value::Int(int),
                text => Value::Bytes(text.bytes()?),
            });
        }
        T::List => Object::List(list::plain(input, limits.list)?),
        T::ListZiplist => Object::List(list::ziplist(input, limits.list)?),
        T::ListQuicklist => Object::List(list::quicklist(input, limits.list)?),
        T::ListQuicklist2 => Object::List(list::quicklist2(input, limits.list)?),
        T::Set => Object::Set(set::plain(input, limits.set)?),
        T::SetIntset => Object::Set(set::intset(input, limits.set)?),
        T::SetListpack => Object::Set(set::listpack(input, limits.set)?),
        T::Zset => Object::SortedSet(zset::plain(input, limits.zset, zset::text_score)?),
        T::Zset2 => Object::SortedSet(zset::plain(input, limits.zset, Input::f64)?),
        T::ZsetZiplist => Object::SortedSet(zset::ziplist(input, limits.zset)?),
        T::ZsetListpack => Object::SortedSet(zset::listpack(input, limits.zset)?),
        T::Hash => Object::Hash(hash::plain(input, limits.hash)?),
        T::HashZipmap => Object::Hash(hash::zipmap(input, limits.hash)?),
        T::HashZiplist => Object::Hash(hash::ziplist(input, limits.hash)?),
        T::HashListpack => Object::Hash(hash::listpack(input, limits.hash)?),
        T::HashMetadataPreGa => Object::Hash(hash::metadata(input, limits.hash, false)?),
        T::HashMetadata => Object::Hash(hash::metadata(input, limits.hash, true)?),
        T::HashListpackExPreGa => Object::Hash(hash::listpack_ex(input, limits.hash, false)?),
        T::HashListpackEx => Object::Hash(hash::listpack_ex(input, limits.hash, true)?),
        T::Hash2 => Object::Hash(hash::valkey(input, limits.hash)?),
        T::Stream1 | T::Stream2 | T::Stream3 | T::Stream4 | T::Stream5 => {
            Object::Stream(Box::new(stream::read(input, kind, limits.stream)?))
        }
        T::ModulePreGa => return Err(Error::UnknownType(kind.number())),
        T::Module2 => return Err(Error::Module(module_name(input.number()?))),
    };
    Ok(Value::Object(Box::new(object)))
}

/// The name in a module type's number: nine characters of six bits each, above ten bits of version.
pub fn module_name(number: u64) -> String {
    const CHARACTERS: &[u8; 64] =
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let character = |place: u32| char::from(CHARACTERS[(number >> (10 + 6 * place)) as usize & 63]);
    (0..9).rev().map(character).collect()
}

/// Refuses what has no members.
fn filled<T: value::Typed>(value: T) -> Result<T, Error> {
    if value.is_empty() { Err(Error::Empty) } else { Ok(value) }
}
