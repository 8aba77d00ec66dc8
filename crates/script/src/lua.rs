//! The C interface of Lua, as far as it is needed, with its conventions kept by construction.
//!
//! Our functions run inside of [`enter`], which ends them before it raises their error: so no jump ever passes
//! a frame that has something to drop. While they run, allocations do not fail (`State::native`).
mod arguments;
mod setup;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mlua_sys as ffi;

pub(crate) use ffi::lua_State;

use crate::state::State;

pub(crate) use setup::{Interpreter, open_libraries, replace_protected_calls};

/// A function of ours: takes its arguments from the stack, leaves its results on top of it and says how many
/// they are.
pub(crate) type Native = fn(Lua<'_>, &State) -> Result<c_int, Fault>;

/// Why a function of ours fails.
pub(crate) enum Fault {
    /// A message, in front of which the place of the call is put.
    Text(Vec<u8>),
    /// An argument is wrong.
    Argument(c_int, String),
    /// The value on top of the stack is raised as it is.
    Top,
    /// Not a fault: the function below so many arguments on top of the stack is called in place of this one.
    Become(c_int),
}

impl Fault {
    pub fn text(message: impl AsRef<[u8]>) -> Self {
        Self::Text(message.as_ref().to_vec())
    }
}

/// What kind of value is somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    None,
    Nil,
    Boolean,
    Pointer,
    Number,
    String,
    Table,
    Function,
    Other,
}

/// A stack of values, in use by one function.
#[derive(Clone, Copy)]
pub(crate) struct Lua<'a> {
    state: *mut lua_State,
    _stack: PhantomData<&'a State>,
}

/// A call of the C interface.
macro_rules! c {
    ($($call:tt)*) => {
        // SAFETY: what `Lua::new` promises; indices that name nothing are answered as such by what is called
        // here, or were checked.
        unsafe { $($call)* }
    };
}

impl<'a> Lua<'a> {
    /// # Safety
    /// The interpreter lives, this is its running thread, and our own code is at work (`State::native`).
    ///
    /// Then every method is sound: they use raw access, so no code of the script runs; allocations do not
    /// fail; and room on the stack is asked for where values are pushed.
    pub unsafe fn new(state: *mut lua_State) -> Self {
        Self { state, _stack: PhantomData }
    }

    pub fn raw(self) -> *mut lua_State {
        self.state
    }

    /// The number of values.
    pub fn top(self) -> c_int {
        c! { ffi::lua_gettop(self.state) }
    }

    /// Makes room for more values; false when there is none.
    pub fn reserve(self, count: usize) -> bool {
        c_int::try_from(count).is_ok_and(|count| {
            c! {
                ffi::lua_checkstack(self.state, count.saturating_add(4)) != 0
            }
        })
    }

    /// The same for values that the function returns at once.
    pub fn reserve_exactly(self, count: i64) -> bool {
        c_int::try_from(count).is_ok_and(|count| c! { ffi::lua_checkstack(self.state, count) != 0 })
    }

    fn one_more(self) {
        // Beyond its bound the stack still has a reserve for the interpreter itself; our functions push few
        // values without `reserve`, and they have 20 places from the start.
        c! { ffi::lua_checkstack(self.state, 1) };
    }

    pub fn kind(self, index: c_int) -> Type {
        match c! { ffi::lua_type(self.state, index) } {
            ffi::LUA_TNONE => Type::None,
            ffi::LUA_TNIL => Type::Nil,
            ffi::LUA_TBOOLEAN => Type::Boolean,
            ffi::LUA_TLIGHTUSERDATA => Type::Pointer,
            ffi::LUA_TNUMBER => Type::Number,
            ffi::LUA_TSTRING => Type::String,
            ffi::LUA_TTABLE => Type::Table,
            ffi::LUA_TFUNCTION => Type::Function,
            _ => Type::Other,
        }
    }

