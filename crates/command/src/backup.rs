//! How the backup goes that BACKUP makes.

use std::path::PathBuf;

use parking_lot::{Mutex, MutexGuard};

/// How far the backup is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackupStage {
    /// There is none.
    #[default]
    Idle,
    /// It begins as soon as the snapshot that is under way comes to its end.
    Pending,
    /// Its snapshot is written, and read back.
    Snapshotting,
    /// Its snapshot is whole and durable; it waits for being sealed.
    Incrementing,
    /// It is complete.
    Sealed,
    /// It has come to nothing.
    Failed,
}

impl BackupStage {
    /// The name that BACKUP STATUS gives.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Pending => "pending",
            Self::Snapshotting => "snapshotting",
            Self::Incrementing => "incrementing",
            Self::Sealed => "sealed",
            Self::Failed => "failed",
        }
    }

    /// Whether it has begun and is not complete.
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Pending | Self::Snapshotting | Self::Incrementing)
    }
}

/// The backup.
#[derive(Debug, Default)]
pub struct Backup {
    /// How far it is.
    pub stage: BackupStage,
    /// Rises with every attempt: what ends late must not be taken for the next.
    pub attempt: u64,
    /// Its snapshot is the one that is under way.
    pub walks: bool,
    /// Why it has failed.
    pub error: String,
    /// When it began, seconds since the epoch; 0 when there is none.
    pub started_s: i64,
    /// When it was sealed, seconds since the epoch; 0 when it is not.
    pub ended_s: i64,
    /// Where its files are.
    pub directory: PathBuf,
    /// Its files so far.
    pub files: Vec<PathBuf>,
    /// Keys in it.
    pub keys: u64,
    /// Bytes of its snapshot.
    pub bytes: u64,
}

/// The place of the one backup.
#[derive(Default)]
pub struct Backups(Mutex<Backup>);

impl Backups {
    /// The backup, as it is now.
    pub fn now(&self) -> MutexGuard<'_, Backup> {
        self.0.lock()
    }
}
