//! Making an interpreter.
use std::ffi::{CStr, c_int};

use mlua_sys as ffi;

use super::{Lua, lua_State};
use crate::state::State;

/// `pcall` and `xpcall`, with room for the status behind as many results as there may be: the interpreter's own
/// have none.
///
/// # Safety
/// Called by the interpreter. What raises here has nothing to drop.
unsafe extern "C-unwind" fn protected_call(lua: *mut lua_State) -> c_int {
    // SAFETY: the caller's promise; places on the stack are there or asked for.
    unsafe {
        ffi::luaL_checkany(lua, 1);
        let status = ffi::lua_pcall(lua, ffi::lua_gettop(lua) - 1, ffi::LUA_MULTRET, 0);
        ffi::luaL_checkstack_(lua, 1, c"too many results".as_ptr());
        ffi::lua_pushboolean(lua, c_int::from(status == ffi::LUA_OK));
        ffi::lua_insert(lua, 1);
        ffi::lua_gettop(lua)
    }
}

/// # Safety
/// As [`protected_call`].
unsafe extern "C-unwind" fn handled_call(lua: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        ffi::luaL_checkany(lua, 2);
        ffi::lua_settop(lua, 2);
        ffi::lua_insert(lua, 1);
        let status = ffi::lua_pcall(lua, 0, ffi::LUA_MULTRET, 1);
        ffi::luaL_checkstack_(lua, 1, c"too many results".as_ptr());
        ffi::lua_pushboolean(lua, c_int::from(status == ffi::LUA_OK));
        ffi::lua_replace(lua, 1);
        ffi::lua_gettop(lua)
    }
}

/// Puts our `pcall` and `xpcall` in the place of the interpreter's.
pub(crate) fn replace_protected_calls(lua: Lua<'_>) {
    // SAFETY: two C functions become globals; allocations do not fail here.
    unsafe {
        ffi::lua_pushcclosure(lua.raw(), protected_call, 0);
        ffi::lua_setfield(lua.raw(), ffi::LUA_GLOBALSINDEX, c"pcall".as_ptr());
        ffi::lua_pushcclosure(lua.raw(), handled_call, 0);
        ffi::lua_setfield(lua.raw(), ffi::LUA_GLOBALSINDEX, c"xpcall".as_ptr());
    }
}

/// Opens the standard libraries that scripts have: the base, tables, strings and mathematics.
///
/// # Safety
/// The interpreter is new.
pub(crate) unsafe fn open_libraries(lua: Lua<'_>) {
    type Open = unsafe extern "C-unwind" fn(*mut lua_State) -> c_int;
    let libraries: [(&CStr, Open); 4] = [
        (c"", ffi::luaopen_base),
        (c"table", ffi::luaopen_table),
        (c"string", ffi::luaopen_string),
        (c"math", ffi::luaopen_math),
    ];
    for (name, open) in libraries {
        // SAFETY: what the interpreter's own `luaL_openlibs` does; allocations do not fail here.
        unsafe {
            ffi::lua_pushcclosure(lua.raw(), open, 0);
            ffi::lua_pushstring_(lua.raw(), name.as_ptr());
            ffi::lua_call(lua.raw(), 1, 0);
        }
    }
}

/// An interpreter that allocates through `state`, which must outlive it.
pub(crate) struct Interpreter(*mut lua_State);

impl Interpreter {
    pub fn new(state: &State) -> Option<Self> {
        let state = std::ptr::from_ref(state).cast_mut().cast();
        // SAFETY: the allocator's contract; the caller keeps the state.
        let lua = unsafe { ffi::lua_newstate(crate::state::allocate, state) };
        (!lua.is_null()).then_some(Self(lua))
    }

    /// Its main thread; the caller's code is at work (`State::native`).
    pub fn lua(&self) -> Lua<'_> {
        // SAFETY: it lives, and nothing of it runs.
        unsafe { Lua::new(self.0) }
    }
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        // SAFETY: made by `new`, closed once.
        unsafe { ffi::lua_close(self.0) }
    }
}
