use crate::catalogue::Catalogue;
use crate::check::Access;
use crate::error::RuleError;
use crate::words::has_spaces;

/// A set of permissions: a command has to be within all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    pub(crate) commands: Commands,
    /// `None` for all.
    pub(crate) keys: Option<Vec<KeyPattern>>,
    /// `None` for all.
    pub(crate) channels: Option<Vec<Vec<u8>>>,
    pub(crate) databases: DatabaseSet,
}

/// A pattern of keys, and what may be done with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPattern {
    /// A glob.
    pub pattern: Vec<u8>,
    /// Not empty.
    pub access: Access,
}

/// The databases that a selector allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseSet {
    /// Every one.
    All,
    /// These, each once.
    These(Vec<u32>),
}

/// The commands that a selector allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commands {
    /// Whether everything begins allowed rather than denied.
    from_all: bool,
    /// A bit for each command.
    allowed: Vec<u64>,
    /// First words with which commands are allowed that are not allowed as such.
    first_words: Vec<(usize, Vec<u8>)>,
    /// The rules behind `+@all` or `-@all`: whether allowed, and what. The last one of several about the same.
    rules: Vec<(bool, String)>,
}

impl Commands {
    fn none(count: usize) -> Self {
        let allowed = vec![0; count.div_ceil(64)];
        Self { from_all: false, allowed, first_words: Vec::new(), rules: Vec::new() }
    }

    fn set_all(&mut self, allow: bool) {
        self.from_all = allow;
        self.allowed.fill(if allow { u64::MAX } else { 0 });
        self.first_words.clear();
        self.rules.clear();
    }

    /// Whether no command is denied.
    pub(crate) fn is_all(&self) -> bool {
        self.allowed.iter().all(|word| *word == u64::MAX)
    }

    /// Whether a command is allowed, whatever its arguments.
    pub(crate) fn allows(&self, id: usize) -> bool {
        self.allowed.get(id / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// Whether a command is allowed with this first argument.
    pub(crate) fn allows_with(&self, id: usize, first: Option<&[u8]>) -> bool {
        let Some(first) = first else { return false };
        self.first_words.iter().any(|(of, word)| *of == id && word.eq_ignore_ascii_case(first))
    }

    fn set_one(&mut self, id: usize, allow: bool) {
        if let Some(word) = self.allowed.get_mut(id / 64) {
            let bit = 1 << (id % 64);
            *word = if allow { *word | bit } else { *word & !bit };
        }
    }

    /// A command with its subcommands.
    fn set(&mut self, catalogue: &Catalogue, id: usize, allow: bool) {
        self.set_one(id, allow);
        self.first_words.retain(|(of, _)| *of != id);
        catalogue.subcommands(id).for_each(|sub| self.set_one(sub, allow));
    }

    /// Notes a rule; it takes the place of those that it overrides.
    fn note(&mut self, allow: bool, what: String) {
        self.rules.retain(|(_, old)| {
            let rest = old.strip_prefix(&what);
            !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('|'))
        });
        self.rules.push((allow, what));
    }

    fn apply(&mut self, rule: &[u8], catalogue: &Catalogue) -> Result<(), RuleError> {
        let allow = rule.first() == Some(&b'+');
        let what = rule.get(1..).unwrap_or_default();
        let noted = || String::from_utf8_lossy(what).to_ascii_lowercase();
        if let Some(name) = what.strip_prefix(b"@") {
            let category = catalogue.category(name).ok_or(RuleError::Unknown)?;
            catalogue.members(category).for_each(|id| self.set(catalogue, id, allow));
            self.note(allow, noted());
            return Ok(());
        }
        if let Some(id) = catalogue.find(what) {
            self.set(catalogue, id, allow);
            self.note(allow, noted());
            return Ok(());
        }
        let bar = what.iter().rposition(|byte| *byte == b'|').filter(|_| allow);
        let bar = bar.ok_or(RuleError::Unknown)?;
        let (name, first) = (&what[..bar], &what[bar + 1..]);
        let id = catalogue.find(name).ok_or(RuleError::Unknown)?;
        match catalogue.facts(id).and_then(|facts| facts.container) {
            Some(_) => Err(RuleError::FirstWordOfSubcommand),
            None if first.is_empty() => Err(RuleError::Syntax),
            None if catalogue.subcommands(id).next().is_some() => Err(RuleError::Unknown),
            // It could not be written down and read back.
            None if has_spaces(first) || std::str::from_utf8(first).is_err() => {
                Err(RuleError::Syntax)
            }
            None => {
                if !self.allows_with(id, Some(first)) {
                    self.first_words.push((id, first.to_ascii_lowercase()));
                    self.first_words.sort_unstable();
                }
                self.note(true, noted());
                Ok(())
            }
        }
    }

    /// The rules that lead here.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::from(if self.from_all { "+@all" } else { "-@all" });
        for (allow, what) in &self.rules {
            text.push(' ');
            text.push(if *allow { '+' } else { '-' });
            text.push_str(what);
        }
        text
    }
}

