//! What a library registers while it is loaded.
use std::ffi::c_int;
use std::time::Instant;

use crate::flags::Flags;
use crate::lua::{Fault, Lua, Type};
use crate::state::State;

/// A function that a library has registered.
pub struct Registered {
    /// Its name.
    pub name: Vec<u8>,
    /// What it says of itself.
    pub description: Option<Vec<u8>>,
    /// What it declares.
    pub flags: Flags,
    /// Where the interpreter keeps it.
    pub(crate) kept: c_int,
}

/// What a name of a library or of a function must be.
pub const BAD_NAME: &str = "Library names can only contain letters, numbers, or \
                                   underscores(_) and must be at least one character long";

/// Whether a library or a function may have this name.
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

pub(crate) fn register_function(lua: Lua<'_>, state: &State) -> Result<c_int, Fault> {
    let raise = |text: &str| {
        crate::api::push_error(lua, format!("ERR {text}").as_bytes(), false);
        Fault::Top
    };
    let mut loading = state.loading.borrow_mut();
    let Some(loading) = loading.as_mut().filter(|loading| Instant::now() <= loading.deadline)
    else {
        let text = "redis.register_function can only be called on FUNCTION LOAD command";
        return Err(raise(text));
    };
    let registered = match lua.top() {
        1 => named(lua),
        2 => positional(lua),
        _ => Err("wrong number of arguments to redis.register_function"),
    };
    let registered = registered.map_err(raise)?;
    let fault = if !is_name(&registered.name) {
        Some(BAD_NAME)
    } else if loading.registered.iter().any(|other| other.name == registered.name) {
        Some("Function already exists in the library")
    } else {
        None
    };
    if let Some(text) = fault {
        lua.let_go(registered.kept);
        return Err(raise(text));
    }
    loading.registered.push(registered);
    Ok(0)
}

fn positional(lua: Lua<'_>) -> Result<Registered, &'static str> {
    let name = lua.text(1).ok_or("first argument to redis.register_function must be a string")?;
    if lua.kind(2) != Type::Function {
        return Err("second argument to redis.register_function must be a function");
    }
    lua.push_copy(2);
    let kept = lua.keep();
    Ok(Registered { name: name.to_vec(), description: None, flags: Flags::default(), kept })
}

fn named(lua: Lua<'_>) -> Result<Registered, &'static str> {
    if lua.kind(1) != Type::Table {
        return Err(
            "calling redis.register_function with a single argument is only applicable to Lua \
             table (representing named arguments).",
        );
    }
    let (mut name, mut description, mut flags) = (None, None, Flags::default());
    let mut has_callback = false;
    lua.push_nil();
    while lua.next(1) {
        let Some(key) = lua.string(-2) else {
            return Err("named argument key given to redis.register_function is not a string");
        };
        let is = |word: &str| key.eq_ignore_ascii_case(word.as_bytes());
        if is("function_name") {
            let given = lua.text(-1).map(<[u8]>::to_vec);
            name = Some(given.ok_or(
                "function_name argument given to redis.register_function must be a string",
            )?);
        } else if is("description") {
            let given = lua.text(-1).map(<[u8]>::to_vec);
            description =
                Some(given.ok_or(
                    "description argument given to redis.register_function must be a string",
                )?);
        } else if is("callback") {
            if lua.kind(-1) != Type::Function {
                return Err(
                    "callback argument given to redis.register_function must be a function",
                );
            }
            has_callback = true;
            lua.push_copy(-1);
            lua.insert(2);
        } else if is("flags") {
            flags = read_flags(lua)?;
        } else {
            return Err("unknown argument given to redis.register_function");
        }
        lua.pop(1);
    }
    let name = name.ok_or("redis.register_function must get a function name argument")?;
    if !has_callback {
        return Err("redis.register_function must get a callback argument");
    }
    lua.push_copy(2);
    Ok(Registered { name, description, flags, kept: lua.keep() })
}

fn read_flags(lua: Lua<'_>) -> Result<Flags, &'static str> {
    if lua.kind(-1) != Type::Table {
        return Err(
            "flags argument to redis.register_function must be a table representing function flags",
        );
    }
    let mut flags = Flags::default();
    for item in 1.. {
        if lua.get_item(-1, item) == Type::Nil {
            break;
        }
        let flag = lua.text(-1).and_then(|name| Flags::named(name, true));
        flags = flags.with(flag.ok_or("unknown flag given")?);
        lua.pop(1);
    }
    lua.pop(1);
    Ok(flags)
}
