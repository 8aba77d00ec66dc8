use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use codec::crc64::crc64;
use effects::{Effect, Sink, Targets, encode_slices};
use encryption::{BLOCK_MAX, Sealer};

/// Writes effects to a file: selects databases, and notes times and checksums between them.
///
/// A checksum is an annotation, which Redis passes over: `#SUM:LENGTH:CRC64` is of so many bytes before it. One
/// of no bytes says where the first block begins.
///
/// An encrypted file has been begun by this very writer. It gets its header with the first effects, and blocks that end
/// where effects end, as far as their sizes allow: what a crash tears is dropped by whole effects then, and the rest
/// need not be written anew.
pub struct Appender {
    file: Arc<File>,
    /// Effects, as they were taken.
    buffer: Vec<u8>,
    /// What the file gets, not all written yet.
    out: Vec<u8>,
    /// Bytes of it that have been written.
    written: usize,
    sealer: Option<Sealer>,
    /// Places in the buffer where an encrypted block ends before it is full.
    cuts: Vec<usize>,
    /// Bytes of the file before its end mark, if that has been written.
    ended: Option<u64>,
    /// Bytes of the file.
    size: u64,
    /// The database that is selected where the buffer ends.
    database: Option<usize>,
    /// When the last effect happened, seconds since the epoch.
    last_s: i64,
    /// `aof-timestamp-enabled`.
    pub timestamps: bool,
    /// `aof-checksum`.
    checksums: bool,
    /// The buffer's bytes up to here are in a block, or before the first.
    sealed: usize,
    /// The first block has begun.
    summing: bool,
}

impl Appender {
    /// Appends to `file`, which has `size` bytes: none if a `sealer` encrypts it.
    pub fn new(file: File, size: u64, sealer: Option<Sealer>) -> Self {
        Self {
            file: Arc::new(file),
            buffer: Vec::new(),
            out: Vec::new(),
            written: 0,
            sealer,
            cuts: Vec::new(),
            ended: None,
            size,
            database: None,
            last_s: 0,
            timestamps: false,
            checksums: false,
            sealed: 0,
            summing: false,
        }
    }

    /// The file, to be made durable by somebody else.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes not written yet.
    pub fn unwritten(&self) -> usize {
        self.buffer.len() + self.out.len() - self.written
    }

    /// Heap bytes.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity() + self.out.capacity()
    }

    /// Says whether blocks have checksums from now on.
    pub fn set_checksums(&mut self, on: bool) {
        if self.checksums != on {
            self.seal();
            self.checksums = on;
            self.summing = false;
        }
    }

    /// Ends a block: what has been taken gets a checksum.
    fn seal(&mut self) {
        let block = self.buffer.get(self.sealed..).unwrap_or_default();
        if self.checksums && self.summing && !block.is_empty() {
            let (length, sum) = (block.len(), crc64(block));
            let _ = write!(self.buffer, "#SUM:{length}:{sum:016x}\r\n");
        }
        self.sealed = self.buffer.len();
    }

    /// Turns what has been taken into what the file gets.
    fn encode(&mut self) -> io::Result<()> {
        self.seal();
        self.sealed = 0;
        let Some(sealer) = &mut self.sealer else {
            match self.out.is_empty() {
                true => std::mem::swap(&mut self.buffer, &mut self.out),
                false => self.out.append(&mut self.buffer),
            }
            return Ok(());
        };
        if self.buffer.is_empty() {
            return Ok(());
        }
        if self.size == 0 && self.out.is_empty() {
            self.out.extend_from_slice(sealer.header());
        }
        let ends = self.cuts.drain(..).chain([self.buffer.len()]);
        let mut start = 0;
        for end in ends {
            sealer.seal(self.buffer.get(start..end).unwrap_or_default(), &mut self.out)?;
            start = end;
        }
        self.buffer.clear();
        Ok(())
    }

    /// Writes what has been taken, and ends the file, durably. It may go on all the same: the next write then takes
    /// the end mark away.
    ///
    /// # Errors
    /// When the file takes no more, or cannot be made durable.
    pub fn end(&mut self) -> io::Result<()> {
        self.write()?;
        self.go_on()?;
        let Some(sealer) = &self.sealer else { return Ok(()) };
        let header = if self.size == 0 { sealer.header() } else { &[] };
        let end = [header, &sealer.end_mark()?].concat();
        self.ended = Some(self.size);
        (&*self.file).write_all(&end)?;
        self.size += end.len() as u64;
        self.file.sync_data()
    }

    /// Takes the end mark, or what there is of it, away.
    fn go_on(&mut self) -> io::Result<()> {
        if let Some(size) = self.ended {
            self.file.set_len(size)?;
            (self.size, self.ended) = (size, None);
        }
        Ok(())
    }

    /// Writes what has been taken. After an error nothing is lost: what was not written is tried again by the
    /// next call.
    ///
    /// # Errors
    /// When the file takes no more.
    pub fn write(&mut self) -> io::Result<()> {
        if self.unwritten() > 0 {
            self.go_on()?;
        }
        self.encode()?;
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match (&*self.file).write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.written += count;
                    self.size += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.written = 0;
        for buffer in [&mut self.out, &mut self.buffer] {
            if buffer.capacity() > 4 * 1024 * 1024 {
                *buffer = Vec::new();
            }
        }
        Ok(())
    }

    fn select(&mut self, database: usize) {
        if self.database != Some(database) {
            self.database = Some(database);
            let number = itoa::Buffer::new().format(database).to_owned();
            encode_slices(&mut self.buffer, &[&b"SELECT"[..], number.as_bytes()]);
        }
    }
}

