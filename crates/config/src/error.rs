//! Errors, in the words that Redis uses, since people and test suites know them.

use std::fmt;
use std::path::PathBuf;

/// Why the configuration could not be loaded. Its text goes to standard error as it is.
#[derive(Debug)]
pub enum ConfigError {
    /// A file, or standard input, could not be read.
    Open {
        /// The file; `-` for standard input.
        path: PathBuf,
        /// What the operating system said.
        error: std::io::Error,
    },
    /// A line is wrong.
    Line {
        /// The included file that contains it; `None` for the main file, standard input and the
        /// command line, which count as one text.
        file: Option<PathBuf>,
        /// The number of the line, from 1.
        line: usize,
        /// The line without blanks at its ends; the values of sensitive options are left out.
        text: String,
        /// What is wrong.
        message: String,
    },
    /// The options do not go together.
    Whole {
        /// What is wrong.
        message: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const TITLE: &str =
            concat!("*** FATAL CONFIG FILE ERROR (Rubrica ", env!("CARGO_PKG_VERSION"), ") ***");
        match self {
            Self::Open { path, error } => {
                let reason = crate::files::os_text(error);
                write!(f, "Fatal error, can't open config file '{}': {reason}", path.display())
            }
            Self::Line { file, line, text, message } => {
                write!(f, "{TITLE}\nReading the configuration file")?;
                if let Some(file) = file {
                    write!(f, " '{}'", file.display())?;
                }
                write!(f, ", at line {line}\n>>> '{text}'\n{message}")
            }
            Self::Whole { message } => write!(f, "{TITLE}\n{message}"),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Why CONFIG SET changed nothing. Its text is the error reply without the leading `ERR`; the reply
/// to [`SetError::Loading`] is the server's general one for commands refused while loading.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// No such option.
    #[error("Unknown option or number of arguments for CONFIG SET - '{name}'")]
    Unknown {
        /// The name as the client wrote it, fit for a message.
        name: String,
    },
    /// The option refuses the value.
    #[error("CONFIG SET failed (possibly related to argument '{name}') - {message}")]
    Failed {
        /// The option.
        name: String,
        /// Why.
        message: String,
    },
    /// The option cannot change while a data set is loaded.
    #[error("Redis is loading the dataset in memory")]
    Loading,
}

impl SetError {
    /// The error of an option whose new value could not be put into effect.
    #[must_use]
    pub fn failed(name: &str, message: impl Into<String>) -> Self {
        Self::Failed { name: name.to_owned(), message: message.into() }
    }
}
