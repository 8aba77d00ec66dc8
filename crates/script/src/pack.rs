//! `cmsgpack`: MessagePack (<https://github.com/msgpack/msgpack/blob/master/spec-old.md>) in the form that Redis's
//! scripts know.
use std::ffi::c_int;

use crate::lua::{Fault, Lua, Native, Type};
use crate::state::State;

type Answer = Result<c_int, Fault>;

/// Tables nested deeper are packed as nil.
const NESTING_MAX: usize = 16;
/// Values nested deeper are not unpacked.
const DEPTH_MAX: usize = 1000;

/// The functions of `cmsgpack`.
pub(crate) const CMSGPACK: &[(&str, Native)] = &[
    ("pack", pack),
    ("unpack", |lua, _| unpack_some(lua, 0, 0)),
    ("unpack_one", |lua, _| {
        let offset = lua.integer_or(2, 0)?;
        unpack_some(lua, 1, offset)
    }),
    ("unpack_limit", |lua, _| {
        let limit = lua.integer_argument(2)?;
        let offset = lua.integer_or(3, 0)?;
        unpack_some(lua, limit, offset)
    }),
];

/// Adds what is no function.
pub(crate) fn add_constants(lua: Lua<'_>) {
    let texts = [
        ("_NAME", "cmsgpack"),
        ("_VERSION", "lua-cmsgpack 0.4.0"),
        ("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"),
        ("_DESCRIPTION", "MessagePack C implementation for Lua"),
    ];
    for (name, text) in texts {
        lua.push_bytes(text);
        lua.set_field(-2, name);
    }
}

fn pack(lua: Lua<'_>, state: &State) -> Answer {
    if lua.top() == 0 {
        return Err(Fault::Argument(0, "MessagePack pack needs input.".into()));
    }
    let mut out = Vec::new();
    for index in 1..=lua.top() {
        lua.push_copy(index);
        put(lua, &mut out, 0, state)?;
    }
    lua.push_bytes(&out);
    Ok(1)
}

/// Packs the value on top of the stack, and pops it.
fn put(lua: Lua<'_>, out: &mut Vec<u8>, level: usize, state: &State) -> Result<(), Fault> {
    if out.len() > state.room_bytes() {
        return Err(Fault::text("not enough memory"));
    }
    match lua.kind(-1) {
        Type::String => put_bytes(out, lua.string(-1).unwrap_or_default()),
        Type::Boolean => out.push(if lua.boolean(-1) { 0xc3 } else { 0xc2 }),
        Type::Number => put_number(out, lua.number(-1).unwrap_or_default()),
        Type::Table if level < NESTING_MAX && lua.reserve(4) => {
            put_table(lua, out, level, state)?;
        }
        _ => out.push(0xc0),
    }
    lua.pop(1);
    Ok(())
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        len @ 0..32 => out.push(0xa0 | len as u8),
        len @ 32..=0xff => out.extend_from_slice(&[0xd9, len as u8]),
        len => put_length(out, len, 0xda),
    }
    out.extend_from_slice(bytes);
}

/// A length of 16 or 32 bits behind its type, of which the second follows the first.
fn put_length(out: &mut Vec<u8>, len: usize, short: u8) {
    if let Ok(len) = u16::try_from(len) {
        out.push(short);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        out.push(short + 1);
        out.extend_from_slice(&(len as u32).to_be_bytes());
    }
}