impl Sink for Appender {
    fn take(&mut self, effect: Effect<'_>) {
        if !effect.targets.contains(Targets::AOF) {
            return;
        }
        let block = self.buffer.len() - self.cuts.last().copied().unwrap_or(0);
        if self.sealer.is_some() && block > 0 && block + effect.bytes.len() > BLOCK_MAX {
            self.cuts.push(self.buffer.len());
        }
        if self.checksums && !self.summing {
            self.buffer.extend_from_slice(b"#SUM:0:0000000000000000\r\n");
            self.sealed = self.buffer.len();
            self.summing = true;
        }
        if self.timestamps && effect.unix_s > self.last_s {
            self.last_s = effect.unix_s;
            let _ = write!(self.buffer, "#TS:{}\r\n", effect.unix_s);
        }
        self.select(effect.database);
        self.buffer.extend_from_slice(effect.bytes);
    }
}

#[cfg(test)]
mod tests {
    use effects::{Targets, encode_slices};

    use super::*;
    use crate::{Entry, ReadError, Reader};

    /// A file of three blocks, the database selected in the first.
    fn file() -> Vec<u8> {
        let path = std::env::temp_dir().join(format!("aof-append-{}", std::process::id()));
        let mut appender = Appender::new(File::create(&path).expect("a file"), 0, None);
        appender.set_checksums(true);
        for number in 0..3 {
            let mut bytes = Vec::new();
            encode_slices(&mut bytes, &[&b"SET"[..], b"key", format!("value {number}").as_bytes()]);
            let targets = Targets::AOF;
            let seq = number + 1;
            let effect =
                Effect { seq, database: 1, targets, unix_s: 0, opens: false, bytes: &bytes };
            appender.take(effect);
            appender.write().expect("there is room");
        }
        let bytes = std::fs::read(&path).expect("a file");
        std::fs::remove_file(&path).expect("it is there");
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<Vec<Vec<u8>>>, ReadError> {
        let (mut reader, mut commands) = (Reader::new(bytes), Vec::new());
        while let Some(entry) = reader.entry()? {
            if let Entry::Command(words) = entry {
                commands.push(words);
            }
        }
        Ok(commands)
    }

    #[test]
    fn a_changed_bit_is_found_wherever_it_changes_what_is_read() {
        let whole = file();
        let commands = read(&whole).expect("it is whole");
        assert_eq!(commands.len(), 4);
        // The mark where the first block begins is no block.
        for place in 25..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[place] ^= 1 << bit;
                match read(&damaged) {
                    Err(_) => {}
                    Ok(read) => assert_eq!(read, commands, "bit {bit} of byte {place}"),
                }
            }
        }
    }

    #[test]
    fn a_wrong_checksum_names_its_block() {
        let mut bytes = file();
        let place = bytes.windows(7).position(|part| part == b"value 1").expect("it is there");
        bytes[place] = b'V';
        let Err(ReadError::Checksum { at, bytes: length }) = read(&bytes) else {
            panic!("it is not found")
        };
        assert!((at..at + length).contains(&(place as u64)), "{at} {length} {place}");
    }
}
