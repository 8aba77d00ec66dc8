//! An interpreter with its sandbox.
//!
//! How scripts are kept inside:
//! - they see libraries and globals through proxies that cannot be changed (`prelude.lua`), and never get to
//!   see compiled code, `debug`, `io`, `os`, `package`, the collector, environments or `newproxy`;
//! - a hook looks every few thousand instructions whether the script has to end; once it has, nothing that
//!   catches errors catches any more;
//! - functions of the C libraries that may run for long, recurse deeply or overflow are ours (`strings`, `api`);
//! - the allocator gives the interpreter so much memory and no more;
//! - nothing is collected while a chunk is compiled, and sources are looked through before.
use std::collections::HashMap;
use std::ffi::c_int;
use std::time::{Duration, Instant};

use resp::Writer;

use crate::api;
use crate::library::Registered;
use crate::lua::{Fault, Interpreter, Lua, Native, Type, hook, lua_State, open_libraries};
use crate::reply;
use crate::state::{Host, Loading, State, Verdict};

/// What one interpreter may allocate.
pub const MEMORY_LIMIT_BYTES: usize = 512 << 20;

/// Instructions between two looks whether the script has to end, while they are as quick as most are.
const HOOK_PERIOD: c_int = 1_000;

/// Time between two looks above which the next one comes sooner. An instruction may copy hundreds of megabytes,
/// so their number alone says little.
const HOOK_TIME_MAX: Duration = Duration::from_millis(2);

/// What remains allocated after a script without a collection.
const GARBAGE_BYTES: usize = 16 << 20;

/// What an engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Scripts, which find their keys and arguments in globals.
    Scripts,
    /// Functions of libraries, which get them as arguments.
    Functions,
}

/// An interpreter with what it has compiled.
pub struct Engine {
    kind: Kind,
    // Goes before the state, to which its functions point.
    interpreter: Interpreter,
    state: Box<State>,
    /// Where the interpreter keeps what.
    handler: c_int,
    globals: c_int,
    set_loading: c_int,
    reset_depth: c_int,
    scripts: HashMap<[u8; 40], c_int>,
}

/// Why a script failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The error line, without `-`.
    pub line: Vec<u8>,
    /// A command has counted the error already.
    pub counted: bool,
}

/// A script or function that runs: what it is called with, and how it is called in errors.
pub struct Run<'a, 'w> {
    /// The name in errors: the script's SHA-1, the function's name.
    pub name: &'a [u8],
    /// What KEYS holds.
    pub keys: &'a mut (dyn Iterator<Item = &'w [u8]> + 'a),
    /// What ARGV holds.
    pub arguments: &'a mut (dyn Iterator<Item = &'w [u8]> + 'a),
}

impl Engine {
    /// An engine; `version` is the one that scripts see, `major.minor.patch`.
    pub fn new(kind: Kind, version: &'static str) -> Self {
        Self::with_limit(kind, version, MEMORY_LIMIT_BYTES)
    }

    /// The same with another limit of memory.
    ///
    /// # Panics
    /// When the process has no memory left, and when the prelude is wrong.
    pub fn with_limit(kind: Kind, version: &'static str, limit_bytes: usize) -> Self {
        let state = Box::new(State::new(limit_bytes, version));
        let interpreter = Interpreter::new(&state).expect("there is memory for an interpreter");
        let kept = build(interpreter.lua(), &state, kind);
        let [handler, globals, set_loading, reset_depth] = kept;
        Self {
            kind,
            interpreter,
            state,
            handler,
            globals,
            set_loading,
            reset_depth,
            scripts: HashMap::new(),
        }
    }

    /// Bytes that the interpreter has allocated.
    pub fn used_bytes(&self) -> usize {
        self.state.used_bytes.get()
    }

    /// Whether a script is compiled.
    pub fn has(&self, sha: &[u8; 40]) -> bool {
        self.scripts.contains_key(sha)
    }

