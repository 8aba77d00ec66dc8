//! `struct`: Lua values to C structures and back (<https://www.inf.puc-rio.br/~roberto/struct/>).
use std::ffi::c_int;

use crate::lua::{Fault, Lua, Native};
use crate::state::State;

type Answer = Result<c_int, Fault>;

/// The functions of `struct`.
pub(crate) const STRUCT: &[(&str, Native)] = &[("pack", pack), ("unpack", unpack), ("size", size)];

/// Bytes of an integer at most.
const INTEGER_MAX: usize = 32;
const ALIGN_MAX: usize = 8;

/// A format as it is read.
struct Format<'a> {
    rest: &'a [u8],
    big: bool,
    align: usize,
}

/// One option of a format: what it is, and its size in bytes.
struct Item {
    what: u8,
    size: usize,
}

impl<'a> Format<'a> {
    fn new(text: &'a [u8]) -> Self {
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        Self { rest: &text[..end], big: cfg!(target_endian = "big"), align: 1 }
    }

    fn number(&mut self, default: usize) -> Result<usize, Fault> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(default);
        }
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let number = codec::number::parse_i64(strip_zeros(number));
        let number = number.and_then(|number| i32::try_from(number).ok());
        number.map(|number| number as usize).ok_or(Fault::text("integral size overflow"))
    }

    /// The next option.
    fn next(&mut self) -> Result<Option<Item>, Fault> {
        let Some((what, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        let size = match what {
            b'B' | b'b' | b'x' => 1,
            b'H' | b'h' => 2,
            b'L' | b'l' | b'T' | b'd' => 8,
            b'f' => 4,
            b'c' => self.number(1)?,
            b'i' | b'I' => match self.number(4)? {
                size @ 0..=INTEGER_MAX => size,
                size => {
                    return Err(Fault::text(format!(
                        "integral size {size} is larger than limit of {INTEGER_MAX}"
                    )));
                }
            },
            _ => 0,
        };
        Ok(Some(Item { what: *what, size }))
    }

    /// Bytes that bring the next item to its place.
    fn padding(&self, at: usize, item: &Item) -> usize {
        if item.size == 0 || item.what == b'c' {
            return 0;
        }
        let size = item.size.min(self.align);
        size.wrapping_sub(at & size.wrapping_sub(1)) & size.wrapping_sub(1)
    }

    /// Options that say how others are meant.
    fn control(&mut self, what: u8) -> Result<(), Fault> {
        match what {
            b' ' => {}
            b'>' => self.big = true,
            b'<' => self.big = false,
            b'!' => {
                let align = self.number(ALIGN_MAX)?;
                if !align.is_power_of_two() {
                    return Err(Fault::text(format!("alignment {align} is not a power of 2")));
                }
                self.align = align;
            }
            _ => {
                let text = format!("invalid format option '{}'", char::from(what));
                return Err(Fault::Argument(1, text));
            }
        }
        Ok(())
    }
}

fn strip_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    &digits[zeros.min(digits.len() - 1)..]
}

/// The lowest bytes of a number, sign-extended beyond 64 bits as C shifts them.
fn integer_bytes(value: u64, size: usize, big: bool) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        value.to_le_bytes().into_iter().chain([0; INTEGER_MAX]).take(size).collect();
    if big {
        bytes.reverse();
    }
    bytes
}

fn pack(lua: Lua<'_>, state: &State) -> Answer {
    let mut format = Format::new(lua.string_argument(1)?);
    let mut out: Vec<u8> = Vec::new();
    let mut argument = 1;
    let mut take = || {
        argument += 1;
        argument
    };
    while let Some(item) = format.next()? {
        if out.len() > state.room_bytes() {
            return Err(Fault::text("not enough memory"));
        }
        out.resize(out.len() + format.padding(out.len(), &item), 0);
        match item.what {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let number = lua.number_argument(take())?;
                let value = if number < 0.0 {
                    crate::number::truncate(number) as u64
                } else {
                    number as u64
                };
                out.extend(integer_bytes(value, item.size, format.big));
            }
            b'x' => out.push(0),
            b'f' => {
                let value = lua.number_argument(take())? as f32;
                let bytes = if format.big { value.to_be_bytes() } else { value.to_le_bytes() };
                out.extend(bytes);
            }
            b'd' => {
                let value = lua.number_argument(take())?;
                let bytes = if format.big { value.to_be_bytes() } else { value.to_le_bytes() };
                out.extend(bytes);
            }
            b'c' | b's' => {
                let index = take();
                let text = lua.string_argument(index)?;
                let size = if item.size == 0 { text.len() } else { item.size };
                let text = text
                    .get(..size)
                    .ok_or(Fault::Argument(index + 1, "string too short".into()))?;
                out.extend_from_slice(text);
                if item.what == b's' {
                    out.push(0);
                }
            }
            what => format.control(what)?,
        }
    }
    lua.push_bytes(&out);
    Ok(1)
}

