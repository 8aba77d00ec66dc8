//! The functions of `string` that search, or could run for long.
use std::ffi::c_int;

use crate::lua::{Fault, Lua, Native, Type};
use crate::pattern::{Capture, Matcher};
use crate::state::State;

type Answer = Result<c_int, Fault>;

/// The functions of `string` that are ours.
pub(crate) const STRING: &[(&str, Native)] =
    &[("find", find), ("match", first_match), ("gmatch", gmatch), ("gsub", gsub), ("rep", rep)];

/// What makes a pattern more than its own text.
const SPECIALS: &[u8] = b"^$*+?.([%-";

/// Where a search begins: positions count from 1, or from the end when negative.
fn start_of(init: i64, len: usize) -> usize {
    let start = if init < 0 { (len as i64).saturating_add(init) } else { init - 1 };
    usize::try_from(start.max(0)).unwrap_or(0).min(len)
}

fn find(lua: Lua<'_>, state: &State) -> Answer {
    search(lua, state, true)
}

fn first_match(lua: Lua<'_>, state: &State) -> Answer {
    search(lua, state, false)
}

fn search(lua: Lua<'_>, state: &State, positions: bool) -> Answer {
    let text = lua.string_argument(1)?;
    let pattern = lua.string_argument(2)?;
    let start = start_of(lua.integer_or(3, 1)?, text.len());
    let plain =
        positions && (lua.boolean(4) || !pattern.iter().any(|byte| SPECIALS.contains(byte)));
    if plain {
        let found = crate::text::position(&text[start..], pattern);
        let Some(at) = found.map(|at| at + start) else {
            lua.push_nil();
            return Ok(1);
        };
        lua.push_number((at + 1) as f64);
        lua.push_number((at + pattern.len()) as f64);
        return Ok(2);
    }
    let (anchored, pattern) = anchor(pattern);
    let mut matcher = Matcher::new(text, pattern, state);
    for at in start..=text.len() {
        if let Some(end) = matcher.find_at(at)? {
            if !positions {
                return push_captures(lua, &matcher, text, Some(at..end));
            }
            lua.push_number((at + 1) as f64);
            lua.push_number(end as f64);
            return Ok(push_captures(lua, &matcher, text, None)? + 2);
        }
        if anchored {
            break;
        }
    }
    lua.push_nil();
    Ok(1)
}

fn anchor(pattern: &[u8]) -> (bool, &[u8]) {
    match pattern.strip_prefix(b"^") {
        Some(rest) => (true, rest),
        None => (false, pattern),
    }
}

/// Pushes all captures; the whole match when there is none and `whole` is given.
fn push_captures(
    lua: Lua<'_>,
    matcher: &Matcher<'_>,
    text: &[u8],
    whole: Option<std::ops::Range<usize>>,
) -> Answer {
    if let (true, Some(whole)) = (matcher.captures().is_empty(), whole) {
        lua.push_bytes(&text[whole]);
        return Ok(1);
    }
    lua.reserve(matcher.captures().len());
    for (start, what) in matcher.captures() {
        push_capture(lua, text, *start, *what)?;
    }
    Ok(matcher.captures().len() as c_int)
}

fn push_capture(lua: Lua<'_>, text: &[u8], start: usize, what: Capture) -> Result<(), Fault> {
    match what {
        Capture::Open => return Err(Fault::text("unfinished capture")),
        Capture::Position => lua.push_number((start + 1) as f64),
        Capture::Bytes(len) => lua.push_bytes(&text[start..start + len]),
    }
    Ok(())
}

/// The iterator keeps text, pattern and position in a table, since functions of ours have no upvalues of their
/// own: it is called as `for ... in step, {text, pattern, position}`.
fn gmatch(lua: Lua<'_>, state: &State) -> Answer {
    let _ = (lua.string_argument(1)?, lua.string_argument(2)?);
    lua.push_table(3, 0);
    for index in [1, 2] {
        lua.push_copy(index);
        lua.set_item(-2, index);
    }
    lua.push_number(0.0);
    lua.set_item(-2, 3);
    lua.push_closure(state, gmatch_step);
    Ok(1)
}

fn gmatch_step(lua: Lua<'_>, state: &State) -> Answer {
    lua.push_upvalue();
    let own = lua.top();
    lua.get_item(own, 1);
    lua.get_item(own, 2);
    lua.get_item(own, 3);
    let (text, pattern) = (lua.string_argument(own + 1)?, lua.string_argument(own + 2)?);
    let start = lua.integer_argument(own + 3)? as usize;
    // Anchors mean nothing here.
    let mut matcher = Matcher::new(text, pattern, state);
    for at in start..=text.len() {
        if let Some(end) = matcher.find_at(at)? {
            lua.push_number(if end == at { end + 1 } else { end } as f64);
            lua.set_item(own, 3);
            return push_captures(lua, &matcher, text, Some(at..end));
        }
    }
    lua.push_number((text.len() + 1) as f64);
    lua.set_item(own, 3);
    lua.push_nil();
    Ok(1)
}

