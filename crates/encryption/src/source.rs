use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::{KeyError, Keyring};

/// Bytes of a text with keys at most.
const TEXT_MAX: u64 = 64 * 1024;
/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Permissions of a key file that are refused: everything for everybody, and writing for the group.
const REFUSED: u32 = 0o027;
/// Permissions that are worth a warning.
const DOUBTFUL: u32 = 0o070;

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// What a command prints, which `/bin/sh` runs.
    Command(String),
}

/// Why keys cannot be had. It never says what stands there.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// More than one place is named.
    #[error(
        "encryption-key-file, encryption-key-env and encryption-key-command exclude each other"
    )]
    Several,
    /// It cannot be read.
    #[error("the key file {path}: {error}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others may read it, or change it.
    #[error(
        "the key file {path} has mode {mode:03o}: others could read or change it. Use chmod 600",
        path = path.display()
    )]
    Mode {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There is no such variable.
    #[error("the environment has no variable {0}")]
    Env(String),
    /// It cannot be run, or fails.
    #[error("the command for the encryption key: {0}")]
    Command(String),
    /// What is there is no key.
    #[error("{place}: {error}")]
    Key {
        /// Where.
        place: String,
        /// Why not.
        error: KeyError,
    },
}

impl Source {
    /// The place that is named, if one is; the empty text names none.
    ///
    /// # Errors
    /// When there are several.
    pub fn of(file: &str, env: &str, command: &str) -> Result<Option<Self>, SourceError> {
        let named = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
        let mut sources = [
            named(file).map(|path| Self::File(path.into())),
            named(env).map(Self::Env),
            named(command).map(Self::Command),
        ]
        .into_iter()
        .flatten();
        match (sources.next(), sources.next()) {
            (_, Some(_)) => Err(SourceError::Several),
            (first, None) => Ok(first),
        }
    }

    /// Reads the keys. `warn` is told what is doubtful.
    ///
    /// # Errors
    /// When there are none.
    pub fn load(&self, mut warn: impl FnMut(String)) -> Result<Keyring, SourceError> {
        let text = match self {
            Self::File(path) => {
                let failed = |error| SourceError::File { path: path.clone(), error };
                let file = File::open(path).map_err(failed)?;
                let metadata = file.metadata().map_err(failed)?;
                let mode = metadata.permissions().mode() & 0o777;
                if metadata.is_file() && mode & REFUSED != 0 {
                    return Err(SourceError::Mode { path: path.clone(), mode });
                }
                if metadata.is_file() && mode & DOUBTFUL != 0 {
                    warn(format!(
                        "The key file {} has mode {mode:03o}: its group can read it",
                        path.display()
                    ));
                }
                read(file).map_err(failed)?
            }
            Self::Env(name) => {
                let value = std::env::var_os(name).ok_or_else(|| SourceError::Env(name.clone()))?;
                Zeroizing::new(value.into_encoded_bytes())
            }
            Self::Command(command) => {
                run(command).map_err(|error| SourceError::Command(error.to_string()))?
            }
        };
        Keyring::parse(&text).map_err(|error| SourceError::Key { place: self.place(), error })
    }

    fn place(&self) -> String {
        match self {
            Self::File(path) => format!("the key file {}", path.display()),
            Self::Env(name) => format!("the environment variable {name}"),
            Self::Command(_) => "what the command for the encryption key prints".to_owned(),
        }
    }
}

/// Reads a text with keys. Its buffer has its size from the beginning, so that no copy is left behind.
fn read(input: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(TEXT_MAX as usize));
    input.take(TEXT_MAX).read_to_end(&mut text)?;
    Ok(text)
}

fn run(command: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let Some(output) = child.stdout.take() else { return Err(io::ErrorKind::BrokenPipe.into()) };
    let (send, receive) = channel();
    thread::Builder::new().name("key command".into()).spawn(move || send.send(read(output)))?;
    let text = match receive.recv_timeout(PATIENCE) {
        Ok(text) => text?,
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            let _ = child.kill();
            let _ = child.wait();
            let why = format!("it has not ended after {} s", PATIENCE.as_secs());
            return Err(io::Error::other(why));
        }
    };
    succeeded(&mut child)?;
    Ok(text)
}

fn succeeded(child: &mut Child) -> io::Result<()> {
    match child.wait()? {
        status if status.success() => Ok(()),
        status => Err(io::Error::other(format!("it failed with {status}"))),
    }
}
