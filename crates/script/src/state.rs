use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::NonNull;
use std::time::Instant;

use resp::{Protocol, Span};

use crate::json::JsonConfig;
use crate::library::Registered;
use crate::number::Lrand48;

/// What a script may ask of the server that runs it.
pub trait Host {
    /// Runs a command. Its reply, in `protocol`, is appended to `reply`.
    ///
    /// # Errors
    /// Why the command was not run at all, without a `-` in front.
    fn call(
        &mut self,
        words: &Words,
        protocol: Protocol,
        reply: &mut Vec<u8>,
    ) -> Result<(), String>;

    /// Called now and then while the script runs.
    fn interrupt(&mut self) -> Verdict;

    /// Whether the caller may run a command; none if there is no such command.
    fn may_run(&mut self, words: &Words) -> Option<bool>;

    /// Who is to have the effects of commands from now on, as `redis.set_repl` takes it: 1 the append-only file, 2
    /// the replicas.
    fn set_targets(&mut self, targets: u8);

    /// A line for the log: `level` is 0 (debug) to 3 (warning).
    fn log(&mut self, level: i64, text: &[u8]);
}

/// Whether a script goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Continue,
    /// It ends with this error, whatever it tries against it.
    Kill(&'static str),
}

/// The words of a command that a script wants to run.
#[derive(Default)]
pub struct Words {
    /// All words, one behind the other.
    pub buffer: Vec<u8>,
    /// Where each begins and ends.
    pub spans: Vec<Span>,
}

impl Words {
    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
        self.spans.clear();
    }

    pub(crate) fn push(&mut self, word: &[u8]) {
        // A script's memory stays far below 4 GiB.
        let start = self.buffer.len() as u32;
        self.spans.push(Span { start, len: word.len() as u32 });
        self.buffer.extend_from_slice(word);
    }
}

/// What is being loaded: functions that a library has registered so far.
pub(crate) struct Loading {
    pub registered: Vec<Registered>,
    pub deadline: Instant,
}

/// What an engine's functions share. It outlives the interpreter, whose closures point to it.
pub(crate) struct State {
    /// Who runs the script; none while none runs, and while the host itself is at work.
    host: Cell<Option<NonNull<dyn Host>>>,
    /// Whether a script or a function runs.
    pub running: Cell<bool>,
    /// The protocol of replies to `redis.call`.
    pub protocol: Cell<Protocol>,
    /// The error that the script ends with whatever it does.
    pub dead: Cell<Option<&'static str>>,
    /// Our own code is at work: allocations must not fail, since a jump out of it would skip its destructors.
    pub native: Cell<bool>,
    /// When the script was last looked at, and whether it has to end; none before the first time.
    pub looked: Cell<Option<Instant>>,
    /// The interpreter's main thread; none until it is built.
    pub main: Cell<Option<NonNull<mlua_sys::lua_State>>>,
    /// Bytes asked for in large blocks since the last look.
    pub moved_bytes: Cell<usize>,
    pub used_bytes: Cell<usize>,
    pub limit_bytes: usize,
    pub words: RefCell<Words>,
    pub reply: RefCell<Vec<u8>>,
    pub random: RefCell<Lrand48>,
    pub json: RefCell<JsonConfig>,
    pub loading: RefCell<Option<Loading>>,
    /// The codes of errors in a reply that no command has counted.
    pub uncounted: RefCell<Vec<Vec<u8>>>,
    pub version: &'static str,
    pub started: Instant,
}

impl State {
    pub fn new(limit_bytes: usize, version: &'static str) -> Self {
        Self {
            host: Cell::new(None),
            running: Cell::new(false),
            protocol: Cell::new(Protocol::Resp2),
            dead: Cell::new(None),
            native: Cell::new(true),
            looked: Cell::new(None),
            main: Cell::new(None),
            moved_bytes: Cell::new(0),
            used_bytes: Cell::new(0),
            limit_bytes,
            words: RefCell::default(),
            reply: RefCell::default(),
            random: RefCell::default(),
            json: RefCell::default(),
            loading: RefCell::new(None),
            uncounted: RefCell::default(),
            version,
            started: Instant::now(),
        }
    }

