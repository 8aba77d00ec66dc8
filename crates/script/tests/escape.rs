//! Scripts that try to get out, to reach others, to crash or to go on for ever.
use std::time::{Duration, Instant};

use resp::{Protocol, Writer};
use script::engine::Run;
use script::{Engine, Host, Kind, Verdict, Words, sha1_hex};

/// A server that answers OK to everything, and ends scripts after a while.
struct Nobody {
    deadline: Instant,
}

impl Host for Nobody {
    fn call(&mut self, _: &Words, _: Protocol, reply: &mut Vec<u8>) -> Result<(), String> {
        reply.extend_from_slice(b"+OK\r\n");
        Ok(())
    }

    fn interrupt(&mut self) -> Verdict {
        match Instant::now() > self.deadline {
            true => Verdict::Kill("killed"),
            false => Verdict::Continue,
        }
    }

    fn may_run(&mut self, _: &Words) -> Option<bool> {
        Some(true)
    }

    fn set_targets(&mut self, _: u8) {}

    fn log(&mut self, _: i64, _: &[u8]) {}
}

/// What a script may take here.
const PATIENCE: Duration = Duration::from_millis(200);
/// What it must not take whatever it does.
const LIMIT: Duration = Duration::from_secs(20);

fn run_in(engine: &mut Engine, source: &str) -> Result<String, String> {
    let sha = sha1_hex(source.as_bytes());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !engine.has(&sha) {
        engine.compile(sha, source.as_bytes()).map_err(|why| text(&why))?;
    }
    let start = Instant::now();
    let mut host = Nobody { deadline: start + PATIENCE };
    let mut out = Vec::new();
    let run = Run {
        name: &sha,
        keys: &mut std::iter::once(&b"key"[..]),
        arguments: &mut std::iter::empty(),
    };
    let mut reply = Writer::new(&mut out, Protocol::Resp2);
    let result = engine.eval(&mut host, &sha, run, &mut reply);
    assert!(start.elapsed() < LIMIT, "{source} went on for {:?}", start.elapsed());
    result.map(|_| text(&out)).map_err(|failure| text(&failure.line))
}

fn engine() -> Engine {
    Engine::with_limit(Kind::Scripts, "8.0.0", 64 << 20)
}

fn run(source: &str) -> Result<String, String> {
    run_in(&mut engine(), source)
}

fn fails_with(source: &str, text: &str) {
    let error = run(source).expect_err(source);
    assert!(error.contains(text), "{source}: {error}");
}

/// The engine still works.
fn is_well(engine: &mut Engine) {
    assert_eq!(run_in(engine, "return redis.call('ping')"), Ok("+OK\r\n".into()));
    let globals = "local n = 0 for _ in pairs(_G) do n = n + 1 end return n";
    assert_eq!(run_in(engine, globals), run(globals));
}

#[test]
fn what_all_scripts_share_cannot_be_changed() {
    let mut engine = engine();
    for source in [
        "x = 1",
        "_G.x = 1",
        "redis.call = nil",
        "string.rep = nil",
        "KEYS = nil",
        "math.pi = 3",
        "cjson.encode = nil",
        "coroutine.wrap = nil",
        "bit.x = 1",
        "rawset(_G, 'x', 1)",
        "rawset(string, 'rep', 1)",
        "setmetatable(_G, {})",
        "setmetatable(redis, {__index = {}})",
        "getmetatable(_G).__index = nil",
        "getmetatable('').__index = {}",
        "getmetatable('').__index.rep = 1",
        "rawset(getmetatable(''), '__index', {})",
        "rawset(getmetatable(_G), '__index', {})",
        "setmetatable(getmetatable(_G), {})",
        "table.insert(redis, 1)",
        "table.insert(_G, 1, 2)",
        "server.call = 1",
    ] {
        let error = run_in(&mut engine, source).expect_err(source);
        assert!(error.contains("Attempt to modify a readonly table"), "{source}: {error}");
    }
    is_well(&mut engine);
}

