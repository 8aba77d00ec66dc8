use std::borrow::Cow;
use std::io::{self, Read};

use codec::crc64::Crc64;
use value::Object;

use crate::error::Error;
use crate::input::Input;
use crate::limits::Limits;
use crate::op::{self, Type};
use crate::read::{self, Value, module_name};
use crate::write::{ACTIVE_TIMES, MEMBER_DEADLINES, Used, set_active_times, set_member_deadlines};
use crate::{Dialect, REDIS_VERSION_MAX, VALKEY_VERSIONS, skip};

/// Bytes read at once, and about how many a chunk has.
const READ: usize = 1 << 18;
/// The first version with a checksum at its end.
const VERSION_OF_CHECKSUM: u32 = 5;

/// Takes a file apart, without decoding its values, so that others may do that side by side.
///
/// Memory: one chunk, or the largest record.
pub struct Scanner<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Up to here the buffer has been taken apart.
    at: usize,
    /// Up to here it is in the checksum.
    summed: usize,
    sum: Crc64,
    /// Bytes before the buffer.
    before: u64,
    version: u32,
    dialect: Dialect,
    meta: Meta,
    records: Vec<Record>,
}

/// What stands before a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The number of its database.
    pub database: u64,
    /// Its deadline, milliseconds since the epoch.
    pub deadline_ms: Option<i64>,
    /// How it was used.
    pub used: Used,
    /// Times that a stream's type has no place for.
    active_times: Option<Box<[u8]>>,
    /// Deadlines of members, which no type has a place for.
    member_deadlines: Vec<u8>,
}

/// Where a key and its value lie in a chunk.
#[derive(Clone, Debug)]
pub struct Record {
    /// What stands before the key.
    pub meta: Meta,
    /// The value's type.
    pub kind: Type,
    start: usize,
    end: usize,
}

/// Some records, and the bytes that they lie in.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    records: Vec<Record>,
}

/// A part of a file.
#[derive(Debug)]
pub enum Item {
    /// A named text about the file.
    Aux(Vec<u8>, Vec<u8>),
    /// How many keys this database has, and how many of them have a deadline: a hint.
    Size {
        /// The database's number.
        database: u64,
        /// Its keys.
        keys: u64,
        /// Those with a deadline.
        volatile: u64,
    },
    /// The source of a function library.
    Function(Vec<u8>),
    /// Data of a module, by the name of its type; it was passed over.
    ModuleAux(String),
    /// Keys.
    Chunk(Chunk),
    /// The end; nothing comes after it.
    End {
        /// Whether a checksum was there, and right.
        checked: bool,
    },
}

/// Why a file cannot be taken apart.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It does not begin like a snapshot.
    #[error("wrong signature: this is no RDB file")]
    Signature,
    /// Its version is not known.
    #[error("can't handle RDB format version {0}")]
    Version(String),
    /// Something in it is wrong.
    #[error("at byte {offset}: {error}")]
    At {
        /// Where, in bytes from the start.
        offset: u64,
        /// What.
        error: Error,
    },
    /// Its checksum is wrong: something in it has changed since it was written.
    #[error("RDB CRC error: expected {expected:016x}, got {found:016x}")]
    Checksum {
        /// What stands at the end.
        expected: u64,
        /// What the bytes give.
        found: u64,
    },
}

