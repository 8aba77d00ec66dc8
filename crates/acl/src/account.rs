use crate::catalogue::Catalogue;
use crate::error::{RuleError, SetError};
use crate::password::Digest;
use crate::registry::Defaults;
use crate::selector::Selector;
use crate::words::join_selectors;

/// What rules say of a user or a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whether anybody may authenticate as the user.
    pub enabled: bool,
    /// Whether any password will do.
    pub no_password: bool,
    /// Whether what RESTORE brings is checked; `None` when no rule says so.
    pub sanitize: Option<Sanitize>,
    /// The passwords.
    pub passwords: Vec<Digest>,
    /// The permissions outside of parentheses, then those within.
    pub selectors: Vec<Selector>,
    /// The names of the user's roles.
    pub roles: Vec<Vec<u8>>,
}

/// Whether what RESTORE brings is checked in depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sanitize {
    /// `sanitize-payload`
    Yes,
    /// `skip-sanitize-payload`
    Skip,
}

/// Whose rules they are.
#[derive(Clone, Copy)]
pub enum Kind<'a> {
    /// A user's, who may have the roles for which this is true.
    User(&'a dyn Fn(&[u8]) -> bool),
    /// A role's: permissions only.
    Role,
}

impl Account {
    /// One that may do nothing.
    pub fn new(catalogue: &Catalogue, defaults: Defaults) -> Self {
        Self {
            enabled: false,
            no_password: false,
            sanitize: None,
            passwords: Vec::new(),
            selectors: vec![Selector::new(catalogue, defaults.all_channels)],
            roles: Vec::new(),
        }
    }

    /// The user that everybody begins as: may do everything, without a password.
    pub fn unlimited(catalogue: &Catalogue, defaults: Defaults) -> Self {
        let mut account = Self::new(catalogue, defaults);
        for rule in [&b"+@all"[..], b"~*", b"&*", b"on", b"nopass"] {
            // These are rules.
            let _ = account.apply(rule, catalogue, defaults, Kind::User(&|_| false));
        }
        account
    }

    /// Applies rules, where a selector may be in several words.
    ///
    /// # Errors
    /// The first rule that is wrong; those before it are applied.
    pub fn apply_all<W: AsRef<[u8]>>(
        &mut self,
        words: &[W],
        catalogue: &Catalogue,
        defaults: Defaults,
        kind: Kind<'_>,
    ) -> Result<(), SetError> {
        for rule in join_selectors(words)? {
            self.apply(&rule, catalogue, defaults, kind)
                .map_err(|why| SetError::Rule(rule, why))?;
        }
        Ok(())
    }

    /// Applies one rule.
    ///
    /// # Errors
    /// When it is wrong; nothing has changed then.
    pub fn apply(
        &mut self,
        rule: &[u8],
        catalogue: &Catalogue,
        defaults: Defaults,
        kind: Kind<'_>,
    ) -> Result<(), RuleError> {
        match rule {
            [] => return Ok(()),
            [b'(', inside @ .., b')'] => {
                let selector =
                    Selector::parse(inside, catalogue, defaults.all_channels, defaults.databases)?;
                self.selectors.push(selector);
                return Ok(());
            }
            _ if rule.eq_ignore_ascii_case(b"clearselectors") => {
                self.selectors.truncate(1);
                return Ok(());
            }
            _ => {}
        }
        if self.apply_of_user(rule, catalogue, defaults, kind)? {
            return Ok(());
        }
        match self.selectors.first_mut() {
            Some(root) => root.apply(rule, catalogue, defaults.databases),
            None => Ok(()),
        }
    }

