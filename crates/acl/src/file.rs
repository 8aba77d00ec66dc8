//! A file of users and roles: a line for each, `user NAME RULE ...` or `role NAME RULE ...`.

use std::collections::HashSet;

use crate::account::{Account, Kind};
use crate::catalogue::Catalogue;
use crate::error::{RuleError, SetError};
use crate::registry::{Defaults, Definition};
use crate::words::{has_spaces, join_selectors};

/// Why a name cannot be a role's: it could not be read back from `role=` lists and files.
pub(crate) fn wrong_role_name(name: &[u8]) -> Option<&'static str> {
    if name.is_empty() {
        return Some("Role names can't be empty");
    }
    if !name.iter().all(u8::is_ascii_graphic) {
        return Some("Role names must be printable ASCII without spaces");
    }
    let spoils = |byte: &u8| matches!(byte, b',' | b'"' | b'\'' | b'\\');
    if name.iter().any(spoils) {
        return Some("Role names can't contain commas, quotes or backslashes");
    }
    None
}

/// Reads a file's definitions.
///
/// # Errors
/// Everything that is wrong, in one line and in the words of Redis.
pub(crate) fn read(
    text: &[u8],
    file: &str,
    catalogue: &Catalogue,
    defaults: Defaults,
) -> Result<Vec<Definition>, String> {
    let mut reader = Reader { file, catalogue, defaults, errors: String::new() };
    let mut definitions: Vec<(usize, Definition)> = Vec::new();
    let mut seen = HashSet::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let Some(definition) = reader.line(index + 1, line) else { continue };
        if !seen.insert((definition.is_role, definition.name.clone())) {
            let kind = if definition.is_role { "role" } else { "user" };
            let name = String::from_utf8_lossy(&definition.name);
            let line = index + 1;
            let error = format!("WARNING: Duplicate {kind} '{name}' found on line {line}. ");
            reader.errors.push_str(&error);
            continue;
        }
        definitions.push((index + 1, definition));
    }
    let roles: HashSet<Vec<u8>> =
        seen.into_iter().filter(|(is_role, _)| *is_role).map(|(_, name)| name).collect();
    for (line, definition) in &definitions {
        reader.check(*line, definition, &roles);
    }
    if reader.errors.is_empty() {
        return Ok(definitions.into_iter().map(|(_, definition)| definition).collect());
    }
    let end =
        "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
    Err(reader.errors + end)
}

struct Reader<'a> {
    file: &'a str,
    catalogue: &'a Catalogue,
    defaults: Defaults,
    errors: String,
}

impl Reader<'_> {
    fn line(&mut self, number: usize, line: &[u8]) -> Option<Definition> {
        let file = self.file;
        let line = trim(line, b" \t\r\n");
        if line.is_empty() {
            return None;
        }
        let mut words = line.split(|byte| *byte == b' ').map(|word| trim(word, b"\t\r\n"));
        let kind = words.next().unwrap_or_default();
        let name = words.next();
        let is_role = kind == b"role";
        let name = match name {
            Some(name) if is_role || kind == b"user" => name,
            None if is_role => {
                self.errors.push_str(&format!("{file}:{number}: role line requires a role name. "));
                return None;
            }
            _ => {
                self.errors.push_str(&format!(
                    "{file}:{number} should start with user keyword followed by the username. "
                ));
                return None;
            }
        };
        let shown = String::from_utf8_lossy(name);
        if is_role && let Some(why) = wrong_role_name(name) {
            self.errors.push_str(&format!("{file}:{number}: invalid role name '{shown}': {why}. "));
            return None;
        }
        if has_spaces(name) {
            self.errors.push_str(&format!(
                "'{file}:{number}: username '{shown}' contains invalid characters. "
            ));
            return None;
        }
        let rules = words.map(<[u8]>::to_vec).collect();
        Some(Definition { name: name.to_vec(), rules, is_role })
    }

    /// Applies the rules to see which of them are wrong.
    fn check(&mut self, number: usize, definition: &Definition, roles: &HashSet<Vec<u8>>) {
        let file = self.file;
        let rules = match join_selectors(&definition.rules) {
            Ok(rules) => rules,
            Err(SetError::Unmatched(_) | SetError::Rule(..)) => {
                self.errors.push_str(&format!(
                    "{file}:{number}: Unmatched parenthesis in selector definition."
                ));
                return;
            }
        };
        let role_exists = |role: &[u8]| roles.contains(role);
        let kind = if definition.is_role { Kind::Role } else { Kind::User(&role_exists) };
        let mut account = Account::new(self.catalogue, self.defaults);
        let mut others = 0;
        for rule in &rules {
            match account.apply(rule, self.catalogue, self.defaults, kind) {
                Ok(()) => {}
                // These hold no secret, and more of them may be of use.
                Err(why @ RuleError::Unknown) => {
                    let rule = String::from_utf8_lossy(rule);
                    let error =
                        format!("{file}:{number}: Error in applying operation '{rule}': {why}. ");
                    self.errors.push_str(&error);
                }
                // What comes after the first may follow from it.
                Err(why) => {
                    if others == 0 {
                        let of =
                            if definition.is_role { "Error in role declaration: " } else { "" };
                        self.errors.push_str(&format!("{file}:{number}: {of}{why}. "));
                    }
                    others += 1;
                }
            }
        }
    }
}

fn trim<'a>(mut text: &'a [u8], ends: &[u8]) -> &'a [u8] {
    while let [first, rest @ ..] = text
        && ends.contains(first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && ends.contains(last)
    {
        text = rest;
    }
    text
}