#[test]
fn no_way_leads_to_what_lies_behind_the_proxies() {
    for source in [
        // Iteration gives out the proxy, never the table behind it.
        "local f, t = pairs(_G) return t == _G and 1 or 0",
        "local f, t = pairs(string) return t == string and 1 or 0",
        "local t = next({[_G] = 1}) return t == _G and 1 or 0",
        "return rawget(_G, '_G') == _G and 1 or 0",
        "return getmetatable('').__index == string and 1 or 0",
        "return getmetatable(redis) == nil and 1 or 0",
        "return getmetatable(string) == nil and 1 or 0",
        "for k, v in pairs(_G) do if type(v) == 'table' and v ~= KEYS and v ~= ARGV and pcall(rawset, v, 1, 1) \
         then return 0 end end return 1",
    ] {
        assert_eq!(run(source), Ok(":1\r\n".into()), "{source}");
    }
}

#[test]
fn of_the_library_of_the_system_there_is_only_the_stop_watch() {
    for name in ["execute", "exit", "getenv", "remove", "rename", "tmpname", "date", "time"] {
        fails_with(&format!("return os.{name}()"), "attempt to call");
    }
    fails_with("os.clock = 1", "readonly");
    assert_eq!(run("local t = os.clock() return os.clock() >= t and 1 or 0"), Ok(":1\r\n".into()));
}

#[test]
fn what_leads_to_the_host_is_not_there() {
    for name in [
        "io", "package", "debug", "require", "dofile", "loadfile", "print", "newproxy", "getfenv",
        "setfenv", "module",
    ] {
        fails_with(&format!("return {name}"), "nonexistent global variable");
    }
}

#[test]
fn one_script_leaves_nothing_to_another() {
    let mut engine = engine();
    let _ = run_in(&mut engine, "cjson.encode_max_depth(1) cjson.encode_invalid_numbers('null')");
    assert_eq!(run_in(&mut engine, "return cjson.encode({{1}})"), Ok("$5\r\n[[1]]\r\n".into()));
    let _ = run_in(&mut engine, "local t = KEYS t[1] = 'other' t.x = 1");
    assert_eq!(
        run_in(&mut engine, "return KEYS[1] .. tostring(KEYS.x)"),
        Ok("$6\r\nkeynil\r\n".into())
    );
}

#[test]
fn compiled_code_is_neither_made_nor_run() {
    fails_with("return loadstring(string.dump(function() end))()", "attempt to call a nil value");
    let loaded = run("local f, why = loadstring('\\27Lua') return why");
    assert_eq!(loaded, Ok("$38\r\nattempt to load chunk with wrong mode\r\n".replace("38", "37")));
    assert!(engine().compile([b'a'; 40], b"\x1bLuaQ").is_err());
}

#[test]
fn loops_end_whatever_catches_errors() {
    let mut engine = engine();
    for source in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(error) end",
        "local function f() while true do pcall(f) end end f()",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "xpcall(error, function() while true do end end)",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "local co = coroutine.wrap(function() while true do pcall(function() while true do end end) end end) co()",
        "table.sort({3, 1, 2, 5, 4}, function() while true do end end)",
        "setmetatable({}, {__index = function() while true do end end}).x = nil; \
         local t = setmetatable({}, {__index = function() while true do end end}) return t.x",
        "(('x'):gsub('x', function() while true do end end))",
        "load(function() return 'x = 1 ' end)",
        "local s = ('a'):rep(200000) return s:find(('a*'):rep(20) .. 'b')",
        "local s = ('a'):rep(100000) return s:find('.-.-.-.-b')",
        "for _ in ('a'):rep(1000):gmatch(('.-'):rep(30) .. 'b') do end",
        "return ('a'):rep(30000):gsub(('.-'):rep(30) .. 'b', '')",
    ] {
        let source =
            if source.starts_with("((") { format!("return {source}") } else { source.into() };
        let error = run_in(&mut engine, &source).expect_err(&source);
        let ended = error.contains("killed") || error.contains("not enough memory");
        assert!(ended, "{source}: {error}");
        is_well(&mut engine);
    }
}

