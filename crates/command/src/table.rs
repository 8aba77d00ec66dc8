use std::ops::Deref;

use hashbrown::HashTable;

use crate::args::Args;
use crate::keys::{Begin, Find, KeyFlags, KeySpec};
use crate::spec::{Categories, Spec};

/// A command of the table: its declaration, and the number it goes by in this process's statistics.
#[derive(Clone, Copy)]
pub struct Command {
    spec: &'static Spec,
    id: u16,
    /// The word that is the command's only key; 0 when it has none, several, or none at a fixed place.
    only_key: u16,
    /// The word where its keys begin; 0 when it has none, or not at a fixed place.
    first_key: u16,
}

impl Command {
    /// The word that is the command's first key, if that is at a fixed place: behind the number of keys where that is
    /// given. Of scripts without keys it is another word, so this serves as a hint only.
    #[inline]
    pub fn first_key(&self) -> Option<usize> {
        (self.first_key > 0).then_some(usize::from(self.first_key))
    }

    /// The word that is the command's only key, if it has one at a fixed place.
    #[inline]
    pub fn only_key(&self) -> Option<usize> {
        (self.only_key > 0).then_some(usize::from(self.only_key))
    }

    /// The declaration.
    pub fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// The command's place in [`Table::all`].
    pub fn id(&self) -> usize {
        usize::from(self.id)
    }
}

impl Deref for Command {
    type Target = Spec;

    fn deref(&self) -> &Spec {
        self.spec
    }
}

/// The command that was called last: most commands are the same as the one before them.
#[derive(Clone, Copy, Default)]
pub struct Last(Option<(Sign, Command)>);

/// A word of 1 to 8 bytes, in its spelling.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sign {
    length: usize,
    bytes: u64,
}

impl Sign {
    #[inline]
    fn of(word: &[u8]) -> Option<Self> {
        let byte = |at: usize| u64::from(word[at]);
        let four = |at: usize| {
            word[at..].first_chunk().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
        };
        let length = word.len();
        // Both ends of the word; together they are all of it.
        let bytes = match length {
            1..=3 => byte(0) | byte(length / 2) << 8 | byte(length - 1) << 16,
            4..=8 => four(0) | four(length - 4) << 32,
            _ => return None,
        };
        Some(Self { length, bytes })
    }
}

/// Every command by name. Containers lead to their subcommands.
pub struct Table {
    commands: HashTable<Command>,
    /// Subcommands with the numbers of their containers.
    subcommands: HashTable<(u16, Command)>,
    /// Every command and subcommand, in declaration order.
    all: Vec<Command>,
    /// Names that the configuration has given.
    renamed: Vec<(Vec<u8>, Command)>,
}

/// Names are short; longer words name nothing.
const NAME_MAX: usize = 32;

