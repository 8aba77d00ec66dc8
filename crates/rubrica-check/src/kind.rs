use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use aof::Manifest;
use encryption::{Damage, Input, Keyring};

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A snapshot; versions before 7 may have commands behind it.
    Snapshot,
    /// Commands.
    Log,
    /// A list of append-only files.
    Manifest,
    /// A file without content.
    Empty,
    /// A directory with these files of a server.
    Directory(Vec<PathBuf>),
    /// Something else.
    Unknown,
}

/// Looks at what is there.
///
/// # Errors
/// When it cannot be read, or is encrypted and the keys do not open it.
pub fn of(path: &Path, keys: Option<&Keyring>) -> io::Result<Kind> {
    if fs::metadata(path)?.is_dir() {
        return files_of(path).map(Kind::Directory);
    }
    let mut start = Vec::new();
    let mut input = Input::open(File::open(path)?, keys)?;
    match (&mut input).take(64 * 1024).read_to_end(&mut start) {
        Err(error) if Damage::of(&error).is_none() => return Err(error),
        _ => {}
    }
    Ok(match start.as_slice() {
        // Even without content there is something to check.
        [] if input.is_encrypted() => match path.extension().is_some_and(|end| end == "rdb") {
            true => Kind::Snapshot,
            false => Kind::Log,
        },
        [] => Kind::Empty,
        [b'R', b'E', b'D', b'I', b'S', ..] | [b'V', b'A', b'L', b'K', b'E', b'Y', ..] => {
            Kind::Snapshot
        }
        [b'*', ..] => Kind::Log,
        start if is_manifest(start) => Kind::Manifest,
        [b'#', ..] => Kind::Log,
        _ => Kind::Unknown,
    })
}

/// Whether a line says what a file is.
fn is_manifest(start: &[u8]) -> bool {
    start.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"file "))
        || Manifest::parse(start).is_ok_and(|manifest| !manifest.is_empty())
}

/// What a server has left in a directory: manifests, and snapshots that no manifest names.
fn files_of(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut manifests, mut snapshots) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_temporary = name.starts_with("temp-");
        if path.is_dir() {
            // A working directory has that of the append-only files in it.
            let manifest = |path: &PathBuf| path.extension().is_some_and(|end| end == "manifest");
            manifests.extend(files_of(&path)?.into_iter().filter(manifest));
        } else if is_temporary {
            // What an interrupted server has not finished is no part of its data.
        } else if name.ends_with(".manifest") {
            manifests.push(path);
        } else if name.ends_with(".rdb") && !name.contains(".base.") {
            snapshots.push(path);
        }
    }
    manifests.sort();
    snapshots.sort();
    manifests.append(&mut snapshots);
    Ok(manifests)
}
