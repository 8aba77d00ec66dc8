use bitflags::bitflags;

use crate::selector::{DatabaseSet, Selector};

bitflags! {
    /// What a command does with a key. Neither: it only looks whether and how large it is, for which either
    /// permission is enough.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Access: u8 {
        /// Gives its contents away, or depends on them.
        const READ = 1;
        /// Changes it.
        const WRITE = 2;
    }
}

/// A channel that a command names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The word.
    pub word: usize,
    /// It is a pattern: only an equal one allows it.
    pub is_pattern: bool,
}

/// The databases that a command touches.
#[derive(Clone, Copy, Debug)]
pub enum Databases<'a> {
    /// None.
    Nothing,
    /// These: the word that says so (0 for the selected one), and the number.
    These(&'a [(usize, i64)]),
    /// All.
    All,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The command's number.
    pub command: usize,
    /// The command needs no permission itself; its keys and channels do.
    pub is_free: bool,
    /// The word behind the name.
    pub first: Option<&'a [u8]>,
    /// The keys: word number, word, access.
    pub keys: &'a [(usize, &'a [u8], Access)],
    /// The channels, and their words.
    pub channels: &'a [(Channel, &'a [u8])],
    /// The databases.
    pub databases: Databases<'a>,
}

/// What was missing, from the least telling to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A database.
    Database,
    /// The command.
    Command,
    /// A key.
    Key,
    /// A channel.
    Channel,
    /// The right password; not of commands.
    Auth,
}

impl Reason {
    /// The word that ACL LOG uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Command => "command",
            Self::Key => "key",
            Self::Channel => "channel",
            Self::Auth => "auth",
        }
    }
}

/// Why a command is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied {
    /// What was missing.
    pub reason: Reason,
    /// The word that names the key, the channel or the database; 0 when none does.
    pub word: usize,
}

impl Selector {
    /// Whether the selector allows all of a request.
    pub(crate) fn check(&self, request: &Request<'_>) -> Result<(), Denied> {
        let denied = |reason, word| Err(Denied { reason, word });
        if let Some(word) = self.denied_database(request.databases) {
            return denied(Reason::Database, word);
        }
        let allowed = request.is_free
            || self.commands.allows(request.command)
            || self.commands.allows_with(request.command, request.first);
        if !allowed {
            return denied(Reason::Command, 0);
        }
        if let Some(key) =
            request.keys.iter().find(|(_, key, access)| !self.allows_key(key, *access))
        {
            return denied(Reason::Key, key.0);
        }
        let refused =
            |(channel, name): &&(Channel, &[u8])| !self.allows_channel(name, channel.is_pattern);
        match request.channels.iter().find(refused) {
            Some((channel, _)) => denied(Reason::Channel, channel.word),
            None => Ok(()),
        }
    }

    /// Whether the selector allows all of a request.
    pub fn allows(&self, request: &Request<'_>) -> bool {
        self.check(request).is_ok()
    }

    fn denied_database(&self, asked: Databases<'_>) -> Option<usize> {
        let DatabaseSet::These(allowed) = &self.databases else { return None };
        match asked {
            Databases::Nothing => None,
            Databases::All => Some(0),
            Databases::These(asked) => {
                let is_allowed = |number: i64| allowed.iter().any(|one| i64::from(*one) == number);
                asked.iter().find(|(_, number)| !is_allowed(*number)).map(|(word, _)| *word)
            }
        }
    }

    pub(crate) fn allows_key(&self, key: &[u8], access: Access) -> bool {
        let Some(patterns) = &self.keys else { return true };
        patterns.iter().any(|known| {
            known.access.contains(access) && codec::glob::matches(&known.pattern, key, false)
        })
    }

    /// Whether every key is allowed, there are or not.
    pub(crate) fn allows_every_key(&self, access: Access) -> bool {
        let Some(patterns) = &self.keys else { return true };
        patterns.iter().any(|known| known.pattern == b"*" && known.access.contains(access))
    }

    pub(crate) fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        let Some(patterns) = &self.channels else { return true };
        patterns.iter().any(|known| match is_pattern {
            true => known == channel,
            false => codec::glob::matches(known, channel, false),
        })
    }
}

/// Whether one of some selectors allows a request. Otherwise: the most telling reason, and of several alike
/// the one furthest behind.
///
/// # Errors
/// When none does.
pub(crate) fn check<'s>(
    selectors: impl IntoIterator<Item = &'s Selector>,
    request: &Request<'_>,
) -> Result<(), Denied> {
    let mut worst = Denied { reason: Reason::Database, word: 0 };
    for selector in selectors {
        match selector.check(request) {
            Ok(()) => return Ok(()),
            Err(denied) => worst = worst.max(denied),
        }
    }
    Err(worst)
}
