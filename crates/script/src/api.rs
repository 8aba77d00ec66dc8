//! `redis.*`, and what of the base library is ours.
use std::ffi::c_int;

use resp::{Protocol, Span};

use crate::lua::{Fault, Lua, Native, Type};
use crate::number;
use crate::reply;
use crate::state::{State, Words};

type Answer = Result<c_int, Fault>;

/// The functions of `redis`.
pub(crate) const REDIS: &[(&str, Native)] = &[
    ("call", call),
    ("pcall", pcall),
    ("error_reply", error_reply),
    ("status_reply", status_reply),
    ("sha1hex", sha1hex),
    ("log", log),
    ("setresp", setresp),
    ("set_repl", set_repl),
    ("replicate_commands", |lua, _| {
        lua.push_boolean(true);
        Ok(1)
    }),
    ("breakpoint", |lua, _| {
        lua.push_boolean(false);
        Ok(1)
    }),
    ("debug", |_, _| Ok(0)),
    ("acl_check_cmd", acl_check_cmd),
];

/// What the prelude builds the globals from.
pub(crate) const BASE: &[(&str, Native)] = &[
    ("dead", dead),
    ("where", place),
    ("memory", memory),
    ("clock", clock),
    ("loadstring", loadstring),
    ("random", random),
    ("randomseed", randomseed),
    ("pairs", make_pairs),
    ("insert", insert),
    ("unpack", unpack),
    ("register_function", crate::library::register_function),
    ("matcher", crate::strings::matcher),
    ("keep_replace_by", |lua, _| {
        lua.push_copy(1);
        crate::engine::set_registered(lua, crate::strings::REPLACE_BY);
        Ok(0)
    }),
];

/// The source of the prelude, which places of errors skip.
pub(crate) const PRELUDE: &str = "=[C]";

/// Pushes an error as scripts see errors.
pub(crate) fn push_error(lua: Lua<'_>, line: &[u8], counted: bool) {
    lua.push_table(0, 2);
    lua.push_bytes(line);
    lua.set_field(-2, "err");
    if counted {
        lua.push_boolean(true);
        lua.set_field(-2, "ignore_error_stats_update");
    }
}

/// An error of our own, without code: raised as a table.
fn raise(lua: Lua<'_>, text: &str) -> Fault {
    push_error(lua, format!("ERR {text}").as_bytes(), false);
    Fault::Top
}

fn call(lua: Lua<'_>, state: &State) -> Answer {
    if run(lua, state)? { Ok(1) } else { Err(Fault::Top) }
}

fn pcall(lua: Lua<'_>, state: &State) -> Answer {
    run(lua, state).map(|_| 1)
}

/// Runs a command and pushes its reply; false when it is an error.
fn run(lua: Lua<'_>, state: &State) -> Result<bool, Fault> {
    if !state.running.get() {
        let text = "redis.call/pcall can only be called inside a script invocation";
        return Err(raise(lua, text));
    }
    let mut words = state.words.borrow_mut();
    if let Err(text) = read_words(lua, &mut words) {
        push_error(lua, format!("ERR {text}").as_bytes(), false);
        return Ok(false);
    }
    // They may be so many that nothing else would fit.
    lua.pop(lua.top());
    // A former reply may have been huge.
    const KEEP: usize = 1 << 20;
    let mut reply = state.reply.borrow_mut();
    reply.clear();
    reply.shrink_to(KEEP);
    let protocol = state.protocol.get();
    let answer = state.with_host(|host| host.call(&words, protocol, &mut reply));
    words.clear();
    words.buffer.shrink_to(KEEP);
    match answer {
        None => Err(raise(lua, "redis.call/pcall called while another call runs")),
        Some(Err(text)) => {
            let line = match text.strip_prefix('-') {
                Some(line) => line.to_owned(),
                None => format!("ERR {text}"),
            };
            push_error(lua, line.as_bytes(), true);
            Ok(false)
        }
        Some(Ok(())) if reply.len() > state.room_bytes() => Err(Fault::text("not enough memory")),
        Some(Ok(())) => {
            reply::push(lua, &reply)?;
            Ok(reply.first() != Some(&b'-'))
        }
    }
}

