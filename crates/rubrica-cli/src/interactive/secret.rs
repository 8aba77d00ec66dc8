//! What must not be shown or remembered.

use rustyline::config::Configurer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::{ColorMode, Completer, Editor, Helper, Hinter, Validator};
use std::borrow::Cow;

/// Shows asterisks for what is typed.
#[derive(Completer, Helper, Hinter, Validator)]
struct Mask;

impl Highlighter for Mask {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        Cow::Owned("*".repeat(line.chars().count()))
    }

    fn highlight_char(&self, _line: &str, _pos: usize, _kind: CmdKind) -> bool {
        true
    }
}

/// Asks for a password; `None` at the end of the input.
pub fn ask_password() -> Option<Vec<u8>> {
    let mut editor = Editor::<Mask, rustyline::history::DefaultHistory>::new().ok()?;
    editor.set_helper(Some(Mask));
    editor.set_color_mode(ColorMode::Forced);
    editor.set_auto_add_history(false);
    editor.readline("Please input password: ").ok().map(String::into_bytes)
}

/// Whether a command holds a password, so that history must not.
pub fn is_sensitive(words: &[Vec<u8>]) -> bool {
    let lower: Vec<Vec<u8>> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    let lower: Vec<&[u8]> = lower.iter().map(Vec::as_slice).collect();
    match lower.as_slice() {
        [b"auth", ..] | [b"acl", b"setuser", _, ..] | [b"acl", b"setuser"] => true,
        [b"config", b"set", parameters @ ..] => parameters
            .iter()
            .step_by(2)
            .any(|name| matches!(*name, b"masterauth" | b"masteruser" | b"requirepass")),
        [b"hello", _, options @ ..] => options.contains(&&b"auth"[..]),
        [b"migrate", _, _, _, _, _, options @ ..] => options
            .iter()
            .take_while(|word| **word != b"keys")
            .any(|word| matches!(*word, b"auth" | b"auth2")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensitive(line: &str) -> bool {
        is_sensitive(&crate::quoting::split_words(line.as_bytes()).unwrap())
    }

    #[test]
    fn commands_with_passwords_are_not_remembered() {
        assert!(sensitive("AUTH x"));
        assert!(sensitive("acl setuser me >x"));
        assert!(sensitive("config set requirepass x"));
        assert!(sensitive("config set maxmemory 1 masterauth x"));
        assert!(sensitive("hello 3 setname me auth me x"));
        assert!(sensitive("migrate h 1 \"\" 0 10 auth x keys a"));
        assert!(!sensitive("migrate h 1 \"\" 0 10 keys auth"));
        assert!(!sensitive("config set maxmemory 1"));
        assert!(!sensitive("get auth"));
    }
}
