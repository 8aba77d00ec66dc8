use std::collections::HashMap;

/// What rules may say of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The full name in lower case: `get`, `config|get`.
    pub name: String,
    /// The number of the container, of a subcommand.
    pub container: Option<usize>,
    /// One bit for each category.
    pub categories: u32,
}

/// What rules may name: commands, by their number in the command table, and categories.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    commands: Vec<Facts>,
    numbers: HashMap<String, usize>,
    categories: Vec<(&'static str, u32)>,
}

impl Catalogue {
    /// Subcommands stand right behind their containers; a category is a name in lower case and its bit.
    pub fn new(commands: Vec<Facts>, categories: Vec<(&'static str, u32)>) -> Self {
        let numbers = commands.iter().enumerate().map(|(id, facts)| (facts.name.clone(), id));
        Self { numbers: numbers.collect(), commands, categories }
    }

    /// The number of commands.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there is no command.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// A command by its full name, in any case.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        self.numbers.get(&name).copied()
    }

    /// A command by number.
    pub fn facts(&self, id: usize) -> Option<&Facts> {
        self.commands.get(id)
    }

    /// The numbers of a container's subcommands.
    pub fn subcommands(&self, id: usize) -> impl Iterator<Item = usize> + '_ {
        let rest = self.commands.get(id + 1..).unwrap_or_default();
        let own = rest.iter().take_while(move |facts| facts.container == Some(id)).count();
        id + 1..id + 1 + own
    }

    /// The bit of a category, by its name in any case.
    pub fn category(&self, name: &[u8]) -> Option<u32> {
        let same = |(known, _): &&(&str, u32)| known.as_bytes().eq_ignore_ascii_case(name);
        self.categories.iter().find(same).map(|(_, bit)| *bit)
    }

    /// The categories' names, in their order.
    pub fn categories(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.categories.iter().map(|(name, _)| *name)
    }

    /// The numbers of the commands in a category.
    pub fn members(&self, category: u32) -> impl Iterator<Item = usize> + '_ {
        let all = self.commands.iter().enumerate();
        all.filter(move |(_, facts)| facts.categories & category != 0).map(|(id, _)| id)
    }
}