    /// Makes `host` answer for what `work` runs.
    pub fn serve<T>(&self, host: &mut dyn Host, work: impl FnOnce() -> T) -> T {
        struct Ended<'a>(&'a State);
        impl Drop for Ended<'_> {
            fn drop(&mut self) {
                self.0.host.set(None);
                self.0.running.set(false);
            }
        }
        let host = NonNull::from(host);
        // SAFETY: only the lifetime changes; the pointer is taken away before `host`'s borrow ends.
        let host = unsafe {
            std::mem::transmute::<NonNull<dyn Host + '_>, NonNull<dyn Host + 'static>>(host)
        };
        self.host.set(Some(host));
        self.running.set(true);
        self.protocol.set(Protocol::Resp2);
        self.dead.set(None);
        self.looked.set(None);
        *self.json.borrow_mut() = JsonConfig::default();
        let _ended = Ended(self);
        work()
    }

    /// Asks the host; none when there is none, or when it is already at work.
    pub fn with_host<T>(&self, ask: impl FnOnce(&mut dyn Host) -> T) -> Option<T> {
        struct Back<'a>(&'a State, NonNull<dyn Host>);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                self.0.host.set(Some(self.1));
            }
        }
        let mut host = self.host.take()?;
        let _back = Back(self, host);
        // SAFETY: `serve` holds the host's only borrow, and taking the pointer out of the cell makes this the
        // only use of it.
        Some(ask(unsafe { host.as_mut() }))
    }

    /// Bytes that a value may still take.
    pub fn room_bytes(&self) -> usize {
        self.limit_bytes.saturating_sub(self.used_bytes.get())
    }
}

/// The interpreter's allocator: bounded, except for our own code.
///
/// # Safety
/// `state` is a `State`, and `block` is null or came from here with `old` bytes.
pub(crate) unsafe extern "C" fn allocate(
    state: *mut c_void,
    block: *mut c_void,
    old: usize,
    new: usize,
) -> *mut c_void {
    use std::alloc::{Layout, alloc, dealloc, realloc};
    const ALIGN: usize = 16;
    const LARGE_BYTES: usize = 64 << 10;
    const MOVED_BYTES_MAX: usize = 32 << 20;
    // SAFETY: the caller's promise.
    let state = unsafe { &*state.cast::<State>() };
    let old = if block.is_null() { 0 } else { old };
    if new > old {
        let grown = state.used_bytes.get().saturating_add(new - old);
        let too_much = grown > state.limit_bytes && !state.native.get();
        if too_much || new > isize::MAX as usize - ALIGN {
            return std::ptr::null_mut();
        }
    }
    if new >= LARGE_BYTES {
        // A look is due after so much work, however few instructions it was.
        let moved = state.moved_bytes.get().saturating_add(new);
        state.moved_bytes.set(moved);
        if moved > MOVED_BYTES_MAX {
            crate::engine::look_soon(state);
        }
    }
    let layout = |bytes: usize| {
        // SAFETY: 16 is a power of two, and sizes were checked above when they were allocated.
        unsafe { Layout::from_size_align_unchecked(bytes, ALIGN) }
    };
    // SAFETY: the block has the layout of `old` bytes, and neither size is zero where one is used.
    let result = unsafe {
        match (old, new) {
            (0, 0) => std::ptr::null_mut(),
            (0, _) => alloc(layout(new)),
            (_, 0) => {
                dealloc(block.cast(), layout(old));
                std::ptr::null_mut()
            }
            _ => realloc(block.cast(), layout(old), new),
        }
    };
    if new == 0 || !result.is_null() {
        state.used_bytes.set(state.used_bytes.get() - old + new);
    } else if state.native.get() {
        std::alloc::handle_alloc_error(layout(new));
    }
    result.cast()
}
