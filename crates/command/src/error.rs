use std::borrow::Cow;
use std::fmt;

/// An error reply: the whole line after `-`, prefix included, as clients match on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Cow<'static, str>);

impl Error {
    /// The key holds a value of another type than the command works on.
    pub const WRONG_TYPE: Self =
        Self::fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
    /// An option is unknown, repeated, or in conflict with another.
    pub const SYNTAX: Self = Self::fixed("ERR syntax error");
    /// An argument or a value is not a 64-bit integer.
    pub const NOT_AN_INTEGER: Self = Self::fixed("ERR value is not an integer or out of range");
    /// A count is below zero, or not a 64-bit integer at all.
    pub const NOT_POSITIVE: Self = Self::fixed("ERR value is out of range, must be positive");
    /// A count is the one 64-bit integer that has no opposite.
    pub const BELOW_LEAST: Self = Self::fixed(
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    );
    /// An argument is not a 32-bit integer, though a 64-bit one.
    pub const NOT_AN_INT: Self =
        Self::fixed("ERR value is out of range, value must between -2147483648 and 2147483647");
    /// An argument or a value is not a double.
    pub const NOT_A_FLOAT: Self = Self::fixed("ERR value is not a valid float");
    /// An integer result would not fit in 64 bits.
    pub const OVERFLOW: Self = Self::fixed("ERR increment or decrement would overflow");
    /// An index lies outside.
    pub const OUT_OF_RANGE: Self = Self::fixed("ERR index out of range");
    /// The key does not exist, in commands that need one.
    pub const NO_SUCH_KEY: Self = Self::fixed("ERR no such key");
    /// Source and destination are the same.
    pub const SAME_OBJECT: Self = Self::fixed("ERR source and destination objects are the same");
    /// A database number is outside of the configured ones.
    pub const DB_OUT_OF_RANGE: Self = Self::fixed("ERR DB index is out of range");
    /// A string would become longer than `proto-max-bulk-len`.
    pub const STRING_TOO_LONG: Self =
        Self::fixed("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    /// More memory is in use than `maxmemory`, and the command might need some.
    pub const OUT_OF_MEMORY: Self =
        Self::fixed("OOM command not allowed when used memory > 'maxmemory'.");
    /// Somebody ended the client's wait.
    pub const UNBLOCKED: Self = Self::fixed("UNBLOCKED client unblocked via CLIENT UNBLOCK");
    /// The client has not authenticated.
    pub const NO_AUTH: Self = Self::fixed("NOAUTH Authentication required.");

    /// No reply at all: the command has found out, before it did anything, that it takes too long for where it runs
    /// (see `Ctx::may_leave`), and is run elsewhere.
    pub const LEAVES: Self = Self::fixed("BUSY the command is run elsewhere");

    /// An error whose text is known when the program is compiled.
    pub const fn fixed(line: &'static str) -> Self {
        Self(Cow::Borrowed(line))
    }

    /// An error with text made at run time; what is written out replaces line breaks by spaces.
    pub fn new(line: impl Into<String>) -> Self {
        Self(Cow::Owned(line.into()))
    }

    /// Wrong number of arguments for `command`, a full name such as `get` or `client|list`.
    pub fn arity(command: &str) -> Self {
        Self::new(format!("ERR wrong number of arguments for '{command}' command"))
    }

    /// A relative expire time that leads outside of the range of times.
    pub fn invalid_expire(command: &str) -> Self {
        Self::new(format!("ERR invalid expire time in '{command}' command"))
    }

    /// Whether this is [`Error::LEAVES`], and not a text like it that somebody's script has made.
    pub fn leaves(&self) -> bool {
        matches!(self.0, Cow::Borrowed(_)) && *self == Self::LEAVES
    }

    /// The line after `-`.
    pub fn line(&self) -> &str {
        &self.0
    }

    /// The first word: `ERR`, `WRONGTYPE`, ...
    pub fn prefix(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