    /// Compiles a script, without a first line that begins with `#!`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn compile(&mut self, sha: [u8; 40], source: &[u8]) -> Result<(), Vec<u8>> {
        let kept = compile(self.interpreter.lua(), source, "@user_script")?;
        self.scripts.insert(sha, kept);
        Ok(())
    }

    /// Forgets a script.
    pub fn forget(&mut self, sha: &[u8; 40]) {
        if let Some(kept) = self.scripts.remove(sha) {
            self.interpreter.lua().let_go(kept);
        }
    }

    /// Runs a compiled script, and writes what it returns; gives back the codes of the errors therein that
    /// nobody has counted.
    ///
    /// # Errors
    /// What it raised; nothing is written then.
    pub fn eval(
        &mut self,
        host: &mut dyn Host,
        sha: &[u8; 40],
        run: Run<'_, '_>,
        reply: &mut Writer<'_>,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let Some(kept) = self.scripts.get(sha).copied() else {
            return Err(Failure { line: b"NOSCRIPT No matching script.".to_vec(), counted: false });
        };
        self.run(host, kept, run, reply)
    }

    /// Runs a function of a library, and writes what it returns, as [`Engine::eval`] does.
    ///
    /// # Errors
    /// What it raised; nothing is written then.
    pub fn call(
        &mut self,
        host: &mut dyn Host,
        function: &Registered,
        run: Run<'_, '_>,
        reply: &mut Writer<'_>,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        self.run(host, function.kept, run, reply)
    }

    fn run(
        &mut self,
        host: &mut dyn Host,
        function: c_int,
        run: Run<'_, '_>,
        reply: &mut Writer<'_>,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let (lua, state) = (self.interpreter.lua(), &*self.state);
        let before = lua.top();
        lua.push_kept(self.handler);
        let handler = lua.top();
        let arguments = match self.kind {
            Kind::Scripts => {
                lua.push_kept(self.globals);
                push_array(lua, run.keys);
                lua.set_field(-2, "KEYS");
                push_array(lua, run.arguments);
                lua.set_field(-2, "ARGV");
                lua.pop(1);
                lua.push_kept(function);
                0
            }
            Kind::Functions => {
                lua.push_kept(function);
                push_array(lua, run.keys);
                push_array(lua, run.arguments);
                2
            }
        };
        let done = state.serve(host, || lua.run(state, arguments, handler));
        let result = if done {
            state.uncounted.borrow_mut().clear();
            reply::write(lua, reply, state);
            Ok(state.uncounted.take())
        } else {
            Err(failure(lua, state, run.name))
        };
        lua.pop(lua.top() - before);
        self.tidy(done);
        result
    }

    /// Puts right what a script has left behind.
    fn tidy(&self, done: bool) {
        let (lua, state) = (self.interpreter.lua(), &*self.state);
        if state.dead.take().is_some() {
            // The hook was set to every instruction.
            lua.set_hook(watch, HOOK_PERIOD);
        }
        if !done {
            lua.push_kept(self.reset_depth);
            lua.run(state, 0, 0);
            lua.pop(1);
        }
        if state.used_bytes.get() > GARBAGE_BYTES {
            lua.collect();
        }
    }

    /// Loads a library, and gives back what it has registered. `source` is without its first line.
    ///
    /// # Errors
    /// What is wrong with it; whatever it registered is forgotten.
    pub fn load(&mut self, source: &[u8], timeout: Duration) -> Result<Vec<Registered>, String> {
        let (lua, state) = (self.interpreter.lua(), &*self.state);
        let kept = compile(lua, source, "@user_function")
            .map_err(|why| format!("Error compiling function: {}", lossy(&why)))?;
        self.set_loading(true);
        let deadline = Instant::now() + timeout;
        *state.loading.borrow_mut() = Some(Loading { registered: Vec::new(), deadline });
        lua.push_kept(kept);
        let done = lua.run(state, 0, 0);
        let loading = state.loading.borrow_mut().take();
        let registered = loading.map(|loading| loading.registered).unwrap_or_default();
        let error = (!done).then(|| {
            let killed = state.dead.get().map(|why| format!("ERR {why}").into_bytes());
            let text = killed.unwrap_or_else(|| describe(lua).0);
            format!("Error registering functions: {}", lossy(&text))
        });
        lua.pop(1);
        lua.let_go(kept);
        self.set_loading(false);
        self.tidy(done);
        match error {
            None => Ok(registered),
            Some(error) => {
                registered.into_iter().for_each(|one| self.unload(one));
                Err(error)
            }
        }
    }

    /// Forgets a function of a library.
    pub fn unload(&mut self, function: Registered) {
        self.interpreter.lua().let_go(function.kept);
    }

    fn set_loading(&self, on: bool) {
        let lua = self.interpreter.lua();
        lua.push_kept(self.set_loading);
        lua.push_boolean(on);
        lua.run(&self.state, 1, 0);
        lua.pop(1);
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn push_array(lua: Lua<'_>, words: &mut dyn Iterator<Item = &[u8]>) {
    lua.push_table(words.size_hint().0, 0);
    for (item, word) in (1..).zip(words) {
        lua.push_bytes(word);
        lua.set_item(-2, item);
    }
}

fn compile(lua: Lua<'_>, source: &[u8], name: &str) -> Result<c_int, Vec<u8>> {
    push_environment(lua);
    lua.compile(source, name)?;
    Ok(lua.keep())
}

/// The message of the error on top of the stack, and whether a command has counted it.
fn describe(lua: Lua<'_>) -> (Vec<u8>, bool) {
    if lua.kind(-1) != Type::Table {
        let text = lua.text(-1).unwrap_or(b"execution failure");
        return ([b"ERR ", text].concat(), false);
    }
    let line = reply::string_field(lua, "err").unwrap_or_else(|| b"ERR unknown error".to_vec());
    lua.get_field(-1, "ignore_error_stats_update");
    let counted = lua.boolean(-1);
    lua.pop(1);
    (line, counted)
}

/// What the error on top of the stack says.
fn failure(lua: Lua<'_>, state: &State, name: &[u8]) -> Failure {
    if lua.kind(-1) != Type::Table && state.dead.get().is_none() {
        let text = lua.text(-1).unwrap_or(b"execution failure");
        let text = &text[..text.len().min(100)];
        let line = [b"ERR Error running script ", name, b", ", text].concat();
        return Failure { line, counted: false };
    }
    let (mut line, counted) = match state.dead.get() {
        Some(why) if lua.kind(-1) != Type::Table => (format!("ERR {why}").into_bytes(), false),
        _ => describe(lua),
    };
    if lua.kind(-1) == Type::Table {
        let source = reply::string_field(lua, "source");
        lua.get_field(-1, "line");
        let at = lua.text(-1).map(<[u8]>::to_vec);
        lua.pop(1);
        if let (Some(source), Some(at)) = (source, at) {
            line.extend([b" script: ", name, b", on ", &source, b":", &at, b"."].concat());
        }
    }
    Failure { line, counted }
}

const ENVIRONMENT: &str = "rubrica.environment";

/// Pushes the environment of scripts.
pub(crate) fn push_environment(lua: Lua<'_>) {
    push_registered(lua, ENVIRONMENT);
}

/// Pushes a value of the registry.
pub(crate) fn push_registered(lua: Lua<'_>, name: &str) {
    lua.get_field(mlua_sys::LUA_REGISTRYINDEX, name);
}

/// Pops a value into the registry.
pub(crate) fn set_registered(lua: Lua<'_>, name: &str) {
    lua.set_field(mlua_sys::LUA_REGISTRYINDEX, name);
}

const PRELUDE: &str = include_str!("prelude.lua");

/// Opens the libraries and runs the prelude; gives back where its results are kept.
fn build(lua: Lua<'_>, state: &State, kind: Kind) -> [c_int; 4] {
    // SAFETY: the interpreter is new.
    unsafe { open_libraries(lua) };
    crate::lua::replace_protected_calls(lua);
    crate::lua::push_globals(lua);
    lua.compile(PRELUDE.as_bytes(), api::PRELUDE).expect("the prelude is right");
    push_functions(lua, state, api::BASE);
    let libraries: [(&str, &[(&str, Native)]); 6] = [
        ("redis", api::REDIS),
        ("string", crate::strings::STRING),
        ("bit", crate::bits::BIT),
        ("cjson", crate::json::CJSON),
        ("cmsgpack", crate::pack::CMSGPACK),
        ("struct", crate::structs::STRUCT),
    ];
    for (name, functions) in libraries {
        push_functions(lua, state, functions);
        match name {
            "cjson" => crate::json::add_constants(lua),
            "cmsgpack" => crate::pack::add_constants(lua),
            _ => {}
        }
        lua.set_field(-2, name);
    }
    push_constants(lua, state.version);
    lua.push_boolean(kind == Kind::Functions);
    // Five results, packed by hand: `run` takes one.
    state.native.set(false);
    // SAFETY: the prelude is ours; whatever it raises is caught here.
    let status = unsafe { mlua_sys::lua_pcall(lua.raw(), 3, 5, 0) };
    state.native.set(true);
    assert!(
        status == 0,
        "the prelude runs: {}",
        String::from_utf8_lossy(lua.text(-1).unwrap_or_default())
    );
    let reset_depth = lua.keep();
    let set_loading = lua.keep();
    let handler = lua.keep();
    let globals = lua.keep();
    set_registered(lua, ENVIRONMENT);
    lua.set_hook(watch, HOOK_PERIOD);
    state.main.set(std::ptr::NonNull::new(lua.raw()));
    [handler, globals, set_loading, reset_depth]
}

fn push_functions(lua: Lua<'_>, state: &State, functions: &[(&str, Native)]) {
    lua.push_table(0, functions.len());
    for (name, function) in functions {
        lua.push_native(state, *function);
        lua.set_field(-2, name);
    }
}

fn push_constants(lua: Lua<'_>, version: &str) {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0) & 0xff;
    let number = f64::from((part() << 16) | (part() << 8) | part());
    let numbers = [
        ("LOG_DEBUG", 0.0),
        ("LOG_VERBOSE", 1.0),
        ("LOG_NOTICE", 2.0),
        ("LOG_WARNING", 3.0),
        ("REPL_NONE", 0.0),
        ("REPL_AOF", 1.0),
        ("REPL_SLAVE", 2.0),
        ("REPL_REPLICA", 2.0),
        ("REPL_ALL", 3.0),
        ("REDIS_VERSION_NUM", number),
        ("SERVER_VERSION_NUM", number),
    ];
    lua.push_table(0, numbers.len() + 3);
    for (name, number) in numbers {
        lua.push_number(number);
        lua.set_field(-2, name);
    }
    let texts =
        [("REDIS_VERSION", version), ("SERVER_VERSION", version), ("SERVER_NAME", "rubrica")];
    for (name, text) in texts {
        lua.push_bytes(text);
        lua.set_field(-2, name);
    }
}

/// Called by the interpreter every few instructions.
///
/// # Safety
/// The interpreter allocates through a `State`.
unsafe extern "C-unwind" fn watch(lua: *mut lua_State, _: *mut hook::lua_Debug) {
    let mut data = std::ptr::null_mut();
    // SAFETY: `Interpreter::new` passed the state to the allocator.
    let state = unsafe {
        mlua_sys::lua_getallocf(lua, &mut data);
        &*data.cast::<State>()
    };
    let before = state.native.replace(true);
    let ends = must_end(state);
    if ends {
        // SAFETY: this is the interpreter's running thread, with places for our function.
        unsafe {
            let mask = hook::LUA_MASKCOUNT | hook::LUA_MASKLINE;
            hook::lua_sethook(lua, Some(watch), mask, 1);
            Lua::new(lua).push_bytes("the script was ended");
        }
    }
    if !ends {
        adapt(lua, state);
    }
    state.native.set(before);
    if ends {
        // SAFETY: nothing here has a destructor.
        unsafe { hook::lua_error(lua) }
    }
}

/// Lets the next look come sooner when the instructions since the last one took long, and later when they did not.
fn adapt(lua: *mut lua_State, state: &State) {
    let now = Instant::now();
    state.moved_bytes.set(0);
    let took = state.looked.replace(Some(now)).map(|last| now.duration_since(last));
    // SAFETY: the interpreter's running thread; its hook is `watch`, and stays so.
    unsafe {
        let period = mlua_sys::lua_gethookcount(lua);
        let next = match took {
            Some(took) if took > HOOK_TIME_MAX => (period / 16).max(1),
            Some(_) if period < HOOK_PERIOD => (period.saturating_mul(2)).min(HOOK_PERIOD),
            _ => return,
        };
        if next != period {
            hook::lua_sethook(lua, Some(watch), hook::LUA_MASKCOUNT, next);
        }
    }
}

/// Lets the main thread be looked at after its next instruction. Coroutines keep to their period.
pub(crate) fn look_soon(state: &State) {
    if let Some(main) = state.main.get()
        && state.dead.get().is_none()
    {
        state.moved_bytes.set(0);
        // SAFETY: the thread lives as long as the interpreter, which is at work; this function may be called at
        // any time (it is how signal handlers interrupt a script).
        unsafe { hook::lua_sethook(main.as_ptr(), Some(watch), hook::LUA_MASKCOUNT, 1) };
    }
}

/// Whether the script has to end now; notes why.
fn must_end(state: &State) -> bool {
    if state.dead.get().is_some() {
        return true;
    }
    let late = state
        .loading
        .try_borrow()
        .is_ok_and(|loading| loading.as_ref().is_some_and(|one| Instant::now() > one.deadline));
    if late {
        state.dead.set(Some("FUNCTION LOAD timeout"));
        return true;
    }
    let verdict = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        state.with_host(|host| host.interrupt())
    }));
    match verdict {
        Ok(Some(Verdict::Kill(why))) => state.dead.set(Some(why)),
        Err(_) => state.dead.set(Some("internal error")),
        Ok(_) => {}
    }
    state.dead.get().is_some()
}

/// Lets our own long loops end with the script.
pub(crate) fn check(state: &State) -> Result<(), Fault> {
    if must_end(state) { Err(Fault::text("the script was ended")) } else { Ok(()) }
}
