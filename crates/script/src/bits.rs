//! `bit`: operations on 32-bit integers, as LuaJIT's BitOp library defines them
//! (<https://bitop.luajit.org/semantics.html>).
use std::ffi::c_int;

use crate::lua::{Fault, Lua, Native};
use crate::state::State;

type Answer = Result<c_int, Fault>;

/// The functions of `bit`.
pub(crate) const BIT: &[(&str, Native)] = &[
    ("tobit", |lua, _| push(lua, argument(lua, 1)?)),
    ("bnot", |lua, _| push(lua, !argument(lua, 1)?)),
    ("band", |lua, _| fold(lua, |a, b| a & b)),
    ("bor", |lua, _| fold(lua, |a, b| a | b)),
    ("bxor", |lua, _| fold(lua, |a, b| a ^ b)),
    ("lshift", |lua, _| shift(lua, |a, n| a << n)),
    ("rshift", |lua, _| shift(lua, |a, n| a >> n)),
    ("arshift", |lua, _| shift(lua, |a, n| ((a as i32) >> n) as u32)),
    ("rol", |lua, _| shift(lua, u32::rotate_left)),
    ("ror", |lua, _| shift(lua, u32::rotate_right)),
    ("bswap", |lua, _| push(lua, argument(lua, 1)?.swap_bytes())),
    ("tohex", tohex),
];

fn push(lua: Lua<'_>, value: u32) -> Answer {
    lua.push_number(f64::from(value as i32));
    Ok(1)
}

/// A number modulo 2^32, rounded to the nearest integer, to the even one of two.
fn argument(lua: Lua<'_>, index: c_int) -> Result<u32, Fault> {
    let number = lua.number_argument(index)?;
    // Adding this leaves the integer in the low bits of the mantissa.
    const SHIFTER: f64 = 6_755_399_441_055_744.0;
    Ok((number + SHIFTER).to_bits() as u32)
}

fn fold(lua: Lua<'_>, operate: fn(u32, u32) -> u32) -> Answer {
    let mut value = argument(lua, 1)?;
    for index in 2..=lua.top() {
        value = operate(value, argument(lua, index)?);
    }
    push(lua, value)
}

fn shift(lua: Lua<'_>, operate: fn(u32, u32) -> u32) -> Answer {
    let (value, by) = (argument(lua, 1)?, argument(lua, 2)?);
    push(lua, operate(value, by & 31))
}

fn tohex(lua: Lua<'_>, _: &State) -> Answer {
    let value = argument(lua, 1)?;
    let digits = match lua.top() {
        1 => 8,
        _ => argument(lua, 2)? as i32,
    };
    let upper = digits < 0;
    let digits = digits.unsigned_abs().min(8) as usize;
    let text = if upper { format!("{value:08X}") } else { format!("{value:08x}") };
    lua.push_bytes(&text[8 - digits..]);
    Ok(1)
}
