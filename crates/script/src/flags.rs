use std::fmt;

/// What a script or a function declares of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    bits: u8,
}

const NAMES: [&str; 5] =
    ["no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"];

impl Flags {
    /// Writes nothing.
    pub const NO_WRITES: Self = Self { bits: 1 };
    /// May run when there is too little memory.
    pub const ALLOW_OOM: Self = Self { bits: 1 << 1 };
    /// May run on a replica with stale data.
    pub const ALLOW_STALE: Self = Self { bits: 1 << 2 };
    /// May not run in a cluster.
    pub const NO_CLUSTER: Self = Self { bits: 1 << 3 };
    /// May use keys of several slots.
    pub const ALLOW_CROSS_SLOT_KEYS: Self = Self { bits: 1 << 4 };

    /// Whether all of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.bits & other.bits == other.bits
    }

    /// The flag of a name.
    pub fn named(name: &[u8], nocase: bool) -> Option<Self> {
        let same = |known: &str| match nocase {
            true => known.as_bytes().eq_ignore_ascii_case(name),
            false => known.as_bytes() == name,
        };
        NAMES.iter().position(|known| same(known)).map(|at| Self { bits: 1 << at })
    }

    /// With those of `other`, too.
    pub fn with(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits }
    }

    /// The names of those that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .iter()
            .enumerate()
            .filter(move |(at, _)| self.bits >> at & 1 == 1)
            .map(|(_, name)| *name)
    }
}

/// What is wrong with a first line that begins with `#!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShebangError(pub String);

impl fmt::Display for ShebangError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads the first line of a script: its flags, if it has such a line, and where the line ends. The line
/// feed belongs to what is compiled, for the numbers of lines.
///
/// # Errors
/// Says what is wrong with the line.
pub fn script_shebang(source: &[u8]) -> Result<(Option<Flags>, usize), ShebangError> {
    if !source.starts_with(b"#!") {
        return Ok((None, 0));
    }
    let fail = |text: String| Err(ShebangError(text));
    let Some(end) = source.iter().position(|byte| *byte == b'\n') else {
        return fail("Invalid script shebang".into());
    };
    let parts = codec::quote::split_args(&source[..end]).unwrap_or_default();
    let Some((engine, options)) = parts.split_first() else {
        return fail("Invalid engine in script shebang".into());
    };
    if engine != b"#!lua" {
        return fail(format!("Unexpected engine in script shebang: {}", lossy(engine)));
    }
    let mut flags = Flags::default();
    for option in options {
        let Some(list) = option.strip_prefix(b"flags=") else {
            return fail(format!("Unknown lua shebang option: {}", lossy(option)));
        };
        for name in list.split(|byte| *byte == b',').filter(|_| !list.is_empty()) {
            match Flags::named(name, false) {
                Some(flag) => flags = flags.with(flag),
                None => {
                    return fail(format!("Unexpected flag in script shebang: {}", lossy(name)));
                }
            }
        }
    }
    Ok((Some(flags), end))
}

/// Reads the first line of a library: its engine, its name, and where the line ends.
///
/// # Errors
/// Says what is wrong with the line.
pub fn functions_shebang(source: &[u8]) -> Result<(Vec<u8>, Vec<u8>, usize), ShebangError> {
    let fail = |text: String| Err(ShebangError(text));
    if !source.starts_with(b"#!") {
        return fail("Missing library metadata".into());
    }
    let Some(end) = source.iter().position(|byte| *byte == b'\n') else {
        return fail("Invalid library metadata".into());
    };
    let parts = codec::quote::split_args(&source[..end]).unwrap_or_default();
    let Some((engine, options)) = parts.split_first() else {
        return fail("Invalid library metadata".into());
    };
    let mut name = None;
    for option in options {
        let Some(given) = option.strip_prefix(b"name=") else {
            return fail(format!("Invalid metadata value given: {}", lossy(option)));
        };
        if name.is_some() {
            return fail("Invalid metadata value, name argument was given multiple times".into());
        }
        name = Some(given.to_vec());
    }
    let Some(name) = name else { return fail("Library name was not given".into()) };
    Ok((engine.strip_prefix(b"#!").unwrap_or(engine).to_vec(), name, end))
}