#[test]
fn memory_has_a_bound() {
    let mut engine = engine();
    for source in [
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end",
        "return ('x'):rep(2 ^ 31 - 1)",
        "return ('x'):rep(1e15)",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "return table.concat({('x'):rep(1e7), ('y'):rep(1e7), ('z'):rep(1e7), ('a'):rep(1e7), ('b'):rep(1e7)})",
        "return ('x'):rep(1e6):gsub('x', ('y'):rep(1000))",
        "local t = {} for i = 1, 1e5 do t[i] = ('\\0'):rep(1e4) end return cjson.encode(t)",
        "local f = function(...) return select('#', ...) end local t = {} while true do t = {t, t, coroutine.create(f)} end",
    ] {
        let error = run_in(&mut engine, source).expect_err(source);
        let ended = error.contains("not enough memory") || error.contains("killed");
        assert!(ended, "{source}: {error}");
        is_well(&mut engine);
    }
    assert!(engine.used_bytes() < 64 << 20);
}

#[test]
fn deep_recursion_is_an_error() {
    let mut engine = engine();
    for source in [
        "local function f() return f() + 1 end return f()",
        "local function f() return coroutine.wrap(f)() end return f()",
        "local function f() return pcall(f) end f() error('overflow')",
        "local function f() return (('x'):gsub('x', f)) end return f()",
        "local t = {} for i = 1, 1e5 do t = {t} end return cjson.encode(t)",
        "return cjson.decode(('['):rep(1e6))",
        "cjson.decode_max_depth(1e9) return cjson.decode(('['):rep(1e6))",
        "cjson.encode_max_depth(1e9) local t = {} t[1] = t return cjson.encode(t)",
        "return cmsgpack.unpack(('\\145'):rep(1e6))",
        "return loadstring('return ' .. ('('):rep(1e5))()",
        "return loadstring(('a='):rep(1e5))()",
        "return ('x'):rep(300000):match(('x?'):rep(250000))",
        "return ('('):rep(1000):match(('('):rep(1000))",
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
    ] {
        assert!(run_in(&mut engine, source).is_err(), "{source}");
        is_well(&mut engine);
    }
    let nested = "local t = {} for i = 1, 1e5 do t = {t} end return t";
    assert!(run(nested).is_ok_and(|reply| reply.contains("-ERR reached lua stack limit")));
    let endless = "local a = {} a[1] = a return a";
    assert!(run(endless).is_ok_and(|reply| reply.contains("-ERR reached lua stack limit")));
}

/// The collector, run at a chosen moment while the interpreter held what it had not anchored.
#[test]
fn cve_2024_46981_the_collector_is_out_of_reach() {
    assert_eq!(run("return collectgarbage('collect')"), Ok(":0\r\n".into()));
    assert_eq!(run("return collectgarbage('step', 100)"), Ok(":0\r\n".into()));
    fails_with("return newproxy(true)", "nonexistent global variable 'newproxy'");
}

/// A chunk's name could be collected while the chunk was being parsed.
#[test]
fn cve_2025_49844_nothing_is_collected_while_a_chunk_is_compiled() {
    let source = "for i = 1, 300 do loadstring('return 1 -- ' .. ('x'):rep(1000), ('n'):rep(5000) .. i) \
                  loadstring('local a = ' .. ('{'):rep(150), ('n'):rep(5000) .. i) end return 1";
    assert_eq!(run(source), Ok(":1\r\n".into()));
}

/// The count of values that `unpack` gives overflowed.
#[test]
fn cve_2025_46817_unpack_counts_without_overflow() {
    for range in ["-2147483648, 2147483647", "0, 2147483647", "1, 1e9", "1, 8001"] {
        fails_with(&format!("return unpack({{}}, {range})"), "too many results to unpack");
    }
    assert_eq!(run("return #{unpack({1, 2, 3}, 2)}"), Ok(":2\r\n".into()));
    assert_eq!(run("return #{unpack({}, 2147483647, -2147483648)}"), Ok(":0\r\n".into()));
}