impl<R: Read> Scanner<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When it is no snapshot's, or the snapshot is of an unknown version.
    pub fn new(reader: R) -> Result<Self, ScanError> {
        let mut scanner = Self {
            reader,
            buffer: Vec::new(),
            at: 0,
            summed: 0,
            sum: Crc64::new(),
            before: 0,
            version: 0,
            dialect: Dialect::Redis,
            meta: Meta::default(),
            records: Vec::new(),
        };
        const HEADER: usize = 9;
        while scanner.buffer.len() < HEADER {
            if !scanner.fill()? {
                return Err(ScanError::Signature);
            }
        }
        let digits = match scanner.buffer.get(..HEADER) {
            Some([b'R', b'E', b'D', b'I', b'S', digits @ ..]) => digits,
            Some([b'V', b'A', b'L', b'K', b'E', b'Y', digits @ ..]) => {
                scanner.dialect = Dialect::Valkey;
                digits
            }
            _ => return Err(ScanError::Signature),
        };
        let text = String::from_utf8_lossy(digits).into_owned();
        let version = text.parse().unwrap_or(0);
        let known = match scanner.dialect {
            Dialect::Redis => (1..=REDIS_VERSION_MAX).contains(&version),
            Dialect::Valkey => VALKEY_VERSIONS.contains(&version),
        };
        if !known {
            return Err(ScanError::Version(text));
        }
        scanner.version = version;
        scanner.at = HEADER;
        Ok(scanner)
    }

    /// The format's version, as the header says.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whose numbers of types the file uses.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many bytes have been taken apart.
    pub fn position(&self) -> u64 {
        self.before + self.at as u64
    }

    /// The reader, and what was read and lies behind the end.
    pub fn into_rest(self) -> (R, Vec<u8>) {
        (self.reader, self.buffer.get(self.at..).unwrap_or_default().to_vec())
    }

    /// Reads more; false at the end of the file.
    fn fill(&mut self) -> Result<bool, ScanError> {
        let len = self.buffer.len();
        // Twice as much each time, so that a huge record is not looked at too often.
        self.buffer.resize(len + READ.max(len), 0);
        let room = self.buffer.get_mut(len..).unwrap_or_default();
        let read = loop {
            match self.reader.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.truncate(len);
                    return Err(error.into());
                }
                Ok(read) => break read,
            }
        };
        self.buffer.truncate(len + read);
        Ok(read > 0)
    }

    /// The next part.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged.
    pub fn next_item(&mut self) -> Result<Item, ScanError> {
        loop {
            let mut input = Input::new(self.buffer.get(self.at..).unwrap_or_default());
            let step = step(&mut input, &mut self.meta, self.dialect);
            let read = input.position();
            match step {
                Ok(Step::Meta) => self.at += read,
                Ok(Step::Record(kind, key)) => {
                    let (start, end) = (self.at + key, self.at + read);
                    let meta = std::mem::take(&mut self.meta);
                    self.meta.database = meta.database;
                    self.records.push(Record { meta, kind, start, end });
                    self.at = end;
                    if self.at >= READ {
                        return Ok(self.cut());
                    }
                }
                // What is not a key comes after all keys before it.
                Ok(_) if !self.records.is_empty() => return Ok(self.cut()),
                Ok(Step::Item(item)) => {
                    self.at += read;
                    return Ok(item);
                }
                Ok(Step::End) => {
                    self.at += read;
                    return self.end();
                }
                Err(Error::Truncated) if !self.records.is_empty() => return Ok(self.cut()),
                Err(Error::Truncated) if self.fill()? => {}
                Err(error) => {
                    let offset = self.position() + read as u64;
                    return Err(ScanError::At { offset, error });
                }
            }
        }
    }

    /// Gives out the records so far, with the bytes that they lie in.
    fn cut(&mut self) -> Item {
        let rest = self.buffer.get(self.at..).unwrap_or_default().to_vec();
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        bytes.truncate(self.at);
        self.sum.update(bytes.get(self.summed..).unwrap_or_default());
        self.before += self.at as u64;
        (self.at, self.summed) = (0, 0);
        Item::Chunk(Chunk { bytes, records: std::mem::take(&mut self.records) })
    }

    fn end(&mut self) -> Result<Item, ScanError> {
        self.sum.update(self.buffer.get(self.summed..self.at).unwrap_or_default());
        self.summed = self.at;
        if self.version < VERSION_OF_CHECKSUM {
            return Ok(Item::End { checked: false });
        }
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            if let Some(sum) = rest.first_chunk() {
                let (expected, found) = (u64::from_le_bytes(*sum), self.sum.value());
                self.at += sum.len();
                self.summed = self.at;
                return match expected {
                    0 => Ok(Item::End { checked: false }),
                    _ if expected == found => Ok(Item::End { checked: true }),
                    _ => Err(ScanError::Checksum { expected, found }),
                };
            }
            if !self.fill()? {
                return Err(ScanError::At { offset: self.position(), error: Error::Truncated });
            }
        }
    }
}

