use std::io;
use std::path::{Path, PathBuf};

use aof::Manifest;

/// A file of a manifest, and whether it may be cut off.
pub struct Part {
    /// Its name, as the manifest has it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is the base.
    pub is_base: bool,
    /// Only what comes last can lose its end without what follows becoming wrong.
    pub is_last: bool,
}

/// The files that a manifest names, in the order in which they are loaded.
///
/// # Errors
/// When it cannot be read, or understood: then with the line.
pub fn parts(path: &Path) -> io::Result<Vec<Part>> {
    let manifest = Manifest::parse(&std::fs::read(path)?).map_err(|error| {
        let place =
            error.line.as_ref().map(|(number, line)| format!(", at line {number}: '{line}'"));
        io::Error::other(format!("{error}{}", place.unwrap_or_default()))
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let count = manifest.files().count();
    let part = |(index, info): (usize, &aof::FileInfo)| Part {
        name: info.name.clone(),
        path: folder.join(&info.name),
        is_base: manifest.base.as_ref() == Some(info),
        is_last: index + 1 == count,
    };
    Ok(manifest.files().enumerate().map(part).collect())
}