/// The metatable that all strings share could be changed, and what others run with it.
#[test]
fn cve_2025_46818_the_metatables_of_basic_types_cannot_be_changed() {
    let mut engine = engine();
    for source in [
        "getmetatable('').__index = function() return 'owned' end",
        "getmetatable('').__add = function() return 'owned' end",
        "setmetatable(getmetatable(''), {__newindex = rawset})",
    ] {
        assert!(run_in(&mut engine, source).is_err(), "{source}");
    }
    for value in
        ["1", "true", "nil", "print_", "function() end", "coroutine.create(function() end)"]
    {
        let source =
            format!("local print_ = redis.call return getmetatable({value}) == nil and 1 or 0");
        assert_eq!(run_in(&mut engine, &source), Ok(":1\r\n".into()), "{source}");
    }
    is_well(&mut engine);
}

/// The lexer's count of the signs of a long bracket overflowed.
#[test]
fn cve_2025_46819_long_brackets_have_a_bound() {
    let source =
        "return loadstring('return [' .. ('='):rep(100000) .. '[x]' .. ('='):rep(100000) .. ']')";
    assert!(
        run(&format!("local f, why = {} return why", &source[7..]))
            .is_ok_and(|why| why.contains("too many '='"))
    );
    assert_eq!(run("return [===[x]===]"), Ok("$1\r\nx\r\n".into()));
}

/// The JSON encoder's buffer overflowed for long strings, and packed values overran theirs.
#[test]
fn cve_2022_24834_long_strings_are_encoded_within_bounds() {
    let reply = run("return #cjson.encode(('\\0'):rep(1e6))");
    assert_eq!(reply, Ok(":6000002\r\n".into()));
    fails_with("return #cjson.encode({('\\0'):rep(2e7), ('\\0'):rep(1e7)})", "not enough memory");
    assert_eq!(run("return #cmsgpack.pack(('x'):rep(1e6))"), Ok(":1000005\r\n".into()));
}

/// The buffer of `bit.tohex` overran for one number of digits.
#[test]
fn cve_2024_31449_tohex_takes_every_number_of_digits() {
    for digits in ["-2147483648", "2147483647", "-1", "0", "9", "-9", "1e300", "0/0"] {
        assert!(run(&format!("return bit.tohex(65535, {digits})")).is_ok(), "{digits}");
    }
    assert_eq!(run("return bit.tohex(65535, -2147483648)"), Ok("$8\r\n0000FFFF\r\n".into()));
}

#[test]
fn libraries_take_hostile_arguments() {
    let mut engine = engine();
    for source in [
        "return struct.pack('i33', 1)",
        "return struct.pack('I2147483648', 1)",
        "return struct.unpack('I4', 'abc')",
        "return struct.unpack('I4', 'abcdefgh', -1)",
        "return struct.unpack('c2147483647', 'abc')",
        "return struct.unpack('c0', 'abc')",
        "return struct.unpack('s', 'abc')",
        "return struct.pack('!3i4', 1)",
        "return struct.unpack('!16 b i16', 'abc', 4611686018427387904)",
        "return cmsgpack.unpack('\\221\\255\\255\\255\\255')",
        "return cmsgpack.unpack('\\219\\255\\255\\255\\255x')",
        "return cmsgpack.unpack('\\193')",
        "return cmsgpack.unpack_limit('abc', -1, 0)",
        "return cmsgpack.unpack_one('abc', 100)",
        "return cmsgpack.pack()",
        "return table.insert({}, -2147483648, 1)",
        "return table.concat({}, 'x', 1, 2147483647)",
        "return string.format(('%s'):rep(1000))",
        "return string.format('%1000d', 1)",
        "return ('x'):find('%')",
        "return ('x'):find('[')",
        "return ('x'):find('[^')",
        "return ('x'):find('%f')",
        "return ('x'):find('%b')",
        "return ('x'):gsub(')', '')",
        "return ('x'):gsub('x', '%2')",
        "return ('x'):rep(40):find(('(x)'):rep(40))",
        "return redis.call(unpack({}, 1, 7000))",
        "error({1})",
        "error(redis)",
        "error(setmetatable({}, {__tostring = function() error('x') end}))",
    ] {
        assert!(run_in(&mut engine, source).is_err(), "{source}");
        is_well(&mut engine);
    }
    assert_eq!(run("return #{cmsgpack.unpack(('\\1'):rep(5000))}"), Ok(":5000\r\n".into()));
    fails_with("return cmsgpack.unpack(('\\1'):rep(100000))", "too many return values");
}