enum Step {
    /// Something about the keys that follow.
    Meta,
    /// A key of this type, whose name starts so many bytes behind the type.
    Record(Type, usize),
    Item(Item),
    End,
}

/// Reads one opcode or key.
fn step(input: &mut Input<'_>, meta: &mut Meta, dialect: Dialect) -> Result<Step, Error> {
    let mut item = None;
    match input.byte()? {
        op::EXPIRETIME => meta.deadline_ms = Some(i64::from(input.i32()?) * 1000),
        op::EXPIRETIME_MS => meta.deadline_ms = Some(input.i64()?),
        op::FREQ => meta.used = Used::Freq(input.byte()?),
        op::IDLE => meta.used = Used::Idle(input.number()?),
        op::SELECTDB => meta.database = input.number()?,
        op::RESIZEDB => {
            let (keys, volatile) = (input.number()?, input.number()?);
            item = Some(Item::Size { database: meta.database, keys, volatile });
        }
        op::SLOT_INFO => (0..3).try_for_each(|_| input.number().map(drop))?,
        op::SLOT_IMPORT if dialect == Dialect::Valkey => {
            skip::string(input)?;
            for _ in 0..input.number()? {
                input.number()?;
                input.number()?;
            }
        }
        op::AUX => {
            let (name, text) = (input.string()?, input.string()?);
            if *name == *ACTIVE_TIMES {
                meta.active_times = Some(text.as_ref().into());
            } else if *name == *MEMBER_DEADLINES {
                meta.member_deadlines.extend_from_slice(&text);
            } else {
                item = Some(Item::Aux(name.into_owned(), text.into_owned()));
            }
        }
        op::FUNCTION2 => item = Some(Item::Function(input.string()?.into_owned())),
        op::FUNCTION_PRE_GA => return Err(Error::PRE_GA),
        op::MODULE_AUX => {
            let module = input.number()?;
            input.number()?;
            input.number()?;
            skip::module_data(input, module)?;
            item = Some(Item::ModuleAux(module_name(module)));
        }
        op::EOF => return Ok(Step::End),
        number => {
            let kind = Type::of(number, dialect).ok_or(Error::UnknownType(number))?;
            let key = input.position();
            skip::string(input)?;
            skip::value(kind, input)?;
            return Ok(Step::Record(kind, key));
        }
    }
    Ok(item.map_or(Step::Meta, Step::Item))
}

impl Chunk {
    /// The records, in the file's order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The name of a record's key.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn key(&self, record: &Record) -> Result<Cow<'_, [u8]>, Error> {
        self.input(record).string()
    }

    fn input(&self, record: &Record) -> Input<'_> {
        Input::new(self.bytes.get(record.start..record.end).unwrap_or_default())
    }

    /// Bytes from the chunk's start to a record's key.
    pub fn offset_of(&self, record: &Record) -> usize {
        record.start
    }

    /// How many bytes of the file are in the chunk; it ends where the scanner stands.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many bytes a record's key and value take.
    pub fn len_of(&self, record: &Record) -> usize {
        record.end - record.start
    }

    /// Decodes a record of this chunk.
    ///
    /// # Errors
    /// When it is damaged, or empty.
    pub fn decode(
        &self,
        record: &Record,
        limits: &Limits,
    ) -> Result<(Cow<'_, [u8]>, Value<'_>), Error> {
        let mut input = self.input(record);
        let key = input.string()?;
        let mut value = read::value(record.kind, &mut input, limits)?;
        if let (Value::Object(object), Some(times)) = (&mut value, &record.meta.active_times)
            && let Object::Stream(stream) = &mut **object
        {
            set_active_times(stream, times);
        }
        if let Value::Object(object) = &mut value {
            set_member_deadlines(object, &record.meta.member_deadlines);
        }
        Ok((key, value))
    }
}

#[cfg(test)]
mod tests;
