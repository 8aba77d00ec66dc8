use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use codec::crc64::Crc64;
use encryption::{Keyring, Kind, Output};
use rdb::{Records, write};

use crate::take::Size;

/// Why a snapshot was not saved. The file of the one before is as it was.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {error}")]
pub struct SaveError {
    /// What failed.
    pub doing: &'static str,
    /// How.
    pub error: io::Error,
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> SaveError {
    move |error| SaveError { doing, error }
}

/// What stands at the beginning of a file.
pub struct Preamble {
    /// Texts about the file, with their names.
    pub texts: Vec<(&'static str, String)>,
    /// Sources of function libraries.
    pub functions: Vec<Vec<u8>>,
}

impl Preamble {
    /// Appends header, texts, and sources.
    pub fn write(&self, records: Records, out: &mut Vec<u8>) {
        write::header(out);
        for (name, text) in &self.texts {
            records.aux(name.as_bytes(), text.as_bytes(), out);
        }
        for source in &self.functions {
            records.function(source, out);
        }
    }
}

/// Appends how many keys the databases have.
pub(crate) fn write_sizes(sizes: &[Size], records: Records, out: &mut Vec<u8>) {
    for size in sizes {
        records.select(size.database as u64, out);
        records.size(size.keys, size.volatile, out);
    }
}

/// A file that takes another's place once it is whole.
pub struct Target {
    output: Output,
    path: PathBuf,
    sum: Option<Crc64>,
    finished: bool,
    unsynced: usize,
}

/// Bytes after which the system is asked to begin writing, so that there is little left to wait for at the end.
const SYNC_AFTER: usize = 32 << 20;

impl Target {
    /// A temporary file beside the place where it will go; `checksum` is whether it ends with one, and with `keys` it
    /// is encrypted.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(
        path: PathBuf,
        checksum: bool,
        keys: Option<&Keyring>,
    ) -> Result<Self, SaveError> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        let output = file.and_then(|file| Output::new(file, keys, Kind::Whole));
        let output = output.inspect_err(|_| drop(fs::remove_file(&path)));
        let output = output.map_err(failed("Failed opening the temp RDB file for saving"))?;
        let sum = checksum.then(Crc64::new);
        Ok(Self { output, path, sum, finished: false, unsynced: 0 })
    }

    /// Writes what a file begins with.
    ///
    /// # Errors
    /// As [`Target::write`].
    pub fn begin(
        &mut self,
        preamble: &Preamble,
        sizes: &[Size],
        records: Records,
    ) -> io::Result<()> {
        let mut out = Vec::new();
        preamble.write(records, &mut out);
        write_sizes(sizes, records, &mut out);
        self.write(&out)
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// When they cannot be written: the disk is full, for example.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(sum) = &mut self.sum {
            sum.update(bytes);
        }
        self.output.write_all(bytes)?;
        self.unsynced += bytes.len();
        if self.unsynced >= SYNC_AFTER {
            self.unsynced = 0;
            self.output.file().sync_data()?;
        }
        Ok(())
    }

    /// Ends the file and makes it durable, in its temporary place.
    ///
    /// # Errors
    /// When any of this fails.
    pub fn seal(mut self, records: Records) -> Result<Sealed, SaveError> {
        let mut end = Vec::new();
        records.end_mark(&mut end);
        self.write(&end).map_err(failed("Write error saving DB on disk"))?;
        let sum = self.sum.take().map_or(0, |sum| sum.value());
        self.write(&sum.to_le_bytes()).map_err(failed("Write error saving DB on disk"))?;
        self.output.finish().map_err(failed("Write error saving DB on disk"))?;
        self.output.file().sync_all().map_err(failed("Failed to fsync the temp RDB file"))?;
        Ok(Sealed(self))
    }
}

/// A whole file, still in its temporary place; dropped, it is gone.
pub struct Sealed(Target);

impl Sealed {
    /// Puts the file in the place of `name`. That this is durable is up to [`sync_directory`].
    ///
    /// # Errors
    /// When it cannot be moved; `name` is then as it was.
    pub fn publish(mut self, name: &Path) -> Result<(), SaveError> {
        fs::rename(&self.0.path, name)
            .map_err(failed("Error moving temp DB file on the final destination"))?;
        self.0.finished = true;
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the names in a file's directory durable.
///
/// # Errors
/// When that fails.
pub fn sync_directory(name: &Path) -> Result<(), SaveError> {
    let directory = match name.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(failed("Failed to fsync directory while saving DB"))
}
