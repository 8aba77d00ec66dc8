//! Ending a log that its writer did not end, and cutting files off.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use ring::aead::LessSafeKey;

use crate::frame::{Announced, HEAD, end_mark};
use crate::header::{self, FileId, HEADER, Kind, is_encrypted};
use crate::read::read_full;
use crate::{Input, Keyring, Writer};

/// Where a file's blocks end, up to some content.
struct Place {
    /// Bytes of the file before.
    offset: u64,
    /// Bytes of content before.
    content: u64,
    /// Blocks before.
    seq: u64,
}

/// The file's first bytes, if these are a header.
fn read_header(file: &mut File) -> io::Result<Option<[u8; HEADER]>> {
    let mut header = [0; HEADER];
    let read = read_full(file, &mut header)?;
    Ok((read == HEADER && is_encrypted(&header)).then_some(header))
}

/// Goes over the heads of blocks that are whole, from the header on, up to `content` bytes of content at most.
fn walk(file: &mut File, id: &FileId, content: u64) -> io::Result<Place> {
    let size = file.metadata()?.len();
    let mut place = Place { offset: HEADER as u64, content: 0, seq: 0 };
    file.seek(SeekFrom::Start(place.offset))?;
    while place.content < content {
        let mut head = [0; HEAD];
        if read_full(file, &mut head)? < HEAD {
            break;
        }
        let Some(announced @ Announced::Content(length)) = Announced::read(&head, id, place.seq)
        else {
            break;
        };
        let next = place.offset + (HEAD + announced.following()) as u64;
        if next > size || place.content + length as u64 > content {
            break;
        }
        file.seek(SeekFrom::Start(next))?;
        place = Place { offset: next, content: place.content + length as u64, seq: place.seq + 1 };
    }
    Ok(place)
}

/// Bytes of content of a file, as far as its blocks' heads tell, and of what stands behind these and is no end mark:
/// for a plain file its size.
///
/// # Errors
/// When it cannot be read.
pub fn content_len(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let Some(header) = read_header(&mut file)? else { return Ok(file.metadata()?.len()) };
    let id = header.get(44..60).and_then(|id| id.try_into().ok()).unwrap_or_default();
    let place = walk(&mut file, &id, u64::MAX)?;
    let mut head = [0; HEAD];
    file.seek(SeekFrom::Start(place.offset))?;
    let is_end = read_full(&mut file, &mut head)? == HEAD
        && Announced::read(&head, &id, place.seq) == Some(Announced::End);
    let rest = file.metadata()?.len().saturating_sub(place.offset);
    Ok(place.content + if is_end { 0 } else { rest })
}

/// Cuts a file off behind `content` bytes of its content, durably. Of an encrypted file, what is left has its end mark
/// then. Where the cut goes through a block, the file is written anew: a block is never encrypted twice.
///
/// # Errors
/// When that fails; the file is then as it was, or cut off without an end mark.
pub fn cut_off(path: &Path, content: u64, keys: Option<&Keyring>) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let Some(header) = read_header(&mut file)? else {
        // What is but the beginning of a header has no content.
        file.set_len(content)?;
        return file.sync_all();
    };
    if content == 0 {
        file.set_len(0)?;
        return file.sync_all();
    }
    let header::Header { file: id, cipher, kind, .. } = header::open(&header, keys)?;
    let place = walk(&mut file, &id, content)?;
    if place.content < content {
        return write_anew(path, content, kind, keys);
    }
    end_at(&mut file, &place, &cipher, &id)
}

/// Gives a log its end mark behind its last whole block; a plain file is left as it is.
///
/// # Errors
/// When that fails.
pub fn finish(path: &Path, keys: Option<&Keyring>) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let Some(header) = read_header(&mut file)? else { return Ok(()) };
    let header::Header { file: id, cipher, .. } = header::open(&header, keys)?;
    let place = walk(&mut file, &id, u64::MAX)?;
    end_at(&mut file, &place, &cipher, &id)
}

fn end_at(file: &mut File, place: &Place, cipher: &LessSafeKey, id: &FileId) -> io::Result<()> {
    let mark = end_mark(cipher, id, place.seq)
        .ok_or_else(|| io::Error::other("an end mark cannot be made"))?;
    file.set_len(place.offset)?;
    file.seek(SeekFrom::Start(place.offset))?;
    file.write_all(&mark)?;
    file.sync_all()
}

/// Puts a file with only the first `content` bytes in the place of another.
fn write_anew(path: &Path, content: u64, kind: Kind, keys: Option<&Keyring>) -> io::Result<()> {
    let Some(keys) = keys else { return Err(io::Error::other("no key to encrypt with")) };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".cut");
    let temporary = path.with_file_name(name);
    let written = write_beginning(path, &temporary, content, kind, keys)
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn write_beginning(
    path: &Path,
    temporary: &Path,
    content: u64,
    kind: Kind,
    keys: &Keyring,
) -> io::Result<()> {
    let mut input = Input::open(File::open(path)?, Some(keys))?.take(content);
    let file = File::create(temporary)?;
    let mut writer = Writer::new(&file, keys, kind)?;
    if io::copy(&mut input, &mut writer)? < content {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    writer.finish()?;
    file.sync_all()
}
