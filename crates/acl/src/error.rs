use thiserror::Error;

/// Why a rule cannot be applied, in the words that Redis uses.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RuleError {
    /// No such command or category.
    #[error("Unknown command or category name in ACL")]
    Unknown,
    /// Not a rule at all, or a pattern with characters that it may not have.
    #[error("Syntax error")]
    Syntax,
    /// All keys are allowed already.
    #[error(
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. \
         Try 'resetkeys' to start with an empty list of patterns"
    )]
    AllKeys,
    /// All channels are allowed already.
    #[error(
        "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any \
         effect. Try 'resetchannels' to start with an empty list of channels"
    )]
    AllChannels,
    /// The user does not have the password that is to go.
    #[error("The password you are trying to remove from the user does not exist")]
    NoSuchPassword,
    /// Not the digest of a password.
    #[error(
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
    )]
    BadDigest,
    /// A first argument of a subcommand.
    #[error("Allowing first-arg of a subcommand is not supported")]
    FirstWordOfSubcommand,
    /// A database that does not exist.
    #[error("The provided database ID is out of range")]
    DatabaseRange,
    /// A role that does not exist.
    #[error("The role does not exist")]
    NoSuchRole,
    /// A rule for users, given to a role.
    #[error("The rule is not allowed in a role")]
    NotForRoles,
}

/// Why rules could not be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    /// A selector that begins with this word does not end.
    Unmatched(Vec<u8>),
    /// One of the rules.
    Rule(Vec<u8>, RuleError),
}

impl SetError {
    /// The error as ACL SETUSER tells it; `command` is the subcommand in upper case.
    pub fn text(&self, command: &str) -> String {
        match self {
            Self::Unmatched(word) => format!(
                "Unmatched parenthesis in acl selector starting at '{}'.",
                String::from_utf8_lossy(word)
            ),
            Self::Rule(rule, why) => {
                format!(
                    "Error in ACL {command} modifier '{}': {why}",
                    String::from_utf8_lossy(rule)
                )
            }
        }
    }
}