impl Table {
    /// Indexes `families`.
    pub fn new(families: &[&[&'static Spec]]) -> Self {
        let mut table = Self {
            commands: HashTable::new(),
            subcommands: HashTable::new(),
            all: Vec::new(),
            renamed: Vec::new(),
        };
        for spec in families.iter().copied().flatten().copied() {
            let command = table.number(spec);
            table.commands.insert_unique(hash(spec.name.as_bytes()), command, |one| {
                hash(one.name.as_bytes())
            });
            for sub in spec.subcommands.iter().copied() {
                let sub = (command.id, table.number(sub));
                table.subcommands.insert_unique(hash(sub.1.name.as_bytes()), sub, |one| {
                    hash(one.1.name.as_bytes())
                });
            }
        }
        table
    }

    fn number(&mut self, spec: &'static Spec) -> Command {
        let (only_key, first_key) = (only_key(spec), first_key(spec));
        let command = Command { spec, id: self.all.len() as u16, only_key, first_key };
        self.all.push(command);
        command
    }

    /// The command called `name`, in any case.
    pub fn command(&self, name: &[u8]) -> Option<Command> {
        if name.len() > NAME_MAX {
            return None;
        }
        self.commands
            .find(hash(name), |one| one.name.as_bytes().eq_ignore_ascii_case(name))
            .copied()
            .or_else(|| self.renamed_to(name))
    }

    #[cold]
    fn renamed_to(&self, name: &[u8]) -> Option<Command> {
        let found = self.renamed.iter().find(|(new, _)| new.eq_ignore_ascii_case(name));
        found.map(|(_, command)| *command)
    }

    /// Gives a command another name, or none at all when that is empty. Rules of users keep to the old one.
    ///
    /// # Errors
    /// In Redis's words, when there is no such command, or another of the new name.
    pub fn rename(&mut self, old: &[u8], new: &[u8]) -> Result<(), &'static str> {
        let command = self.command(old).ok_or("No such command in rename-command")?;
        let same = |one: &Command| one.id == command.id;
        if let Ok(entry) = self.commands.find_entry(hash(command.name.as_bytes()), same) {
            entry.remove();
        }
        self.renamed.retain(|(_, one)| one.id != command.id);
        if new.is_empty() {
            return Ok(());
        }
        if self.command(new).is_some() {
            return Err("Target command name already exists");
        }
        self.renamed.push((new.to_vec(), command));
        Ok(())
    }

    /// The subcommand of `container` called `name`, in any case.
    pub fn subcommand(&self, container: Command, name: &[u8]) -> Option<Command> {
        if name.len() > NAME_MAX || container.subcommands.is_empty() {
            return None;
        }
        let same = |(outer, inner): &(u16, Command)| {
            *outer == container.id && inner.name.as_bytes().eq_ignore_ascii_case(name)
        };
        self.subcommands.find(hash(name), same).map(|(_, inner)| *inner)
    }

    /// As [`Table::resolve`]; `last` is what was called before, in the same spelling if it is the same.
    #[inline]
    pub fn resolve_like(&self, args: Args<'_>, last: &mut Last) -> Option<Command> {
        let sign = Sign::of(args.at(0));
        if let Last(Some((known, command))) = *last
            && sign == Some(known)
        {
            return Some(command);
        }
        let command = self.resolve(args)?;
        if command.container.is_none() && command.subcommands.is_empty() {
            *last = Last(sign.map(|sign| (sign, command)));
        }
        Some(command)
    }

    /// The command that `args` calls: the subcommand where there is one, else the container.
    pub fn resolve(&self, args: Args<'_>) -> Option<Command> {
        let command = self.command(args.get(0)?)?;
        if command.subcommands.is_empty() {
            return Some(command);
        }
        Some(args.get(1).and_then(|name| self.subcommand(command, name)).unwrap_or(command))
    }

    /// A command by its full name (`config|get`), in any case.
    pub fn by_full_name(&self, name: &[u8]) -> Option<Command> {
        match name.iter().position(|byte| *byte == b'|') {
            Some(bar) => self.subcommand(self.command(&name[..bar])?, &name[bar + 1..]),
            None => self.command(name),
        }
    }

    /// Top-level commands, in declaration order.
    pub fn commands(&self) -> impl Iterator<Item = Command> {
        self.all.iter().copied().filter(|one| one.container.is_none())
    }

    /// What rules of users may name.
    pub fn catalogue(&self) -> acl::Catalogue {
        let facts = |command: &Command| acl::Facts {
            name: command.full_name(),
            container: command
                .container
                .and_then(|container| self.command(container.as_bytes()))
                .map(|container| container.id()),
            categories: command.all_categories().bits(),
        };
        let categories = Categories::named().map(|(name, one)| (name, one.bits()));
        acl::Catalogue::new(self.all.iter().map(facts).collect(), categories.collect())
    }

    /// Commands and subcommands, in declaration order.
    pub fn all(&self) -> &[Command] {
        &self.all
    }
}

fn only_key(spec: &Spec) -> u16 {
    match spec.keys {
        // Where the flags vary, `find_keys` is about them alone.
        [KeySpec { begin: Begin::Index(word), find: Find::Range { last: 0, .. }, flags, .. }]
            if spec.find_keys.is_none() || flags.contains(KeyFlags::VARIABLE_FLAGS) =>
        {
            u16::try_from(*word).unwrap_or(0)
        }
        _ => 0,
    }
}

fn first_key(spec: &Spec) -> u16 {
    let Some(KeySpec { begin: Begin::Index(word), find, .. }) = spec.keys.first() else { return 0 };
    let behind = match find {
        Find::Range { .. } => 0,
        Find::KeyNum { first, .. } => *first,
        Find::Unknown => return 0,
    };
    word.checked_add(behind).and_then(|word| u16::try_from(word).ok()).unwrap_or(0)
}

/// FNV-1a over the lower-cased name: names are chosen by us, so nobody can make them collide.
fn hash(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Spec = Spec { name: "get", ..Spec::BASE };
    const SET: Spec = Spec { name: "set", ..Spec::BASE };

    #[test]
    fn a_renamed_command_has_only_its_new_name_and_keeps_its_facts() {
        let mut table = Table::new(&[&[&GET, &SET]]);
        let name = |table: &Table, name: &[u8]| table.command(name).map(|command| command.name);
        assert_eq!(table.rename(b"get", b"Fetch"), Ok(()));
        assert_eq!(name(&table, b"get"), None);
        assert_eq!(name(&table, b"fetch"), Some("get"));
        assert_eq!(table.rename(b"set", b"FETCH"), Err("Target command name already exists"));
        let mut table = Table::new(&[&[&GET, &SET]]);
        assert_eq!(table.rename(b"SET", b""), Ok(()));
        assert_eq!(name(&table, b"set"), None);
        assert_eq!(table.rename(b"set", b"x"), Err("No such command in rename-command"));
        assert_eq!(table.catalogue().len(), 2);
    }
}