impl Selector {
    /// One that allows nothing, but for all databases, and all channels if that is the default.
    pub fn new(catalogue: &Catalogue, all_channels: bool) -> Self {
        Self {
            commands: Commands::none(catalogue.len()),
            keys: Some(Vec::new()),
            channels: if all_channels { None } else { Some(Vec::new()) },
            databases: DatabaseSet::All,
        }
    }

    /// One from rules within parentheses.
    ///
    /// # Errors
    /// The first rule that is wrong.
    pub(crate) fn parse(
        inside: &[u8],
        catalogue: &Catalogue,
        all_channels: bool,
        databases: u32,
    ) -> Result<Self, RuleError> {
        let mut selector = Self::new(catalogue, all_channels);
        let rules = codec::quote::split_args(inside).ok_or(RuleError::Syntax)?;
        for rule in rules {
            selector.apply(&rule, catalogue, databases)?;
        }
        Ok(selector)
    }

    /// Applies one rule; there are `databases` databases.
    ///
    /// # Errors
    /// When it is wrong; nothing has changed then.
    pub fn apply(
        &mut self,
        rule: &[u8],
        catalogue: &Catalogue,
        databases: u32,
    ) -> Result<(), RuleError> {
        let word = rule.to_ascii_lowercase();
        match word.as_slice() {
            b"allkeys" | b"~*" => self.keys = None,
            b"resetkeys" => self.keys = Some(Vec::new()),
            b"allchannels" | b"&*" => self.channels = None,
            b"resetchannels" => self.channels = Some(Vec::new()),
            b"allcommands" | b"+@all" => self.commands.set_all(true),
            b"nocommands" | b"-@all" => self.commands.set_all(false),
            b"alldbs" => self.databases = DatabaseSet::All,
            b"resetdbs" => self.databases = DatabaseSet::These(Vec::new()),
            [b'~', ..] => self.add_keys(&rule[1..], Access::all())?,
            [b'%', ..] => {
                let (access, pattern) = access(&rule[1..]).ok_or(RuleError::Syntax)?;
                self.add_keys(pattern, access)?;
            }
            [b'&', ..] => self.add_channels(&rule[1..])?,
            [b'+' | b'-', ..] => self.commands.apply(rule, catalogue)?,
            [b'd', b'b', b'=', list @ ..] => self.databases = parse_databases(list, databases)?,
            _ => return Err(RuleError::Syntax),
        }
        Ok(())
    }

    fn add_keys(&mut self, pattern: &[u8], access: Access) -> Result<(), RuleError> {
        let keys = self.keys.as_mut().ok_or(RuleError::AllKeys)?;
        if has_spaces(pattern) {
            return Err(RuleError::Syntax);
        }
        match keys.iter_mut().find(|known| known.pattern == pattern) {
            Some(known) => known.access |= access,
            None => keys.push(KeyPattern { pattern: pattern.to_vec(), access }),
        }
        // However that was said.
        if keys.iter().any(|known| known.pattern == b"*" && known.access == Access::all()) {
            self.keys = None;
        }
        Ok(())
    }

    /// All rules, within parentheses.
    pub(crate) fn describe_enclosed(&self) -> Vec<u8> {
        let rules = self.describe();
        let words: Vec<Vec<u8>> = rules.split(|byte| *byte == b' ').map(enclosed).collect();
        [b"(", words.join(&b' ').as_slice(), b")"].concat()
    }