fn unpack(lua: Lua<'_>, _: &State) -> Answer {
    let mut format = Format::new(lua.string_argument(1)?);
    let data = lua.string_argument(2)?;
    let at = lua.integer_or(3, 1)?;
    // What is negative is far behind the end, as C converts it.
    let mut at = match at {
        0 => return Err(Fault::Argument(3, "offset must be 1 or greater".into())),
        at => (at as u64 - 1) as usize,
    };
    let short = || Fault::Argument(2, "data string too short".into());
    let mut count = 0;
    while let Some(item) = format.next()? {
        let mut size = item.size;
        at = at.checked_add(format.padding(at, &item)).ok_or_else(short)?;
        let rest = data.get(at..).ok_or_else(short)?;
        let bytes = rest.get(..size).ok_or_else(short)?;
        if !lua.reserve(2) {
            return Err(Fault::text("stack overflow (too many results)"));
        }
        count += 1;
        match item.what {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let signed = item.what.is_ascii_lowercase();
                lua.push_number(integer(bytes, format.big, signed));
            }
            b'f' => {
                let mut raw = [0; 4];
                raw.copy_from_slice(bytes);
                let value =
                    if format.big { f32::from_be_bytes(raw) } else { f32::from_le_bytes(raw) };
                lua.push_number(f64::from(value));
            }
            b'd' => {
                let mut raw = [0; 8];
                raw.copy_from_slice(bytes);
                let value =
                    if format.big { f64::from_be_bytes(raw) } else { f64::from_le_bytes(raw) };
                lua.push_number(value);
            }
            b'c' => {
                if size == 0 {
                    let known = lua.number(-1).filter(|_| count > 1);
                    let known = known.ok_or(Fault::text("format 'c0' needs a previous size"))?;
                    lua.pop(1);
                    count -= 1;
                    size = usize::try_from(crate::number::truncate(known)).map_err(|_| short())?;
                }
                lua.push_bytes(rest.get(..size).ok_or_else(short)?);
            }
            b's' => {
                let end = rest.iter().position(|byte| *byte == 0);
                let end = end.ok_or(Fault::text("unfinished string in data"))?;
                lua.push_bytes(&rest[..end]);
                size = end + 1;
            }
            what => {
                count -= 1;
                if what != b'x' {
                    format.control(what)?;
                }
            }
        }
        at += size;
    }
    lua.push_number((at + 1) as f64);
    Ok(count + 1)
}

fn integer(bytes: &[u8], big: bool, signed: bool) -> f64 {
    let shift = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    let mut value = match big {
        true => bytes.iter().fold(0, shift),
        false => bytes.iter().rev().fold(0, shift),
    };
    if !signed {
        return value as f64;
    }
    let bits = bytes.len() * 8;
    if (1..64).contains(&bits) && value >> (bits - 1) & 1 == 1 {
        value |= u64::MAX << (bits - 1);
    }
    value as i64 as f64
}

fn size(lua: Lua<'_>, _: &State) -> Answer {
    let mut format = Format::new(lua.string_argument(1)?);
    let mut at = 0_usize;
    while let Some(item) = format.next()? {
        at += format.padding(at, &item);
        if item.what == b's' {
            return Err(Fault::Argument(1, "option 's' has no fixed size".into()));
        }
        if item.what == b'c' && item.size == 0 {
            return Err(Fault::Argument(1, "option 'c0' has no fixed size".into()));
        }
        if !item.what.is_ascii_alphanumeric() {
            format.control(item.what)?;
        }
        at += item.size;
    }
    lua.push_number(at as f64);
    Ok(1)
}
