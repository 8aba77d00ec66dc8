-- The sandbox: what scripts see instead of the libraries themselves.
--
-- Scripts get every library, and the globals, as a proxy: an empty table through which the real one is read.
-- So what all scripts share cannot be changed: `real` knows the proxies, and whoever could write past a
-- metatable (rawset, table.insert, setmetatable) or find the real table behind it (pairs, next, getmetatable)
-- asks it. Functions written here see `native`, which scripts do not.
--
-- Whatever catches errors looks whether the script has been killed, and if so lets nothing be caught.
local native, constants, is_library = ...
local error, type, select, tostring, rawequal = error, type, select, tostring, rawequal
local next, rawget, rawset, ipairs = next, rawget, rawset, ipairs
local getmetatable, setmetatable = getmetatable, setmetatable
local pcall, xpcall, coroutine = pcall, xpcall, coroutine
local table_concat = table.concat
local dead, where = native.dead, native.where

local READ_ONLY = 'Attempt to modify a readonly table'
local real = setmetatable({}, {__mode = 'k'})
local shown_metatable = setmetatable({}, {__mode = 'k'})

local function refuse()
  error(READ_ONLY, 2)
end

local function protect(t)
  local proxy = setmetatable({}, {__index = t, __newindex = refuse, __shared = true})
  real[proxy] = t
  return proxy
end

-- Errors. `caught` ends what catches them.

local function caught(...)
  local why = dead()
  if why then
    error({err = 'ERR ' .. why}, 0)
  end
  return ...
end

local function plain(ok, ...)
  local why = dead()
  if why then
    error({err = 'ERR ' .. why}, 0)
  end
  if not ok then
    local value = ...
    if type(value) == 'table' then
      local text = rawget(value, 'err')
      if type(text) == 'string' or type(text) == 'number' then
        return ok, text
      end
    end
  end
  return ok, ...
end

local globals = {}

function globals.pcall(...)
  return plain(pcall(...))
end

function globals.xpcall(f, handler, ...)
  local function handle(value)
    if dead() then
      return value
    end
    return handler(value)
  end
  return caught(xpcall(f, handle, ...))
end

-- The last handler: makes a table of every error, with the place where it was raised.
local function last_handler(value)
  local why = dead()
  if why then
    value = {err = 'ERR ' .. why}
  end
  if type(value) ~= 'table' or real[value] then
    value = {err = 'ERR ' .. tostring(value)}
  end
  local source, line = where()
  if source then
    rawset(value, 'source', source)
    rawset(value, 'line', line)
  end
  return value
end

-- Coroutines: each nests the C stack a little deeper, which the interpreter does not count.

local DEPTH_MAX = 150
local depth = 0

local function resumed(...)
  depth = depth - 1
  return caught(...)
end

local function resume(co, ...)
  if depth >= DEPTH_MAX then
    return false, 'C stack overflow'
  end
  depth = depth + 1
  return resumed(coroutine.resume(co, ...))
end

local function unwrapped(ok, ...)
  if not ok then
    local value = ...
    if type(value) == 'string' then
      error(value, 3)
    end
    error(value, 0)
  end
  return ...
end

-- Tables.

function globals.next(t, ...)
  if t ~= nil and real[t] then
    return next(real[t], ...)
  end
  return next(t, ...)
end

globals.pairs = native.pairs(next, globals.next)

function globals.rawget(...)
  local t, key = ...
  if t ~= nil and real[t] then
    return rawget(real[t], key)
  end
  return rawget(...)
end

function globals.rawset(...)
  local t = ...
  if t ~= nil and real[t] then
    error(READ_ONLY, 0)
  end
  return rawset(...)
end

function globals.setmetatable(...)
  local t = ...
  if t ~= nil and real[t] then
    error(READ_ONLY, 0)
  end
  return setmetatable(...)
end

function globals.getmetatable(...)
  local t = ...
  if t ~= nil and real[t] then
    return shown_metatable[t]
  end
  if type(t) == 'string' then
    return shown_metatable['']
  end
  return getmetatable(...)
end

table.insert = native.insert
globals.unpack = native.unpack

-- Strings: what calls back into the script.