    /// The name of the kind, as errors give it.
    pub fn kind_name(self, index: c_int) -> &'static str {
        match self.kind(index) {
            Type::None => "no value",
            Type::Nil => "nil",
            Type::Boolean => "boolean",
            Type::Pointer => "userdata",
            Type::Number => "number",
            Type::String => "string",
            Type::Table => "table",
            Type::Function => "function",
            Type::Other => match c! { ffi::lua_type(self.state, index) } {
                ffi::LUA_TTHREAD => "thread",
                _ => "userdata",
            },
        }
    }

    /// The bytes of a string. They stay where they are as long as the string is on the stack: for arguments, as
    /// long as the function runs. Whatever is popped has to be copied before.
    pub fn string(self, index: c_int) -> Option<&'a [u8]> {
        (self.kind(index) == Type::String).then(|| self.bytes(index))
    }

    /// The bytes of a string, or of a number, which becomes a string.
    pub fn text(self, index: c_int) -> Option<&'a [u8]> {
        matches!(self.kind(index), Type::String | Type::Number).then(|| self.bytes(index))
    }

    fn bytes(self, index: c_int) -> &'a [u8] {
        let mut len = 0;
        let start = c! { ffi::lua_tolstring(self.state, index, &mut len) };
        if start.is_null() {
            return &[];
        }
        c! { std::slice::from_raw_parts(start.cast(), len) }
    }

    /// A number, or a string that is one.
    pub fn number(self, index: c_int) -> Option<f64> {
        let is_number = c! { ffi::lua_isnumber(self.state, index) != 0 };
        is_number.then(|| c! { ffi::lua_tonumber(self.state, index) })
    }

    pub fn boolean(self, index: c_int) -> bool {
        c! { ffi::lua_toboolean(self.state, index) != 0 }
    }

    /// Whether it is the pointer to nothing (`cjson.null`).
    pub fn is_null_pointer(self, index: c_int) -> bool {
        self.kind(index) == Type::Pointer && c! { ffi::lua_touserdata(self.state, index).is_null() }
    }

    pub fn push_nil(self) {
        self.one_more();
        c! { ffi::lua_pushnil(self.state) }
    }

    pub fn push_boolean(self, value: bool) {
        self.one_more();
        c! { ffi::lua_pushboolean(self.state, c_int::from(value)) }
    }

    pub fn push_number(self, value: f64) {
        self.one_more();
        c! { ffi::lua_pushnumber(self.state, value) }
    }

    pub fn push_bytes(self, bytes: impl AsRef<[u8]>) {
        self.one_more();
        let bytes = bytes.as_ref();
        c! { ffi::lua_pushlstring_(self.state, bytes.as_ptr().cast(), bytes.len()) }
    }

    pub fn push_null_pointer(self) {
        self.one_more();
        c! { ffi::lua_pushlightuserdata(self.state, std::ptr::null_mut()) }
    }

    pub fn push_copy(self, index: c_int) {
        self.one_more();
        c! { ffi::lua_pushvalue(self.state, index) }
    }

    /// Makes a table with room for so many items and fields.
    pub fn push_table(self, items: usize, fields: usize) {
        self.one_more();
        let hint = |count: usize| c_int::try_from(count.min(1 << 20)).unwrap_or(0);
        c! { ffi::lua_createtable(self.state, hint(items), hint(fields)) }
    }

    pub fn pop(self, count: c_int) {
        c! { ffi::lua_settop(self.state, -count - 1) }
    }

    pub fn insert(self, index: c_int) {
        c! { ffi::lua_insert(self.state, index) }
    }

    /// Pushes a field of the table at `index`.
    pub fn get_field(self, index: c_int, name: &str) -> Type {
        let index = self.absolute(index);
        self.push_bytes(name);
        c! { ffi::lua_rawget_(self.state, index) };
        self.kind(-1)
    }

    /// Pushes an item of the table at `index`.
    pub fn get_item(self, index: c_int, item: c_int) -> Type {
        self.one_more();
        c! { ffi::lua_rawgeti_(self.state, index, item) };
        self.kind(-1)
    }

    /// Pops a value and makes it a field of the table at `index`.
    pub fn set_field(self, index: c_int, name: &str) {
        let index = self.absolute(index);
        self.push_bytes(name);
        self.insert(-2);
        c! { ffi::lua_rawset(self.state, index) }
    }

    /// Pops a value and makes it an item of the table at `index`.
    pub fn set_item(self, index: c_int, item: c_int) {
        c! { ffi::lua_rawseti_(self.state, index, item) }
    }

    /// Pops a value and a key below it, and puts them into the table at `index`. Keys that cannot be are left
    /// out.
    pub fn set_pair(self, index: c_int) {
        let index = self.absolute(index);
        let bad = match self.kind(-2) {
            Type::Nil => true,
            Type::Number => self.number(-2).is_none_or(f64::is_nan),
            _ => false,
        };
        if bad {
            return self.pop(2);
        }
        c! { ffi::lua_rawset(self.state, index) }
    }

    /// Pops a key and pushes the next key and value of the table at `index`; false at the end.
    pub fn next(self, index: c_int) -> bool {
        self.one_more();
        c! { ffi::lua_next(self.state, index) != 0 }
    }

    /// The border of a table, the length of a string.
    pub fn length(self, index: c_int) -> usize {
        c! { ffi::lua_objlen(self.state, index) }
    }

    pub fn absolute(self, index: c_int) -> c_int {
        if index > 0 || index <= ffi::LUA_REGISTRYINDEX { index } else { self.top() + index + 1 }
    }

    /// Pushes the metatable of a value, if it has one.
    pub fn push_metatable(self, index: c_int) -> bool {
        self.one_more();
        c! { ffi::lua_getmetatable(self.state, index) != 0 }
    }

    /// Keeps the value on top of the stack under a number.
    pub fn keep(self) -> c_int {
        c! { ffi::luaL_ref(self.state, ffi::LUA_REGISTRYINDEX) }
    }

    /// Pushes a kept value.
    pub fn push_kept(self, number: c_int) {
        self.one_more();
        c! { ffi::lua_rawgeti_(self.state, ffi::LUA_REGISTRYINDEX, number) }
    }

    /// Lets a kept value go.
    pub fn let_go(self, number: c_int) {
        c! { ffi::luaL_unref(self.state, ffi::LUA_REGISTRYINDEX, number) }
    }

    /// Source and line of the function at `level` of the call stack, and whether it is one of C.
    pub fn place(self, level: c_int) -> Option<(String, c_int, bool)> {
        let mut info = c! { std::mem::zeroed::<ffi::lua_Debug>() };
        if c! { ffi::lua_getstack(self.state, level, &mut info) } == 0 {
            return None;
        }
        c! { ffi::lua_getinfo(self.state, c"Sl".as_ptr(), &mut info) };
        let source = c! { CStr::from_ptr(info.source) }.to_string_lossy().into_owned();
        let is_c = c! { CStr::from_ptr(info.what) } == c"C";
        Some((source, info.currentline, is_c))
    }

    /// Pushes `bytes` with the place of the caller in front.
    fn push_with_place(self, bytes: &[u8]) {
        c! { ffi::luaL_where(self.state, 1) };
        let mut text = self.bytes(-1).to_vec();
        self.pop(1);
        text.extend_from_slice(bytes);
        self.push_bytes(text);
    }

    fn argument_fault(self, mut index: c_int, what: &str) -> String {
        let mut info = c! { std::mem::zeroed::<ffi::lua_Debug>() };
        let mut name = "?".to_owned();
        if c! { ffi::lua_getstack(self.state, 0, &mut info) } != 0 {
            c! { ffi::lua_getinfo(self.state, c"n".as_ptr(), &mut info) };
            if !info.name.is_null() {
                name = c! { CStr::from_ptr(info.name) }.to_string_lossy().into_owned();
            }
            let is_method =
                !info.namewhat.is_null() && c! { CStr::from_ptr(info.namewhat) } == c"method";
            if is_method {
                index -= 1;
                if index == 0 {
                    return format!("calling '{name}' on bad self ({what})");
                }
            }
        }
        format!("bad argument #{index} to '{name}' ({what})")
    }

    /// Pushes a function of ours.
    pub fn push_native(self, state: &State, native: Native) {
        self.reserve(2);
        c! {
            ffi::lua_pushlightuserdata(self.state, std::ptr::from_ref(state).cast_mut().cast());
            ffi::lua_pushlightuserdata(self.state, native as *mut c_void);
            ffi::lua_pushcclosure(self.state, enter, 2);
        }
    }

    /// Pops a value and pushes a function of ours that keeps it.
    pub fn push_closure(self, state: &State, native: Native) {
        self.reserve(3);
        c! {
            ffi::lua_pushlightuserdata(self.state, std::ptr::from_ref(state).cast_mut().cast());
            ffi::lua_pushlightuserdata(self.state, native as *mut c_void);
            ffi::lua_pushvalue(self.state, -3);
            ffi::lua_pushcclosure(self.state, enter, 3);
            ffi::lua_remove(self.state, -2);
        }
    }

    /// Pushes what the function that runs keeps.
    pub fn push_upvalue(self) {
        self.one_more();
        c! { ffi::lua_pushvalue(self.state, ffi::lua_upvalueindex(3)) }
    }

    /// Pushes the compiled `source`, which must be text, with the environment on top of the stack, which it
    /// takes away.
    ///
    /// # Errors
    /// What is wrong with the source.
    pub fn compile(self, source: &[u8], name: &str) -> Result<(), Vec<u8>> {
        if let Some(why) = unfit(source) {
            self.pop(1);
            return Err(why.into());
        }
        let name = name.replace('\0', " ");
        let Ok(name) = std::ffi::CString::new(name) else { return Err(Vec::new()) };
        let start = source.as_ptr().cast::<c_char>();
        // A chunk that is being compiled is not anchored everywhere: nothing may be collected meanwhile.
        c! { ffi::lua_gc(self.state, ffi::LUA_GCSTOP, 0) };
        let status = c! { ffi::luaL_loadbuffer(self.state, start, source.len(), name.as_ptr()) };
        c! { ffi::lua_gc(self.state, ffi::LUA_GCRESTART, 0) };
        self.insert(-2);
        if status != ffi::LUA_OK {
            let error = self.text(-2).unwrap_or_default().to_vec();
            self.pop(2);
            return Err(error);
        }
        c! { ffi::lua_setfenv(self.state, -2) };
        Ok(())
    }

    /// Calls the function below so many arguments as the script's code; false when it failed. One value, the
    /// result or the error, takes the place of all. `handler` is the index of a function that errors go
    /// through, or 0.
    pub fn run(self, state: &State, arguments: c_int, handler: c_int) -> bool {
        state.native.set(false);
        let status = c! { ffi::lua_pcall(self.state, arguments, 1, handler) };
        state.native.set(true);
        status == ffi::LUA_OK
    }

    /// Calls `hook` after every `count` instructions, in coroutines made from now on, too.
    pub fn set_hook(self, hook: ffi::lua_Hook, count: c_int) {
        c! { ffi::lua_sethook(self.state, Some(hook), ffi::LUA_MASKCOUNT, count) };
    }

    /// Collects all garbage.
    pub fn collect(self) {
        c! { ffi::lua_gc(self.state, ffi::LUA_GCCOLLECT, 0) };
    }
}