/// Reads the arguments as the words of a command. Numbers are written with all their digits.
fn read_words(lua: Lua<'_>, words: &mut Words) -> Result<(), &'static str> {
    words.clear();
    let count = lua.top();
    if count == 0 {
        return Err("Please specify at least one argument for this redis lib call");
    }
    for index in 1..=count {
        match lua.kind(index) {
            Type::String => words.push(lua.string(index).unwrap_or_default()),
            Type::Number => {
                let start = words.buffer.len();
                number::general(lua.number(index).unwrap_or_default(), 17, &mut words.buffer);
                let len = words.buffer.len() - start;
                words.spans.push(Span { start: start as u32, len: len as u32 });
            }
            _ => return Err("Lua redis lib command arguments must be strings or integers"),
        }
    }
    Ok(())
}

fn acl_check_cmd(lua: Lua<'_>, state: &State) -> Answer {
    if !state.running.get() {
        let text = "redis.acl_check_cmd can only be called inside a script invocation";
        return Err(raise(lua, text));
    }
    let mut words = state.words.borrow_mut();
    read_words(lua, &mut words).map_err(|text| raise(lua, text))?;
    match state.with_host(|host| host.may_run(&words)).flatten() {
        None => Err(raise(lua, "Invalid command passed to redis.acl_check_cmd()")),
        Some(may) => {
            lua.push_boolean(may);
            Ok(1)
        }
    }
}

fn only_string(lua: Lua<'_>) -> Option<&[u8]> {
    lua.string(1).filter(|_| lua.top() == 1)
}

fn error_reply(lua: Lua<'_>, _: &State) -> Answer {
    let Some(text) = only_string(lua) else {
        push_error(lua, b"ERR wrong number or type of arguments", false);
        return Ok(1);
    };
    let text = text.strip_prefix(b"-").unwrap_or(text);
    // One word is a message without a code.
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    let text = &text[..end];
    let mut line = if text.contains(&b' ') { Vec::new() } else { b"ERR ".to_vec() };
    line.extend_from_slice(text);
    let (code, message) = match line.iter().position(|byte| *byte == b' ') {
        Some(at) => line.split_at(at + 1),
        None => line.split_at(0),
    };
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let from = message.iter().position(|byte| !is_end(byte)).unwrap_or(message.len());
    let to = message.iter().rposition(|byte| !is_end(byte)).map_or(from, |at| at + 1);
    push_error(lua, &[code, &message[from..to]].concat(), false);
    Ok(1)
}

fn status_reply(lua: Lua<'_>, _: &State) -> Answer {
    if only_string(lua).is_none() {
        push_error(lua, b"ERR wrong number or type of arguments", false);
        return Ok(1);
    }
    lua.push_table(0, 1);
    lua.push_copy(1);
    lua.set_field(-2, "ok");
    Ok(1)
}

fn sha1hex(lua: Lua<'_>, _: &State) -> Answer {
    if lua.top() != 1 {
        return Err(raise(lua, "wrong number of arguments"));
    }
    lua.push_bytes(crate::sha1_hex(lua.text(1).unwrap_or_default()));
    Ok(1)
}

fn log(lua: Lua<'_>, state: &State) -> Answer {
    if lua.top() < 2 {
        return Err(raise(lua, "redis.log() requires two arguments or more."));
    }
    let Some(level) = lua.number(1) else {
        return Err(raise(lua, "First argument must be a number (log level)."));
    };
    let level = number::truncate(level);
    if !(0..=3).contains(&level) {
        return Err(raise(lua, "Invalid debug level."));
    }
    let parts: Vec<&[u8]> = (2..=lua.top()).filter_map(|index| lua.text(index)).collect();
    let line = parts.join(&b' ');
    state.with_host(|host| host.log(level, &line));
    Ok(0)
}

fn setresp(lua: Lua<'_>, state: &State) -> Answer {
    if !state.running.get() {
        return Err(raise(lua, "redis.setresp can only be called inside a script invocation"));
    }
    if lua.top() != 1 {
        return Err(raise(lua, "redis.setresp() requires one argument."));
    }
    match number::truncate(lua.number(1).unwrap_or_default()) {
        2 => state.protocol.set(Protocol::Resp2),
        3 => state.protocol.set(Protocol::Resp3),
        _ => return Err(raise(lua, "RESP version must be 2 or 3.")),
    }
    Ok(0)
}

/// Says who is to have the effects of the commands that follow.
fn set_repl(lua: Lua<'_>, state: &State) -> Answer {
    if !state.running.get() {
        return Err(raise(lua, "redis.set_repl can only be called inside a script invocation"));
    }
    if lua.top() != 1 {
        return Err(raise(lua, "redis.set_repl() requires two arguments."));
    }
    let targets = number::truncate(lua.number(1).unwrap_or_default());
    if targets & !3 != 0 {
        let text = "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.";
        return Err(raise(lua, text));
    }
    state.with_host(|host| host.set_targets(targets as u8));
    Ok(0)
}

fn dead(lua: Lua<'_>, state: &State) -> Answer {
    match state.dead.get() {
        Some(why) => lua.push_bytes(why),
        None => lua.push_boolean(false),
    }
    Ok(1)
}

/// Where an error was raised, as the handler that asks sees it: the function that raised it, or its caller
/// when it is one of C.
fn place(lua: Lua<'_>, _: &State) -> Answer {
    // This function is level 0, the handler 1.
    let mut level = 2;
    if let Some((_, _, true)) = lua.place(level) {
        level += 1;
    }
    let mut found = lua.place(level);
    let mut ours = false;
    // What the prelude calls last leaves a mark in place of its caller.
    while found
        .as_ref()
        .is_some_and(|(source, _, _)| source == PRELUDE || (ours && source == "=(tail call)"))
    {
        ours = true;
        level += 1;
        found = lua.place(level);
    }
    let Some((source, line, _)) = found else { return Ok(0) };
    lua.push_bytes(source);
    lua.push_number(f64::from(line));
    Ok(2)
}

fn memory(lua: Lua<'_>, state: &State) -> Answer {
    lua.push_number(state.used_bytes.get() as f64 / 1024.0);
    Ok(1)
}

/// Seconds since the interpreter was made: for measuring how long something takes.
fn clock(lua: Lua<'_>, state: &State) -> Answer {
    lua.push_number(state.started.elapsed().as_secs_f64());
    Ok(1)
}

fn loadstring(lua: Lua<'_>, state: &State) -> Answer {
    let source = lua.string_argument(1)?;
    let name = match lua.kind(2) {
        Type::None | Type::Nil => source,
        _ => lua.string_argument(2)?,
    };
    if source.len() > state.room_bytes() / 8 {
        return Err(Fault::text("not enough memory"));
    }
    let name = String::from_utf8_lossy(name).into_owned();
    crate::engine::push_environment(lua);
    match lua.compile(source, &name) {
        Ok(()) => Ok(1),
        Err(why) => {
            lua.push_nil();
            lua.push_bytes(why);
            Ok(2)
        }
    }
}

fn random(lua: Lua<'_>, state: &State) -> Answer {
    /// Redis's bound of what its generator gives.
    const MAX: i32 = i32::MAX;
    if !state.running.get() {
        return Err(Fault::text("math.random can only be called inside a script invocation"));
    }
    let r = f64::from(state.random.borrow_mut().next() % MAX) / f64::from(MAX);
    let int = |index| lua.integer_argument(index).map(|number| number as i32);
    let empty = |index| Fault::Argument(index, "interval is empty".into());
    let number = match lua.top() {
        0 => r,
        1 => {
            let upper = int(1)?;
            if upper < 1 {
                return Err(empty(1));
            }
            (r * f64::from(upper)).floor() + 1.0
        }
        2 => {
            let (lower, upper) = (int(1)?, int(2)?);
            if lower > upper {
                return Err(empty(2));
            }
            (r * f64::from(upper.wrapping_sub(lower).wrapping_add(1))).floor() + f64::from(lower)
        }
        _ => return Err(Fault::text("wrong number of arguments")),
    };
    lua.push_number(number);
    Ok(1)
}

fn randomseed(lua: Lua<'_>, state: &State) -> Answer {
    if !state.running.get() {
        return Err(Fault::text("math.randomseed can only be called inside a script invocation"));
    }
    state.random.borrow_mut().seed(lua.integer_argument(1)? as i32);
    Ok(0)
}

const NEXT: &str = "rubrica.next";
const NEXT_OF_SHARED: &str = "rubrica.next_of_shared";

/// Keeps the two functions that `pairs` gives out, and gives `pairs` back.
fn make_pairs(lua: Lua<'_>, state: &State) -> Answer {
    lua.push_copy(1);
    crate::engine::set_registered(lua, NEXT);
    lua.push_copy(2);
    crate::engine::set_registered(lua, NEXT_OF_SHARED);
    lua.push_native(state, pairs);
    Ok(1)
}

fn pairs(lua: Lua<'_>, _: &State) -> Answer {
    lua.table_argument(1)?;
    let function = if is_shared(lua, 1) { NEXT_OF_SHARED } else { NEXT };
    crate::engine::push_registered(lua, function);
    lua.push_copy(1);
    lua.push_nil();
    Ok(3)
}

/// Whether a table is one that scripts share and must not change.
fn is_shared(lua: Lua<'_>, index: c_int) -> bool {
    if !lua.push_metatable(index) {
        return false;
    }
    let shared = lua.get_field(-1, "__shared") == Type::Boolean;
    lua.pop(2);
    shared
}

fn insert(lua: Lua<'_>, _: &State) -> Answer {
    /// More would take too long in one step.
    const SHIFT_MAX: i64 = 100_000_000;
    lua.table_argument(1)?;
    if is_shared(lua, 1) {
        lua.push_bytes("Attempt to modify a readonly table");
        return Err(Fault::Top);
    }
    let mut end = lua.length(1) as i64 + 1;
    let position = match lua.top() {
        2 => end,
        3 => {
            let position = lua.integer_argument(2)?;
            // What C's int holds.
            let position = i64::from(position as i32);
            end = end.max(position);
            if end - position > SHIFT_MAX {
                return Err(Fault::Argument(2, "position out of bounds".into()));
            }
            for at in (position..end).rev() {
                lua.get_item(1, at as c_int);
                lua.set_item(1, (at + 1) as c_int);
            }
            position
        }
        _ => return Err(Fault::text("wrong number of arguments to 'insert'")),
    };
    lua.push_copy(lua.top());
    lua.set_item(1, position as c_int);
    Ok(0)
}

fn unpack(lua: Lua<'_>, _: &State) -> Answer {
    lua.table_argument(1)?;
    let first = lua.integer_or(2, 1)?;
    let last = lua.integer_or(3, lua.length(1) as i64)?;
    let (first, last) = (i64::from(first as i32), i64::from(last as i32));
    if first > last {
        return Ok(0);
    }
    let count = last - first + 1;
    if !lua.reserve_exactly(count) {
        return Err(Fault::text("too many results to unpack"));
    }
    for at in first..=last {
        lua.get_item(1, at as c_int);
    }
    Ok(count as c_int)
}
