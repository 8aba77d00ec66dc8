//! Replies to values, and values to replies.
use resp::{Protocol, Writer};

use crate::api::push_error;
use crate::lua::{Fault, Lua, Type};
use crate::number;
use crate::state::State;

/// How deep values may be nested.
const DEPTH_MAX: usize = 1000;

/// Pushes the value of a reply.
pub(crate) fn push(lua: Lua<'_>, reply: &[u8]) -> Result<(), Fault> {
    let mut reader = Reader { lua, rest: reply };
    reader.value(0)
}

struct Reader<'a> {
    lua: Lua<'a>,
    rest: &'a [u8],
}

const BROKEN: &str = "reply cannot be read";

impl<'a> Reader<'a> {
    fn line(&mut self) -> Result<&'a [u8], Fault> {
        let end = self.rest.windows(2).position(|pair| pair == b"\r\n");
        let end = end.ok_or_else(|| Fault::text(BROKEN))?;
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 2..];
        Ok(line)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let all = self.rest.get(..len + 2).ok_or_else(|| Fault::text(BROKEN))?;
        self.rest = &self.rest[len + 2..];
        Ok(&all[..len])
    }

    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        let lua = self.lua;
        if depth > DEPTH_MAX || !lua.reserve(6) {
            return Err(Fault::text("reached lua stack limit"));
        }
        let line = self.line()?;
        let (kind, text) = line.split_first().ok_or_else(|| Fault::text(BROKEN))?;
        let integer = || codec::number::parse_i64(text).unwrap_or_default();
        let length = usize::try_from(integer());
        match (kind, length) {
            (b'+', _) => self.wrapped("ok", text),
            (b'-', _) => {
                let line = match text.contains(&b' ') {
                    true => text.to_vec(),
                    false => [b"ERR ", text].concat(),
                };
                push_error(lua, &line, true);
            }
            (b':', _) => lua.push_number(integer() as f64),
            (b'$' | b'*', Err(_)) => lua.push_boolean(false),
            (b'$', Ok(len)) => lua.push_bytes(self.bytes(len)?),
            (b'=', Ok(len)) => self.verbatim(len)?,
            (b'*' | b'>', Ok(len)) => {
                lua.push_table(len, 0);
                for item in 1..=len {
                    self.value(depth + 1)?;
                    lua.set_item(-2, item as i32);
                }
            }
            (b'%', Ok(len)) => {
                lua.push_table(0, 1);
                lua.push_table(0, len);
                for _ in 0..len {
                    self.value(depth + 1)?;
                    self.value(depth + 1)?;
                    lua.set_pair(-3);
                }
                lua.set_field(-2, "map");
            }
            (b'~', Ok(len)) => {
                lua.push_table(0, 1);
                lua.push_table(0, len);
                for _ in 0..len {
                    self.value(depth + 1)?;
                    lua.push_boolean(true);
                    lua.set_pair(-3);
                }
                lua.set_field(-2, "set");
            }
            (b',', _) => {
                lua.push_table(0, 1);
                lua.push_number(codec::number::parse_f64(text).unwrap_or(f64::NAN));
                lua.set_field(-2, "double");
            }
            // What is said about a value is not shown to scripts.
            (b'|', Ok(len)) => {
                for _ in 0..2 * len {
                    self.value(depth + 1)?;
                    lua.pop(1);
                }
                self.value(depth + 1)?;
            }
            (b'#', _) => lua.push_boolean(text == b"t"),
            (b'(', _) => self.wrapped("big_number", text),
            _ => lua.push_nil(),
        }
        Ok(())
    }

    fn wrapped(&self, field: &str, text: &[u8]) {
        self.lua.push_table(0, 1);
        self.lua.push_bytes(text);
        self.lua.set_field(-2, field);
    }

    fn verbatim(&mut self, len: usize) -> Result<(), Fault> {
        let lua = self.lua;
        let all = self.bytes(len)?;
        let (format, text) = all.split_at(all.len().min(4));
        lua.push_table(0, 1);
        lua.push_table(0, 2);
        lua.push_bytes(text);
        lua.set_field(-2, "string");
        lua.push_bytes(format.get(..3).unwrap_or(format));
        lua.set_field(-2, "format");
        lua.set_field(-2, "verbatim_string");
        Ok(())
    }
}

