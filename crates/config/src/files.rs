//! The file system as far as reading a configuration needs it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// What the operating system said, without the error's number.
pub(crate) fn os_text(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text.get(..end).unwrap_or(&text).to_owned(),
        None => text,
    }
}

/// Where configuration files come from.
pub trait Files {
    /// The content of a file.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// All of standard input.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn stdin(&self) -> io::Result<Vec<u8>>;

    /// The names in a directory, in any order.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn names(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// The absolute path of an existing directory.
    ///
    /// # Errors
    /// Whatever the operating system says; an error if it is not a directory.
    fn directory(&self, path: &Path) -> io::Result<PathBuf>;
}

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsFiles;

impl Files for OsFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn stdin(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        io::Read::read_to_end(&mut io::stdin().lock(), &mut text)?;
        Ok(text)
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn directory(&self, path: &Path) -> io::Result<PathBuf> {
        let full = std::fs::canonicalize(path)?;
        if full.is_dir() { Ok(full) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }
}

/// Files in memory, for tests. Relative paths start at the root; every directory exists.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    /// Contents by path.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// What standard input holds.
    pub input: Vec<u8>,
}

impl MemoryFiles {
    /// One file.
    #[must_use]
    pub fn with(mut self, path: &str, text: &str) -> Self {
        self.files.insert(Self::absolute(Path::new(path)), text.as_bytes().to_vec());
        self
    }

    /// The path from the root, without `.` in it.
    fn absolute(path: &Path) -> PathBuf {
        Path::new("/").join(path).components().collect()
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.get(&Self::absolute(path)).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn stdin(&self) -> io::Result<Vec<u8>> {
        Ok(self.input.clone())
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        let directory = Self::absolute(directory);
        let inside = |path: &PathBuf| {
            let rest = path.strip_prefix(&directory).ok()?;
            Some(rest.components().next()?.as_os_str().to_str()?.to_owned())
        };
        Ok(self.files.keys().filter_map(inside).collect())
    }

    fn directory(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(Self::absolute(path))
    }
}

/// Whether a path contains a character that makes it a pattern.
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// The paths that a pattern matches, in order. A directory that cannot be read matches nothing,
/// and only a pattern that starts with a dot matches names that do.
pub(crate) fn expand(files: &dyn Files, pattern: &Path) -> Vec<PathBuf> {
    const MAX_PATHS: usize = 10_000;
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        if !is_pattern(&text) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        let mut next = Vec::new();
        for directory in &found {
            let here =
                if directory.as_os_str().is_empty() { Path::new(".") } else { directory.as_path() };
            let mut names = files.names(here).unwrap_or_default();
            names.retain(|name| {
                name.starts_with('.') == text.starts_with('.')
                    && codec::glob::matches(text.as_bytes(), name.as_bytes(), false)
            });
            names.sort();
            names.dedup();
            next.extend(names.into_iter().map(|name| directory.join(name)));
        }
        next.truncate(MAX_PATHS);
        found = next;
    }
    // A fixed name after a pattern may not exist everywhere.
    found.retain(|path| files.read(path).is_ok());
    found
}
