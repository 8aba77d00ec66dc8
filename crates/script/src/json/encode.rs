use std::ffi::c_int;

use super::{DEPTH_LIMIT, JsonConfig};
use crate::lua::{Fault, Lua, Type};
use crate::number;
use crate::state::State;

pub(super) fn encode(lua: Lua<'_>, state: &State) -> Result<c_int, Fault> {
    if lua.top() != 1 {
        return Err(Fault::Argument(1, "expected 1 argument".into()));
    }
    let config = state.json.borrow();
    let mut encoder = Encoder { lua, config: &config, out: Vec::new(), room: state.room_bytes() };
    encoder.value(0)?;
    lua.push_bytes(&encoder.out);
    Ok(1)
}

struct Encoder<'a> {
    lua: Lua<'a>,
    config: &'a JsonConfig,
    out: Vec<u8>,
    room: usize,
}

impl Encoder<'_> {
    /// Writes the value on top of the stack.
    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        let lua = self.lua;
        if self.out.len() > self.room {
            return Err(Fault::text("not enough memory"));
        }
        match lua.kind(-1) {
            Type::String => self.string(-1)?,
            Type::Number => self.number(-1)?,
            Type::Boolean if lua.boolean(-1) => self.out.extend_from_slice(b"true"),
            Type::Boolean => self.out.extend_from_slice(b"false"),
            Type::Table => {
                let depth = depth + 1;
                let limit = self.config.encode_depth.min(DEPTH_LIMIT);
                if depth > limit || !lua.reserve(4) {
                    let text = format!("Cannot serialise, excessive nesting ({depth})");
                    return Err(Fault::text(text));
                }
                match self.array_length()? {
                    Some(len) if len > 0 => self.array(depth, len)?,
                    _ => self.object(depth)?,
                }
            }
            Type::Nil => self.out.extend_from_slice(b"null"),
            Type::Pointer if lua.is_null_pointer(-1) => self.out.extend_from_slice(b"null"),
            _ => return Err(self.cannot(-1, "type not supported")),
        }
        Ok(())
    }

    fn cannot(&self, index: c_int, why: &str) -> Fault {
        Fault::text(format!("Cannot serialise {}: {why}", self.lua.kind_name(index)))
    }

    /// The greatest index, if all keys are positive integers.
    fn array_length(&self) -> Result<Option<i64>, Fault> {
        let lua = self.lua;
        let table = lua.top();
        let (mut max, mut items) = (0_i64, 0_i64);
        lua.push_nil();
        while lua.next(table) {
            let key = lua.number(-2).filter(|_| lua.kind(-2) == Type::Number);
            match key {
                Some(key) if key.floor() == key && key >= 1.0 => {
                    max = max.max(i64::from(number::truncate(key) as i32));
                    items += 1;
                    lua.pop(1);
                }
                _ => {
                    lua.pop(2);
                    return Ok(None);
                }
            }
        }
        let config = self.config;
        let sparse = config.sparse_ratio > 0
            && max > items.saturating_mul(config.sparse_ratio)
            && max > config.sparse_safe;
        match (sparse, config.sparse_convert) {
            (true, false) => Err(self.cannot(-1, "excessively sparse array")),
            (true, true) => Ok(None),
            (false, _) => Ok(Some(max)),
        }
    }

    fn array(&mut self, depth: usize, len: i64) -> Result<(), Fault> {
        self.out.push(b'[');
        for item in 1..=len {
            if item > 1 {
                self.out.push(b',');
            }
            self.lua.get_item(-1, item as c_int);
            self.value(depth)?;
            self.lua.pop(1);
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), Fault> {
        let lua = self.lua;
        let table = lua.top();
        self.out.push(b'{');
        let start = self.out.len();
        lua.push_nil();
        while lua.next(table) {
            if self.out.len() > start {
                self.out.push(b',');
            }
            match lua.kind(-2) {
                Type::Number => {
                    self.out.push(b'"');
                    self.number(-2)?;
                    self.out.push(b'"');
                }
                Type::String => self.string(-2)?,
                _ => return Err(self.cannot(-2, "table key must be a number or string")),
            }
            self.out.push(b':');
            self.value(depth)?;
            lua.pop(1);
        }
        self.out.push(b'}');
        Ok(())
    }

    fn number(&mut self, index: c_int) -> Result<(), Fault> {
        let value = self.lua.number(index).unwrap_or_default();
        if !value.is_finite() {
            match self.config.encode_invalid {
                0 => return Err(self.cannot(index, "must not be NaN or Inf")),
                1 if value.is_nan() => self.out.extend_from_slice(b"nan"),
                1 => number::general(value, self.config.precision, &mut self.out),
                _ => self.out.extend_from_slice(b"null"),
            }
            return Ok(());
        }
        number::general(value, self.config.precision, &mut self.out);
        Ok(())
    }

    fn string(&mut self, index: c_int) -> Result<(), Fault> {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let text = self.lua.string(index).unwrap_or_default();
        self.out.reserve(text.len() + 2);
        self.out.push(b'"');
        for byte in text {
            match byte {
                b'"' => self.out.extend_from_slice(b"\\\""),
                b'\\' => self.out.extend_from_slice(b"\\\\"),
                b'/' => self.out.extend_from_slice(b"\\/"),
                8 => self.out.extend_from_slice(b"\\b"),
                9 => self.out.extend_from_slice(b"\\t"),
                10 => self.out.extend_from_slice(b"\\n"),
                12 => self.out.extend_from_slice(b"\\f"),
                13 => self.out.extend_from_slice(b"\\r"),
                0..0x20 | 0x7f => {
                    let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                    self.out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
                    if self.out.len() > self.room {
                        return Err(Fault::text("not enough memory"));
                    }
                }
                other => self.out.push(*other),
            }
        }
        self.out.push(b'"');
        Ok(())
    }
}
