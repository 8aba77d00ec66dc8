use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use effects::{Effect, Sink, Targets, encode_slices};

/// Writes effects to a file: selects databases and notes times between them.
pub struct Appender {
    file: Arc<File>,
    /// Not written yet.
    buffer: Vec<u8>,
    /// Bytes of the buffer that have been written.
    written: usize,
    /// Bytes of the file.
    size: u64,
    /// The database that is selected where the buffer ends.
    database: Option<usize>,
    /// When the last effect happened, seconds since the epoch.
    last_s: i64,
    /// `aof-timestamp-enabled`.
    pub timestamps: bool,
}

impl Appender {
    /// Appends to `file`, which has `size` bytes.
    pub fn new(file: File, size: u64) -> Self {
        Self {
            file: Arc::new(file),
            buffer: Vec::new(),
            written: 0,
            size,
            database: None,
            last_s: 0,
            timestamps: false,
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
        self.buffer.len() - self.written
    }

    /// Heap bytes.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Writes what has been taken. After an error nothing is lost: what was not written is tried again by the
    /// next call.
    ///
    /// # Errors
    /// When the file takes no more.
    pub fn write(&mut self) -> io::Result<()> {
        while let Some(rest) = self.buffer.get(self.written..).filter(|rest| !rest.is_empty()) {
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
        self.buffer.clear();
        self.written = 0;
        if self.buffer.capacity() > 4 * 1024 * 1024 {
            self.buffer = Vec::new();
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
        if self.timestamps && effect.unix_s > self.last_s {
            self.last_s = effect.unix_s;
            let _ = write!(self.buffer, "#TS:{}\r\n", effect.unix_s);
        }
        self.select(effect.database);
        self.buffer.extend_from_slice(effect.bytes);
    }
}