/// What the lexer must not get to see: compiled code, which could do anything, and long brackets of a level
/// that overflows its counter.
fn unfit(source: &[u8]) -> Option<&'static str> {
    const LEVEL_MAX: usize = 1 << 16;
    if source.first() == Some(&0x1b) {
        return Some("attempt to load chunk with wrong mode");
    }
    let mut level = 0;
    for byte in source {
        level = if *byte == b'=' { level + 1 } else { 0 };
        if level > LEVEL_MAX {
            return Some("chunk has too many '=' in a row");
        }
    }
    None
}

/// Runs a function of ours: its upvalues are the state and the function.
///
/// # Safety
/// Called by the interpreter, with the upvalues that `push_native` gave it.
unsafe extern "C-unwind" fn enter(lua: *mut lua_State) -> c_int {
    // SAFETY: `push_native` made the upvalues; the state outlives the interpreter.
    let (state, native) = unsafe {
        let state = ffi::lua_touserdata(lua, ffi::lua_upvalueindex(1)).cast::<State>();
        let native = ffi::lua_touserdata(lua, ffi::lua_upvalueindex(2));
        (&*state, std::mem::transmute::<*mut c_void, Native>(native))
    };
    let before = state.native.replace(true);
    let after = invoke(lua, state, native);
    state.native.set(before);
    // SAFETY: nothing here has a destructor any more, so the jumps that these may make skip none.
    unsafe {
        match after {
            After::Return(count) => count,
            After::Raise => ffi::lua_error(lua),
            After::Become(arguments) => {
                let function = ffi::lua_gettop(lua) - arguments;
                ffi::lua_call(lua, arguments, ffi::LUA_MULTRET);
                ffi::lua_gettop(lua) - function + 1
            }
        }
    }
}

