use std::io;

/// Why an encrypted file, or a part of it, is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {at} of the encrypted file: {why}")]
pub struct Damage {
    /// Where in the file: its beginning, or that of the frame that is wrong.
    pub at: u64,
    /// What is wrong.
    pub why: &'static str,
}

impl Damage {
    /// The damage that an error of a [`crate::Reader`] tells of, if it is one.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<Damage> for io::Error {
    fn from(damage: Damage) -> Self {
        Self::new(io::ErrorKind::InvalidData, damage)
    }
}
