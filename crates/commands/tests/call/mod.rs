//! Calls of commands, made from their declarations.
use command::Command;
use command::syntax::{self, Arg, ArgKind};

/// A call of a command, and which of its words are keys as its syntax has it.
pub struct Call {
    /// Its words, the name first.
    pub words: Vec<String>,
    /// Which of them are keys.
    pub keys: Vec<usize>,
}

impl Call {
    /// The shortest call of a command that names all its keys.
    pub fn of(command: Command) -> Self {
        let words = command.full_name().split('|').map(str::to_owned).collect();
        let mut call = Self { words, keys: Vec::new() };
        let args = syntax::parse(command.syntax, command.keys.len()).expect("a syntax");
        args.iter().for_each(|arg| call.add(arg));
        call
    }

    fn add(&mut self, arg: &Arg) {
        // MIGRATE takes either a key or those behind KEYS.
        let is_other_form = arg.token == Some("KEYS") && !self.keys.is_empty();
        if arg.optional && (!has_key(arg) || is_other_form) {
            return;
        }
        if let Some(token) = arg.token {
            self.words.push(token.to_owned());
        }
        match &arg.kind {
            ArgKind::Key => {
                self.keys.push(self.words.len());
                self.words.push(format!("key{}", self.words.len()));
            }
            ArgKind::String => self.words.push("x".into()),
            ArgKind::Pattern => self.words.push("*".into()),
            ArgKind::Integer | ArgKind::Double | ArgKind::UnixTime => self.words.push("1".into()),
            ArgKind::Token => {}
            ArgKind::OneOf(choices) => {
                let choice = choices.iter().find(|choice| has_key(choice)).or(choices.first());
                choice.into_iter().for_each(|choice| self.add(choice));
            }
            ArgKind::Block(items) => items.iter().for_each(|item| self.add(item)),
        }
    }
}

fn has_key(arg: &Arg) -> bool {
    match &arg.kind {
        ArgKind::Key => true,
        ArgKind::OneOf(items) | ArgKind::Block(items) => items.iter().any(has_key),
        _ => false,
    }
}