    fn add_channels(&mut self, pattern: &[u8]) -> Result<(), RuleError> {
        let channels = self.channels.as_mut().ok_or(RuleError::AllChannels)?;
        if has_spaces(pattern) {
            return Err(RuleError::Syntax);
        }
        if !channels.iter().any(|known| known == pattern) {
            channels.push(pattern.to_vec());
        }
        Ok(())
    }

    /// Whether nothing is denied.
    pub fn is_unrestricted(&self) -> bool {
        self.commands.is_all()
            && self.keys.is_none()
            && self.channels.is_none()
            && self.databases == DatabaseSet::All
    }

    /// The rules about commands, as ACL GETUSER gives them.
    pub fn describe_commands(&self) -> String {
        self.commands.describe()
    }

    /// The rules about keys.
    pub fn describe_keys(&self) -> Vec<u8> {
        let Some(keys) = &self.keys else { return b"~*".to_vec() };
        let one = |key: &KeyPattern| {
            let prefix: &[u8] = match key.access {
                Access::READ => b"%R~",
                Access::WRITE => b"%W~",
                _ => b"~",
            };
            [prefix, &key.pattern].concat()
        };
        keys.iter().map(one).collect::<Vec<_>>().join(&b' ')
    }

    /// The rules about channels.
    pub fn describe_channels(&self) -> Vec<u8> {
        let Some(channels) = &self.channels else { return b"&*".to_vec() };
        let one = |pattern: &Vec<u8>| [b"&", pattern.as_slice()].concat();
        channels.iter().map(one).collect::<Vec<_>>().join(&b' ')
    }

    /// The rule about databases; nothing where none is allowed.
    pub fn describe_databases(&self) -> String {
        match &self.databases {
            DatabaseSet::All => "alldbs".into(),
            DatabaseSet::These(numbers) if numbers.is_empty() => String::new(),
            DatabaseSet::These(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
                format!("db={}", numbers.join(","))
            }
        }
    }

    /// Whether some databases are not allowed.
    pub fn restricts_databases(&self) -> bool {
        self.databases != DatabaseSet::All
    }

    /// All rules, as in ACL LIST.
    pub fn describe(&self) -> Vec<u8> {
        let mut parts = Vec::new();
        parts.push(self.describe_keys());
        if self.channels.is_some() {
            parts.push(b"resetchannels".to_vec());
        }
        parts.push(self.describe_channels());
        match &self.databases {
            DatabaseSet::All => {}
            DatabaseSet::These(none) if none.is_empty() => parts.push(b"resetdbs".to_vec()),
            DatabaseSet::These(_) => parts.push(self.describe_databases().into_bytes()),
        }
        parts.push(self.describe_commands().into_bytes());
        parts.retain(|part| !part.is_empty());
        parts.join(&b' ')
    }
}

/// A word as it stands within parentheses: there quotes are understood, and a parenthesis ends the selector.
fn enclosed(word: &[u8]) -> Vec<u8> {
    if !word.iter().any(|byte| b"\"'\\)".contains(byte)) {
        return word.to_vec();
    }
    codec::quote::quote(word).replace(')', "\\x29").into_bytes()
}

/// `R`, `W` or both, in any order, then `~` and the pattern; the sign may be missing where the pattern is
/// empty.
fn access(rule: &[u8]) -> Option<(Access, &[u8])> {
    let mut access = Access::empty();
    for (at, byte) in rule.iter().enumerate() {
        let one = match byte.to_ascii_uppercase() {
            b'R' => Access::READ,
            b'W' => Access::WRITE,
            b'~' if !access.is_empty() => return Some((access, &rule[at + 1..])),
            _ => return None,
        };
        if access.contains(one) {
            return None;
        }
        access |= one;
    }
    (!access.is_empty()).then_some((access, &[]))
}

fn parse_databases(list: &[u8], count: u32) -> Result<DatabaseSet, RuleError> {
    let mut numbers: Vec<u32> = Vec::new();
    for word in list.split(|byte| *byte == b',') {
        let number = codec::number::parse_i64(word).ok_or(RuleError::Syntax)?;
        let number = u32::try_from(number).ok().filter(|number| *number < count);
        let number = number.ok_or(RuleError::DatabaseRange)?;
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    Ok(DatabaseSet::These(numbers))
}