fn gsub(lua: Lua<'_>, state: &State) -> Answer {
    let text = lua.string_argument(1)?;
    let pattern = lua.string_argument(2)?;
    let max = lua.integer_or(4, text.len() as i64 + 1)?;
    match lua.kind(3) {
        Type::String | Type::Number => {}
        Type::Function | Type::Table => {
            // What calls back into the script is written in Lua.
            crate::engine::push_registered(lua, REPLACE_BY);
            for index in 1..=3 {
                lua.push_copy(index);
            }
            lua.push_number(max as f64);
            return Err(Fault::Become(4));
        }
        _ => {
            return Err(Fault::Argument(3, "string/function/table expected".into()));
        }
    }
    let by = lua.string_argument(3)?;
    let (anchored, pattern) = anchor(pattern);
    let mut matcher = Matcher::new(text, pattern, state);
    let mut out = Vec::new();
    let (mut at, mut count) = (0, 0_i64);
    while count < max {
        let found = matcher.find_at(at)?;
        if let Some(end) = found {
            count += 1;
            replace(&mut out, by, &matcher, text, at..end)?;
            if out.len() > state.room_bytes() / 2 {
                return Err(Fault::text("not enough memory"));
            }
        }
        match found {
            Some(end) if end > at => at = end,
            _ if at < text.len() => {
                out.push(text[at]);
                at += 1;
            }
            _ => break,
        }
        if anchored {
            break;
        }
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    lua.push_bytes(&out);
    lua.push_number(count as f64);
    Ok(2)
}

fn replace(
    out: &mut Vec<u8>,
    by: &[u8],
    matcher: &Matcher<'_>,
    text: &[u8],
    whole: std::ops::Range<usize>,
) -> Result<(), Fault> {
    let mut bytes = by.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = match bytes.next() {
            Some(digit) if digit.is_ascii_digit() => usize::from(digit - b'0'),
            other => {
                out.extend(other);
                continue;
            }
        };
        let captures = matcher.captures();
        if digit == 0 || (digit == 1 && captures.is_empty()) {
            out.extend_from_slice(&text[whole.clone()]);
            continue;
        }
        match captures.get(digit - 1) {
            None => return Err(Fault::text("invalid capture index")),
            Some((_, Capture::Open)) => return Err(Fault::text("unfinished capture")),
            Some((start, Capture::Position)) => {
                out.extend_from_slice((start + 1).to_string().as_bytes());
            }
            Some((start, Capture::Bytes(len))) => {
                out.extend_from_slice(&text[*start..start + len]);
            }
        }
    }
    Ok(())
}

/// Where the prelude's part of `gsub` is kept.
pub(crate) const REPLACE_BY: &str = "rubrica.replace_by";

/// For the prelude: whether a pattern is anchored, and a function that matches it at a position and gives back
/// where the match ends, and the captures.
pub(crate) fn matcher(lua: Lua<'_>, state: &State) -> Answer {
    let _ = (lua.string_argument(1)?, lua.string_argument(2)?);
    let (anchored, pattern) = anchor(lua.string_argument(2)?);
    lua.push_boolean(anchored);
    lua.push_table(2, 0);
    lua.push_copy(1);
    lua.set_item(-2, 1);
    lua.push_bytes(pattern);
    lua.set_item(-2, 2);
    lua.push_closure(state, match_at);
    Ok(2)
}

fn match_at(lua: Lua<'_>, state: &State) -> Answer {
    let at = lua.integer_argument(1)? as usize - 1;
    lua.push_upvalue();
    let own = lua.top();
    lua.get_item(own, 1);
    lua.get_item(own, 2);
    let (text, pattern) = (lua.string_argument(own + 1)?, lua.string_argument(own + 2)?);
    let mut matcher = Matcher::new(text, pattern, state);
    match matcher.find_at(at)? {
        None => Ok(0),
        Some(end) => {
            lua.push_number(end as f64);
            Ok(push_captures(lua, &matcher, text, Some(at..end))? + 1)
        }
    }
}

fn rep(lua: Lua<'_>, state: &State) -> Answer {
    let text = lua.string_argument(1)?;
    let count = lua.integer_argument(2)?.clamp(0, i64::from(i32::MAX)) as usize;
    let len = text.len().checked_mul(count);
    if len.is_none_or(|len| len > state.room_bytes()) {
        return Err(Fault::text("not enough memory"));
    }
    lua.push_bytes(text.repeat(if text.is_empty() { 0 } else { count }));
    Ok(1)
}