fn put_number(out: &mut Vec<u8>, value: f64) {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value.floor() == value && (-LIMIT..LIMIT).contains(&value) {
        return put_integer(out, value as i64);
    }
    let single = value as f32;
    if f64::from(single) == value {
        out.push(0xca);
        out.extend_from_slice(&single.to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

fn put_integer(out: &mut Vec<u8>, value: i64) {
    match value {
        0..=0x7f => out.push(value as u8),
        0x80..=0xff => out.extend_from_slice(&[0xcc, value as u8]),
        0x100..=0xffff => {
            out.push(0xcd);
            out.extend_from_slice(&(value as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xce);
            out.extend_from_slice(&(value as u32).to_be_bytes());
        }
        0x1_0000_0000.. => {
            out.push(0xcf);
            out.extend_from_slice(&value.to_be_bytes());
        }
        -32..0 => out.push(value as u8),
        -128..-32 => out.extend_from_slice(&[0xd0, value as u8]),
        -32768..-128 => {
            out.push(0xd1);
            out.extend_from_slice(&(value as i16).to_be_bytes());
        }
        -2_147_483_648..-32768 => {
            out.push(0xd2);
            out.extend_from_slice(&(value as i32).to_be_bytes());
        }
        _ => {
            out.push(0xd3);
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

fn put_table(lua: Lua<'_>, out: &mut Vec<u8>, level: usize, state: &State) -> Result<(), Fault> {
    let table = lua.top();
    let (mut max, mut count, mut is_array) = (0.0, 0_usize, true);
    lua.push_nil();
    while lua.next(table) {
        lua.pop(1);
        let key = lua.number(-1).filter(|_| lua.kind(-1) == Type::Number);
        match key {
            Some(key) if key > 0.0 && key.floor() == key => max = f64::max(max, key),
            _ => is_array = false,
        }
        count += 1;
    }
    if is_array && max == count as f64 {
        match count {
            0..16 => out.push(0x90 | count as u8),
            _ => put_length(out, count, 0xdc),
        }
        for item in 1..=count {
            lua.get_item(table, item as c_int);
            put(lua, out, level + 1, state)?;
        }
        return Ok(());
    }
    match count {
        0..16 => out.push(0x80 | count as u8),
        _ => put_length(out, count, 0xde),
    }
    lua.push_nil();
    while lua.next(table) {
        lua.push_copy(-2);
        put(lua, out, level + 1, state)?;
        put(lua, out, level + 1, state)?;
    }
    Ok(())
}

fn unpack_some(lua: Lua<'_>, limit: i64, offset: i64) -> Answer {
    let text = lua.string_argument(1)?;
    let all = limit == 0 && offset == 0;
    if offset < 0 || limit < 0 {
        return Err(Fault::text(format!(
            "Invalid request to unpack with offset of {offset} and limit of {}.",
            text.len()
        )));
    }
    let Some(input) = usize::try_from(offset).ok().and_then(|offset| text.get(offset..)) else {
        return Err(Fault::text(format!(
            "Start offset {offset} greater than input length {}.",
            text.len()
        )));
    };
    let mut reader = Reader { lua, rest: input };
    let before = lua.top();
    let mut count = 0;
    while !reader.rest.is_empty() && (all || count < limit) {
        if !lua.reserve(1) {
            return Err(Fault::text(
                "stack overflow (too many return values at once; use unpack_one or unpack_limit \
                 instead.)",
            ));
        }
        reader.value(0)?;
        count += 1;
    }
    if !all {
        let next = match reader.rest.len() {
            0 => -1.0,
            left => (text.len() - left) as f64,
        };
        lua.push_number(next);
        lua.insert(before + 1);
        count += 1;
    }
    Ok(count as c_int)
}

struct Reader<'a> {
    lua: Lua<'a>,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) =
            self.rest.split_at_checked(len).ok_or(Fault::text("Missing bytes in input."))?;
        self.rest = rest;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        let lua = self.lua;
        let kind = self.take(1)?[0];
        match kind {
            0..=0x7f => lua.push_number(f64::from(kind)),
            0xe0..=0xff => lua.push_number(f64::from(kind as i8)),
            0xc0 => lua.push_nil(),
            0xc2 | 0xc3 => lua.push_boolean(kind == 0xc3),
            0xca => lua.push_number(f64::from(f32::from_be_bytes(self.number()?))),
            0xcb => lua.push_number(f64::from_be_bytes(self.number()?)),
            0xcc => lua.push_number(f64::from(u8::from_be_bytes(self.number()?))),
            0xcd => lua.push_number(f64::from(u16::from_be_bytes(self.number()?))),
            0xce => lua.push_number(f64::from(u32::from_be_bytes(self.number()?))),
            0xcf => lua.push_number(u64::from_be_bytes(self.number()?) as f64),
            0xd0 => lua.push_number(f64::from(i8::from_be_bytes(self.number()?))),
            0xd1 => lua.push_number(f64::from(i16::from_be_bytes(self.number()?))),
            0xd2 => lua.push_number(f64::from(i32::from_be_bytes(self.number()?))),
            0xd3 => lua.push_number(i64::from_be_bytes(self.number()?) as f64),
            0xa0..=0xbf => lua.push_bytes(self.take(usize::from(kind & 0x1f))?),
            0xd9..=0xdb => {
                let len = self.length(kind - 0xd9)?;
                lua.push_bytes(self.take(len)?);
            }
            0x90..=0x9f => self.array(usize::from(kind & 0xf), depth)?,
            0xdc | 0xdd => {
                let len = self.length(kind - 0xdc + 1)?;
                self.array(len, depth)?;
            }
            0x80..=0x8f => self.map(usize::from(kind & 0xf), depth)?,
            0xde | 0xdf => {
                let len = self.length(kind - 0xde + 1)?;
                self.map(len, depth)?;
            }
            _ => return Err(Fault::text("Bad data format in input.")),
        }
        Ok(())
    }

    /// A length of 1, 2 or 4 bytes.
    fn length(&mut self, size: u8) -> Result<usize, Fault> {
        Ok(match size {
            0 => usize::from(u8::from_be_bytes(self.number()?)),
            1 => usize::from(u16::from_be_bytes(self.number()?)),
            _ => u32::from_be_bytes(self.number()?) as usize,
        })
    }

    fn descend(&self, depth: usize) -> Result<(), Fault> {
        match depth < DEPTH_MAX && self.lua.reserve(4) {
            true => Ok(()),
            false => Err(Fault::text("stack overflow (too many nested values)")),
        }
    }

    fn array(&mut self, len: usize, depth: usize) -> Result<(), Fault> {
        self.descend(depth)?;
        // What is announced may not be there.
        self.lua.push_table(len.min(self.rest.len()), 0);
        for item in 1..=len {
            self.value(depth + 1)?;
            self.lua.set_item(-2, item as c_int);
        }
        Ok(())
    }

    fn map(&mut self, len: usize, depth: usize) -> Result<(), Fault> {
        self.descend(depth)?;
        self.lua.push_table(0, len.min(self.rest.len() / 2));
        for _ in 0..len {
            self.value(depth + 1)?;
            self.value(depth + 1)?;
            self.lua.set_pair(-3);
        }
        Ok(())
    }
}