native.keep_replace_by(function(text, pattern, by, max)
  local parts, count, at = {}, 0, 1
  local is_table = type(by) == 'table'
  local function replace(...)
    local value
    if is_table then
      value = by[(...)]
    else
      value = by(...)
    end
    return value
  end
  local anchored, search = native.matcher(text, pattern)
  local len = #text
  while count < max do
    local last, value = nil, nil
    local function take(to, ...)
      last = to
      if to then
        value = replace(...)
      end
    end
    take(search(at))
    if last then
      count = count + 1
      if not value then
        parts[#parts + 1] = text:sub(at, last)
      elseif type(value) == 'string' or type(value) == 'number' then
        parts[#parts + 1] = tostring(value)
      else
        error('invalid replacement value (a ' .. type(value) .. ')', 3)
      end
    end
    if last and last >= at then
      at = last + 1
    elseif at <= len then
      parts[#parts + 1] = text:sub(at, at)
      at = at + 1
    else
      break
    end
    if anchored then
      break
    end
  end
  parts[#parts + 1] = text:sub(at)
  return table_concat(parts), count
end)

-- Loading text.

function globals.load(source, name)
  local parts = {}
  if type(source) ~= 'function' then
    error("bad argument #1 to 'load' (function expected, got " .. type(source) .. ')', 2)
  end
  while true do
    local part = source()
    if part == nil or part == '' then
      break
    end
    if type(part) ~= 'string' and type(part) ~= 'number' then
      return nil, 'reader function must return a string'
    end
    parts[#parts + 1] = part
  end
  return globals.loadstring(table_concat(parts), name or '=(load)')
end

function globals.collectgarbage(what)
  if what == 'count' then
    return native.memory()
  end
  return 0
end

function globals.gcinfo()
  return native.memory(), 0
end

-- The globals.

for _, name in ipairs {
  '_VERSION', 'assert', 'error', 'ipairs', 'rawequal', 'select', 'tonumber', 'tostring', 'type',
} do
  globals[name] = _G[name]
end

globals.coroutine = protect {
  create = coroutine.create,
  resume = resume,
  running = coroutine.running,
  status = coroutine.status,
  wrap = function(f)
    local co = coroutine.create(f)
    return function(...)
      return unwrapped(resume(co, ...))
    end
  end,
  yield = coroutine.yield,
}

-- What it gives is refused wherever text is loaded.
string.dump = function()
  return '\27Lua'
end
for name, f in next, native.string do
  string[name] = f
end
string.gfind = string.gmatch
math.random, math.randomseed = native.random, native.randomseed
globals.loadstring = native.loadstring

local string_proxy = protect(string)
globals.string = string_proxy
globals.table = protect(table)
globals.math = protect(math)
globals.os = protect {clock = native.clock}
globals.bit = protect(native.bit)
globals.cjson = protect(native.cjson)
globals.cmsgpack = protect(native.cmsgpack)
globals.struct = protect(native.struct)
shown_metatable[''] = protect {__index = string_proxy}

local redis = native.redis
for name, value in next, constants do
  redis[name] = value
end
local redis_proxy = protect(redis)
globals.redis, globals.server = redis_proxy, redis_proxy

local function absent(_, name)
  error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
end
setmetatable(globals, {__index = absent})

local environment = protect(globals)
globals._G = environment
shown_metatable[environment] = protect {__index = absent}

-- What a library sees while it is loaded: only what registers its functions.
local load_only
if is_library then
  local api = {register_function = native.register_function, log = redis.log}
  for _, name in ipairs {
    'LOG_DEBUG', 'LOG_VERBOSE', 'LOG_NOTICE', 'LOG_WARNING', 'REDIS_VERSION', 'REDIS_VERSION_NUM',
    'SERVER_NAME', 'SERVER_VERSION', 'SERVER_VERSION_NUM',
  } do
    api[name] = redis[name]
  end
  local proxy = protect(setmetatable(api, {__index = absent}))
  load_only = setmetatable({redis = proxy, server = proxy}, {__index = absent})
end

local function set_loading(on)
  local shown = on and load_only or globals
  getmetatable(environment).__index = shown
  real[environment] = shown
end

return environment, globals, last_handler, set_loading, function()
  depth = 0
end
