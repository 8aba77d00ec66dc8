//! `cjson`: the library lua-cjson 2.1 (<https://kyne.com.au/~mark/software/lua-cjson-manual.html>), with its texts
//! and its settings. Settings last as long as the script that makes them.
mod decode;
mod encode;

use std::ffi::c_int;

use crate::lua::{Fault, Lua, Native, Type};
use crate::state::State;

type Answer = Result<c_int, Fault>;

/// How deep values may be nested whatever a script asks for: recursion takes stack.
const DEPTH_LIMIT: usize = 2000;

/// The settings.
pub(crate) struct JsonConfig {
    /// Makes objects of arrays with too many holes, in place of an error.
    sparse_convert: bool,
    sparse_ratio: i64,
    sparse_safe: i64,
    encode_depth: usize,
    decode_depth: usize,
    /// 0 refuses numbers that are none, 1 writes them, 2 writes null.
    encode_invalid: u8,
    decode_invalid: bool,
    precision: usize,
    keep_buffer: bool,
}

impl Default for JsonConfig {
    fn default() -> Self {
        Self {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth: 1000,
            decode_depth: 1000,
            encode_invalid: 0,
            decode_invalid: true,
            precision: 14,
            keep_buffer: true,
        }
    }
}

/// The functions of `cjson`.
pub(crate) const CJSON: &[(&str, Native)] = &[
    ("encode", encode::encode),
    ("decode", decode::decode),
    ("encode_sparse_array", encode_sparse_array),
    ("encode_max_depth", encode_max_depth),
    ("decode_max_depth", decode_max_depth),
    ("encode_number_precision", encode_number_precision),
    ("encode_keep_buffer", encode_keep_buffer),
    ("encode_invalid_numbers", encode_invalid_numbers),
    ("decode_invalid_numbers", decode_invalid_numbers),
    ("new", new),
];

/// Adds what is no function.
pub(crate) fn add_constants(lua: Lua<'_>) {
    lua.push_null_pointer();
    lua.set_field(-2, "null");
    lua.push_bytes("cjson");
    lua.set_field(-2, "_NAME");
    lua.push_bytes("2.1.0");
    lua.set_field(-2, "_VERSION");
}

fn new(lua: Lua<'_>, state: &State) -> Answer {
    lua.push_table(0, CJSON.len() + 3);
    for (name, function) in CJSON {
        lua.push_native(state, *function);
        lua.set_field(-2, name);
    }
    add_constants(lua);
    Ok(1)
}

fn at_most(lua: Lua<'_>, count: c_int) -> Result<(), Fault> {
    match lua.top() <= count {
        true => Ok(()),
        false => Err(Fault::Argument(count + 1, "found too many arguments".into())),
    }
}

/// Reads an integer setting, if one is given, and pushes what holds then.
fn integer_setting(
    lua: Lua<'_>,
    index: c_int,
    now: i64,
    range: std::ops::RangeInclusive<i64>,
) -> Result<i64, Fault> {
    let mut value = now;
    if !matches!(lua.kind(index), Type::None | Type::Nil) {
        value = lua.integer_argument(index)?;
        if !range.contains(&value) {
            let text = format!("expected integer between {} and {}", range.start(), range.end());
            return Err(Fault::Argument(1, text));
        }
    }
    Ok(value)
}

/// Reads one of several words, of which the second may be given as true.
fn word_setting(lua: Lua<'_>, index: c_int, now: u8, words: &[&str]) -> Result<u8, Fault> {
    match lua.kind(index) {
        Type::None | Type::Nil => Ok(now),
        Type::Boolean => Ok(u8::from(lua.boolean(index))),
        _ => {
            let word = lua.string_argument(index)?;
            let found = words.iter().position(|known| known.as_bytes() == word);
            found.map(|at| at as u8).ok_or_else(|| {
                let word = String::from_utf8_lossy(word);
                Fault::Argument(index, format!("invalid option '{word}'"))
            })
        }
    }
}

fn push_word(lua: Lua<'_>, value: u8, words: &[&str]) {
    match value {
        0 | 1 => lua.push_boolean(value == 1),
        _ => lua.push_bytes(words[usize::from(value)]),
    }
}

const SWITCH: &[&str] = &["off", "on"];
const INT_MAX: i64 = i32::MAX as i64;

fn encode_sparse_array(lua: Lua<'_>, state: &State) -> Answer {
    at_most(lua, 3)?;
    let mut config = state.json.borrow_mut();
    config.sparse_convert = word_setting(lua, 1, u8::from(config.sparse_convert), SWITCH)? == 1;
    config.sparse_ratio = integer_setting(lua, 2, config.sparse_ratio, 0..=INT_MAX)?;
    config.sparse_safe = integer_setting(lua, 3, config.sparse_safe, 0..=INT_MAX)?;
    lua.push_boolean(config.sparse_convert);
    lua.push_number(config.sparse_ratio as f64);
    lua.push_number(config.sparse_safe as f64);
    Ok(3)
}

fn max_depth(lua: Lua<'_>, depth: &mut usize) -> Answer {
    at_most(lua, 1)?;
    *depth = integer_setting(lua, 1, *depth as i64, 1..=INT_MAX)? as usize;
    lua.push_number(*depth as f64);
    Ok(1)
}

fn encode_max_depth(lua: Lua<'_>, state: &State) -> Answer {
    max_depth(lua, &mut state.json.borrow_mut().encode_depth)
}

fn decode_max_depth(lua: Lua<'_>, state: &State) -> Answer {
    max_depth(lua, &mut state.json.borrow_mut().decode_depth)
}

fn encode_number_precision(lua: Lua<'_>, state: &State) -> Answer {
    at_most(lua, 1)?;
    let mut config = state.json.borrow_mut();
    config.precision = integer_setting(lua, 1, config.precision as i64, 1..=14)? as usize;
    lua.push_number(config.precision as f64);
    Ok(1)
}

fn switch(lua: Lua<'_>, on: &mut bool) -> Answer {
    at_most(lua, 1)?;
    *on = word_setting(lua, 1, u8::from(*on), SWITCH)? == 1;
    lua.push_boolean(*on);
    Ok(1)
}

fn encode_keep_buffer(lua: Lua<'_>, state: &State) -> Answer {
    switch(lua, &mut state.json.borrow_mut().keep_buffer)
}

fn encode_invalid_numbers(lua: Lua<'_>, state: &State) -> Answer {
    const WORDS: &[&str] = &["off", "on", "null"];
    at_most(lua, 1)?;
    let mut config = state.json.borrow_mut();
    config.encode_invalid = word_setting(lua, 1, config.encode_invalid, WORDS)?;
    push_word(lua, config.encode_invalid, WORDS);
    Ok(1)
}

fn decode_invalid_numbers(lua: Lua<'_>, state: &State) -> Answer {
    switch(lua, &mut state.json.borrow_mut().decode_invalid)
}