#[test]
fn a_library_that_loads_for_long_is_given_up() {
    let mut engine = Engine::new(Kind::Functions, "8.0.0");
    let start = Instant::now();
    let error = engine.load(b"while true do pcall(function() end) end", Duration::from_millis(100));
    assert!(error.is_err_and(|error| error.contains("pcall") || error.contains("timeout")));
    let error = engine.load(b"while true do end", Duration::from_millis(100));
    assert!(error.is_err_and(|error| error.contains("FUNCTION LOAD timeout")));
    assert!(start.elapsed() < LIMIT);
    assert!(
        engine.load(b"return pairs", Duration::from_secs(1)).is_err_and(|e| e.contains("'pairs'"))
    );
}

#[test]
fn loops_over_dear_operations_end_soon_as_well() {
    let mut engine = Engine::with_limit(Kind::Scripts, "8.0.0", 64 << 20);
    for source in [
        "local s = ('x'):rep(2e6) while true do local t = s:upper() end",
        "local s = ('x'):rep(2e6) while true do local t = s:reverse() end",
        "local s = ('x'):rep(2e6) while true do local t = s .. 'y' end",
        "local s = ('x'):rep(2e6) while true do local t = s:sub(2) end",
        "local s = ('x'):rep(2e6) while true do local t = ('%s%s'):format(s, 'y') end",
        "local s = ('x'):rep(2e6) while true do local t = s:find('y', 1, true) end",
        "local s = ('x'):rep(2e6) local u = s .. 'y' while true do local t = s < u end",
        "local s = ('x'):rep(2e6) while true do local t = redis.sha1hex(s) end",
        "local s = ('x'):rep(2e6) while true do local t = cjson.encode(s) end",
        "local t = {} for i = 1, 2e5 do t[i] = i end while true do table.insert(t, 1, 0) table.remove(t, 1) end",
        "local t = {} for i = 1, 2e5 do t[i] = i end while true do local a = #t end",
        "local t = {} for i = 1, 2e5 do t[i] = i end for i = 1, 2e5 do t[i] = nil end while true do local a = next(t) end",
        "local t = {} for i = 1, 2e5 do t[i] = 'x' end while true do local a = table.concat(t) end",
    ] {
        let error = run_in(&mut engine, source).expect_err(source);
        assert!(error.contains("killed"), "{source}: {error}");
    }
}

/// For the sizes of what the interpreter itself formats, it has a fixed buffer.
#[test]
fn formats_have_bounds() {
    let mut engine = engine();
    for source in [
        "return string.format('%100d', 1)",
        "return string.format('%.100f', 1)",
        "return string.format('%0000000000000d', 1)",
        "return string.format('%', 1)",
        "return string.format('%q')",
        "return string.format('%y', 1)",
        "return string.format('%s', setmetatable({}, {__tostring = 1}))",
    ] {
        assert!(run_in(&mut engine, source).is_err(), "{source}");
        is_well(&mut engine);
    }
    assert_eq!(run("return #string.format('%99.99f', -1.7e308)"), Ok(":410\r\n".into()));
    assert_eq!(run("return #string.format('%99.99s', ('x'):rep(1e6))"), Ok(":99\r\n".into()));
    assert_eq!(run("return #string.format('%q', ('\\0'):rep(1e6))"), Ok(":4000002\r\n".into()));
}