    /// Applies a rule that only users have; false when it is none.
    fn apply_of_user(
        &mut self,
        rule: &[u8],
        catalogue: &Catalogue,
        defaults: Defaults,
        kind: Kind<'_>,
    ) -> Result<bool, RuleError> {
        let Kind::User(role_exists) = kind else {
            let is_of_user = Self::is_of_user(rule);
            return if is_of_user { Err(RuleError::NotForRoles) } else { Ok(false) };
        };
        let word = rule.to_ascii_lowercase();
        match word.as_slice() {
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"skip-sanitize-payload" => self.sanitize = Some(Sanitize::Skip),
            b"sanitize-payload" => self.sanitize = Some(Sanitize::Yes),
            b"nopass" => {
                self.no_password = true;
                self.passwords.clear();
            }
            b"resetpass" => {
                self.no_password = false;
                self.passwords.clear();
            }
            b"resetroles" => self.roles.clear(),
            b"reset" => {
                let sanitize = Some(Sanitize::Yes);
                *self = Self { sanitize, ..Self::new(catalogue, defaults) };
            }
            [b'>' | b'#', ..] => {
                let digest = digest(rule)?;
                if !self.passwords.contains(&digest) {
                    self.passwords.push(digest);
                }
                self.no_password = false;
            }
            [b'<' | b'!', ..] => {
                let digest = digest(rule)?;
                let place = self.passwords.iter().position(|known| *known == digest);
                self.passwords.remove(place.ok_or(RuleError::NoSuchPassword)?);
            }
            [b'r', b'o', b'l', b'e', b'=', ..] => {
                self.roles = roles(rule.get(5..).unwrap_or_default(), role_exists)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn is_of_user(rule: &[u8]) -> bool {
        const WORDS: [&[u8]; 8] = [
            b"on",
            b"off",
            b"skip-sanitize-payload",
            b"sanitize-payload",
            b"nopass",
            b"resetpass",
            b"resetroles",
            b"reset",
        ];
        let begins =
            |start: &[u8]| rule.get(..start.len()).is_some_and(|r| r.eq_ignore_ascii_case(start));
        WORDS.iter().any(|word| rule.eq_ignore_ascii_case(word))
            || matches!(rule.first(), Some(b'>' | b'#' | b'<' | b'!'))
            || begins(b"role=")
    }

    /// The names of the flags, in the order of ACL LIST.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        let flags = [
            (self.enabled, "on"),
            (!self.enabled, "off"),
            (self.no_password, "nopass"),
            (self.sanitize == Some(Sanitize::Skip), "skip-sanitize-payload"),
            (self.sanitize == Some(Sanitize::Yes), "sanitize-payload"),
        ];
        flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name)
    }

    /// All rules of a user, as ACL LIST gives them behind the name.
    pub fn describe(&self) -> Vec<u8> {
        let mut parts: Vec<Vec<u8>> = self.flags().map(|flag| flag.as_bytes().to_vec()).collect();
        parts.extend(self.passwords.iter().map(|digest| format!("#{}", digest.hex()).into_bytes()));
        if !self.roles.is_empty() {
            parts.push([b"role=", self.roles.join(&b',').as_slice()].concat());
        }
        parts.push(self.describe_selectors());
        parts.join(&b' ')
    }

    /// The rules of all selectors: all there is of a role.
    pub fn describe_selectors(&self) -> Vec<u8> {
        let mut selectors = self.selectors.iter();
        let mut parts: Vec<Vec<u8>> =
            selectors.next().map(Selector::describe).into_iter().collect();
        parts.extend(selectors.map(Selector::describe_enclosed));
        parts.join(&b' ')
    }

    /// Whether somebody who gives this password may be the user.
    pub fn admits(&self, password: &[u8]) -> bool {
        if !self.enabled {
            return false;
        }
        let given = Digest::of(password);
        // All of them, so that the time taken does not tell which one it was.
        let known = self.passwords.iter().fold(false, |found, one| found | one.matches(&given));
        self.no_password || known
    }
}

/// `>password`, `<password`, `#digest` or `!digest`.
fn digest(rule: &[u8]) -> Result<Digest, RuleError> {
    match rule {
        [b'>' | b'<', password @ ..] => Ok(Digest::of(password)),
        [_, hex @ ..] => Digest::parse(hex).ok_or(RuleError::BadDigest),
        [] => Err(RuleError::Syntax),
    }
}

fn roles(list: &[u8], exists: &dyn Fn(&[u8]) -> bool) -> Result<Vec<Vec<u8>>, RuleError> {
    let mut roles: Vec<Vec<u8>> = Vec::new();
    for name in list.split(|byte| *byte == b',') {
        if name.is_empty() {
            return Err(RuleError::Syntax);
        }
        if !roles.iter().any(|known| known == name) {
            roles.push(name.to_vec());
        }
    }
    if roles.iter().all(|name| exists(name)) { Ok(roles) } else { Err(RuleError::NoSuchRole) }
}