enum After {
    Return(c_int),
    Raise,
    Become(c_int),
}

/// Runs it to its end, with everything dropped, and leaves the error to be raised on the stack.
fn invoke(lua: *mut lua_State, state: &State, native: Native) -> After {
    // SAFETY: `enter` runs on the interpreter's thread and has set `native`.
    let lua = unsafe { Lua::new(lua) };
    match catch_unwind(AssertUnwindSafe(|| native(lua, state))) {
        Ok(Ok(count)) => After::Return(count),
        Ok(Err(Fault::Become(arguments))) => After::Become(arguments),
        Ok(Err(Fault::Top)) => After::Raise,
        Ok(Err(Fault::Text(text))) => {
            lua.push_with_place(&text);
            After::Raise
        }
        Ok(Err(Fault::Argument(index, what))) => {
            let text = lua.argument_fault(index, &what);
            lua.push_with_place(text.as_bytes());
            After::Raise
        }
        Err(_) => {
            lua.push_bytes("internal error");
            After::Raise
        }
    }
}

/// Pushes the table of globals.
pub(crate) fn push_globals(lua: Lua<'_>) {
    // SAFETY: a pseudo index that always is.
    unsafe { ffi::lua_pushvalue(lua.raw(), ffi::LUA_GLOBALSINDEX) }
}

/// What the hook needs.
pub(crate) mod hook {
    pub(crate) use mlua_sys::{LUA_MASKCOUNT, LUA_MASKLINE, lua_Debug, lua_error, lua_sethook};
}
