//! DUMP payloads: `[type][value][version: 2][CRC64 of all before: 8]`, little-endian. Those of functions have
//! the records of a file in place of type and value.

use std::borrow::Cow;

use codec::crc64::crc64;

use crate::error::Error;
use crate::input::Input;
use crate::limits::Limits;
use crate::op::{self, Type};
use crate::read::{self, Value};
use crate::write::{Encoder, Records, View};
use crate::{Dialect, REDIS_VERSION_MAX, VALKEY_VERSIONS, VERSION};

/// Bytes of version and checksum.
const FOOTER: usize = 10;

/// A value as DUMP answers it.
pub fn dump(value: View<'_>, compress: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let encoder = Encoder { compress };
    let version = encoder.typed_value(value, &mut out).max(VERSION);
    close(version, &mut out);
    out
}

/// Function libraries as FUNCTION DUMP answers them.
pub fn dump_functions<'s>(sources: impl Iterator<Item = &'s [u8]>, compress: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let records = Records { encoder: Encoder { compress } };
    sources.for_each(|source| records.function(source, &mut out));
    close(VERSION, &mut out);
    out
}

/// Appends version and checksum.
fn close(version: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&(version as u16).to_le_bytes());
    let sum = crc64(out);
    out.extend_from_slice(&sum.to_le_bytes());
}

/// Checks a payload's version and checksum, and gives its type and the bytes of its value; `None` when either
/// is wrong. A checksum of 0 stands for none.
fn open(payload: &[u8], check: bool) -> Option<(Dialect, &[u8])> {
    let (body, footer) = payload.split_at_checked(payload.len().checked_sub(FOOTER)?)?;
    let (version, sum) = footer.split_first_chunk()?;
    let version = u32::from(u16::from_le_bytes(*version));
    let dialect = match version {
        ..=REDIS_VERSION_MAX => Dialect::Redis,
        version if VALKEY_VERSIONS.contains(&version) => Dialect::Valkey,
        _ => return None,
    };
    let sum = u64::from_le_bytes(*sum.first_chunk()?);
    let summed = payload.get(..payload.len() - 8)?;
    (!check || sum == crc64(summed)).then_some((dialect, body))
}

/// Reads a payload of DUMP; `check` is whether its checksum must be right.
///
/// # Errors
/// `None` when version or checksum are wrong, otherwise what is wrong with the value.
pub fn restore<'a>(
    payload: &'a [u8],
    limits: &Limits,
    check: bool,
) -> Result<Value<'a>, Option<Error>> {
    let (dialect, body) = open(payload, check).ok_or(None)?;
    let mut input = Input::new(body);
    let number = input.byte().map_err(Some)?;
    let kind = Type::of(number, dialect).ok_or(Some(Error::UnknownType(number)))?;
    let value = read::value(kind, &mut input, limits).map_err(Some)?;
    if !input.is_empty() {
        return Err(Some(Error::Corrupt("bytes are left behind the value")));
    }
    Ok(value)
}

/// Reads a payload of FUNCTION DUMP; `check` is whether its checksum must be right.
///
/// # Errors
/// `None` when version or checksum are wrong, otherwise what is wrong with a record.
pub fn restore_functions(payload: &[u8], check: bool) -> Result<Vec<Cow<'_, [u8]>>, Option<Error>> {
    let (_, body) = open(payload, check).ok_or(None)?;
    let mut input = Input::new(body);
    let mut sources = Vec::new();
    while !input.is_empty() {
        match input.byte().map_err(Some)? {
            op::FUNCTION2 => sources.push(input.string().map_err(Some)?),
            op::FUNCTION_PRE_GA => return Err(Some(Error::PRE_GA)),
            other => return Err(Some(Error::UnknownType(other))),
        }
    }
    Ok(sources)
}
