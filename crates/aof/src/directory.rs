use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::manifest::{FileInfo, Manifest};

/// The folder of the append-only files.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    filename: String,
}

impl Directory {
    /// `appenddirname` in the working directory, for files called `appendfilename`.
    pub fn new(path: impl Into<PathBuf>, filename: &str) -> Self {
        Self { path: path.into(), filename: filename.to_owned() }
    }

    /// What the names of its files begin with.
    pub fn filename(&self) -> &str {
        &self.filename
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is there.
    pub fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Where a file of it is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where the manifest is.
    pub fn manifest(&self) -> PathBuf {
        self.file(&format!("{}.manifest", self.filename))
    }

    /// Makes the folder if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(&self) -> io::Result<()> {
        match fs::create_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && self.exists() => Ok(()),
            Err(error) => Err(error),
            Ok(()) => sync_directory(self.path.parent().unwrap_or(Path::new("."))),
        }
    }

    /// Puts a manifest in the place of the one before: after a crash one of the two is there.
    ///
    /// # Errors
    /// When it cannot be written or made durable.
    pub fn save(&self, manifest: &Manifest) -> io::Result<()> {
        let temporary = self.file(&format!("temp-{}.manifest", self.filename));
        let mut file = File::create(&temporary)?;
        file.write_all(manifest.to_text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, self.manifest())?;
        sync_directory(&self.path)
    }

    /// Opens a file to be appended to, made if it is not there.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn append(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().append(true).create(true).open(self.file(name))
    }

    /// Gives a file another name.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.file(from), self.file(to))
    }

    /// Bytes of a file.
    ///
    /// # Errors
    /// When it is not there.
    pub fn size(&self, info: &FileInfo) -> io::Result<u64> {
        Ok(fs::metadata(self.file(&info.name))?.len())
    }

    /// Removes the files that a manifest calls history, and forgets them. One that is not there is as well
    /// gone.
    pub fn remove_history(&self, manifest: &mut Manifest) {
        for info in manifest.history.drain(..) {
            let _ = fs::remove_file(self.file(&info.name));
        }
    }
}

/// Makes names in a folder durable.
///
/// # Errors
/// When the folder cannot be opened or made durable.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}