/// Writes the value on top of the stack as a reply, and pops it. Truth values are sent as such only if the
/// script speaks RESP3.
pub(crate) fn write(lua: Lua<'_>, reply: &mut Writer<'_>, state: &State) {
    write_nested(lua, reply, state, 0);
}

fn write_nested(lua: Lua<'_>, reply: &mut Writer<'_>, state: &State, depth: usize) {
    if depth > DEPTH_MAX || !lua.reserve(6) {
        reply.error("ERR reached lua stack limit");
        return lua.pop(1);
    }
    match lua.kind(-1) {
        Type::String => reply.bulk(lua.string(-1).unwrap_or_default()),
        Type::Number => reply.integer(number::truncate(lua.number(-1).unwrap_or_default())),
        Type::Boolean => match (state.protocol.get() == Protocol::Resp3, lua.boolean(-1)) {
            (true, value) => reply.boolean(value),
            (false, true) => reply.integer(1),
            (false, false) => reply.null(),
        },
        Type::Table => write_table(lua, reply, state, depth),
        _ => reply.null(),
    }
    lua.pop(1);
}

fn write_table(lua: Lua<'_>, reply: &mut Writer<'_>, state: &State, depth: usize) {
    if let Some(line) = string_field(lua, "err") {
        lua.get_field(-1, "ignore_error_stats_update");
        if !lua.boolean(-1) {
            let code = line.split(|byte| *byte == b' ').next().unwrap_or_default();
            state.uncounted.borrow_mut().push(code.to_vec());
        }
        lua.pop(1);
        return reply.error_bytes(&line);
    }
    if let Some(text) = string_field(lua, "ok") {
        return reply.simple_bytes(&text);
    }
    if lua.get_field(-1, "double") == Type::Number {
        reply.double(lua.number(-1).unwrap_or_default());
        return lua.pop(1);
    }
    lua.pop(1);
    if let Some(digits) = string_field(lua, "big_number") {
        let digits = String::from_utf8_lossy(&digits).replace(['\r', '\n'], " ");
        return reply.big_number(&digits);
    }
    if lua.get_field(-1, "verbatim_string") == Type::Table
        && let (Some(format), Some(text)) =
            (string_field(lua, "format"), string_field(lua, "string"))
    {
        reply.verbatim(&String::from_utf8_lossy(&format), &text);
        return lua.pop(1);
    }
    lua.pop(1);
    for (field, is_map) in [("map", true), ("set", false)] {
        if lua.get_field(-1, field) == Type::Table {
            write_pairs(lua, reply, state, depth, is_map);
            return lua.pop(1);
        }
        lua.pop(1);
    }
    let deferred = reply.deferred();
    let mut len = 0;
    while lua.get_item(-1, len + 1) != Type::Nil {
        write_nested(lua, reply, state, depth + 1);
        len += 1;
    }
    lua.pop(1);
    reply.finish_array(deferred, len as usize);
}

/// Writes the pairs of the table on top of the stack, or its keys alone.
fn write_pairs(
    lua: Lua<'_>,
    reply: &mut Writer<'_>,
    state: &State,
    depth: usize,
    with_values: bool,
) {
    let deferred = reply.deferred();
    let mut len = 0;
    let table = lua.top();
    lua.push_nil();
    while lua.next(table) {
        lua.push_copy(-2);
        write_nested(lua, reply, state, depth + 1);
        if with_values {
            write_nested(lua, reply, state, depth + 1);
        } else {
            lua.pop(1);
        }
        len += 1;
    }
    if with_values {
        reply.finish_map(deferred, len);
    } else {
        reply.finish_set(deferred, len);
    }
}

/// A field of the table on top of the stack, if it is a string.
pub(crate) fn string_field(lua: Lua<'_>, name: &str) -> Option<Vec<u8>> {
    lua.get_field(-1, name);
    let text = lua.string(-1).map(<[u8]>::to_vec);
    lua.pop(1);
    text
}
