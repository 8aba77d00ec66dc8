use std::io::{self, BufRead, Read};

/// Bytes of a header line at most.
const LINE_MAX: usize = 1024;

const NO_COMMAND: &str = "a command begins with '*'";
const NO_WORD: &str = "a word begins with '$'";

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file ends in the middle of a command.
    #[error("unexpected end of file")]
    Truncated,
    /// Something else stands where a command should.
    #[error("bad file format at offset {at}: {why}")]
    Format {
        /// Bytes before it.
        at: u64,
        /// What is wrong there.
        why: &'static str,
    },
    /// The system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What an append-only file is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A command's words.
    Command(Vec<Vec<u8>>),
    /// An annotation: its line, without `#` and the line's end.
    Note(Vec<u8>),
}

/// Reads commands in RESP, as append-only files hold them.
pub struct Reader<R> {
    input: R,
    offset: u64,
    lines: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Reader<R> {
    /// A reader from here on.
    pub fn new(input: R) -> Self {
        Self { input, offset: 0, lines: 0, line: Vec::new() }
    }

    /// Bytes read so far; after a command, where it ended.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Lines read so far: headers of commands and words, and words. Annotations do not count.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The next command's words, annotations passed over; `None` at the end.
    ///
    /// # Errors
    /// When there is no whole command.
    pub fn command(&mut self) -> Result<Option<Vec<Vec<u8>>>, ReadError> {
        loop {
            match self.entry()? {
                None => return Ok(None),
                Some(Entry::Command(words)) => return Ok(Some(words)),
                Some(Entry::Note(_)) => {}
            }
        }
    }

    /// The next command or annotation; `None` at the end.
    ///
    /// # Errors
    /// When there is nothing whole.
    pub fn entry(&mut self) -> Result<Option<Entry>, ReadError> {
        let at = self.offset;
        if !self.read_line()? {
            return if self.line.is_empty() { Ok(None) } else { self.cut_off(at) };
        }
        match self.line.as_slice() {
            [b'#', note @ ..] => Ok(Some(Entry::Note(note.trim_ascii_end().to_vec()))),
            [b'*', ..] => self.words(at).map(|words| Some(Entry::Command(words))),
            _ => Err(ReadError::Format { at, why: NO_COMMAND }),
        }
    }

    /// What the file's end in the middle of a line means: a beginning of a command, or anything else.
    fn cut_off<T>(&self, at: u64) -> Result<T, ReadError> {
        match self.line.first() {
            Some(b'*' | b'#') => Err(ReadError::Truncated),
            _ => Err(ReadError::Format { at, why: NO_COMMAND }),
        }
    }

    fn words(&mut self, at: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        let why = "the number of words is none";
        let count =
            self.number().filter(|count| *count > 0).ok_or(ReadError::Format { at, why })?;
        self.lines += 1;
        // The count is only announced: what the file holds decides.
        let mut words = Vec::with_capacity(usize::try_from(count).unwrap_or(0).min(64));
        for _ in 0..count {
            let at = self.offset;
            if !self.read_line()? {
                return match self.line.first() {
                    None | Some(b'$') => Err(ReadError::Truncated),
                    Some(_) => Err(ReadError::Format { at, why: NO_WORD }),
                };
            }
            if self.line.first() != Some(&b'$') {
                return Err(ReadError::Format { at, why: NO_WORD });
            }
            let why = "the length of a word is none";
            let length = self.number().ok_or(ReadError::Format { at, why })?;
            self.lines += 1;
            words.push(self.word(length)?);
            self.lines += 1;
        }
        Ok(words)
    }

    fn word(&mut self, length: u64) -> Result<Vec<u8>, ReadError> {
        let mut word = Vec::new();
        let read = (&mut self.input).take(length).read_to_end(&mut word)? as u64;
        self.offset += read;
        if read < length {
            return Err(ReadError::Truncated);
        }
        let mut end = [0; 2];
        for byte in &mut end {
            match (&mut self.input).take(1).read(std::slice::from_mut(byte))? {
                0 => return Err(ReadError::Truncated),
                _ => self.offset += 1,
            }
        }
        if &end != b"\r\n" {
            let why = "a word does not end where its length says";
            return Err(ReadError::Format { at: self.offset - 2, why });
        }
        Ok(word)
    }

    /// The number behind the mark of the line.
    fn number(&self) -> Option<u64> {
        let digits = self.line.get(1..)?.trim_ascii_end();
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// Reads a line, its end included; false when the file ends before that.
    fn read_line(&mut self) -> Result<bool, ReadError> {
        self.line.clear();
        let at = self.offset;
        let most = LINE_MAX as u64;
        let read = (&mut self.input).take(most).read_until(b'\n', &mut self.line)? as u64;
        self.offset += read;
        if read == most && !self.line.ends_with(b"\n") {
            return Err(ReadError::Format { at, why: "the line is too long" });
        }
        Ok(self.line.ends_with(b"\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> (Vec<Vec<Vec<u8>>>, u64, Option<ReadError>) {
        let mut reader = Reader::new(bytes);
        let mut commands = Vec::new();
        let mut whole = 0;
        loop {
            match reader.command() {
                Ok(Some(words)) => {
                    commands.push(words);
                    whole = reader.offset();
                }
                Ok(None) => return (commands, whole, None),
                Err(error) => return (commands, whole, Some(error)),
            }
        }
    }

    const TWO: &[u8] =
        b"*2\r\n$3\r\nDEL\r\n$1\r\na\r\n#TS:1628217473\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n";

    #[test]
    fn commands_are_read_and_annotations_passed_over() {
        let (commands, whole, error) = all(TWO);
        assert!(error.is_none());
        assert_eq!(commands.len(), 2);
        assert_eq!(commands[1], [&b"SET"[..], b"k", b""]);
        assert_eq!(whole, TWO.len() as u64);
    }

    #[test]
    fn a_file_cut_off_anywhere_gives_what_is_whole_and_says_where_that_ends() {
        let first = 20;
        for end in 0..TWO.len() {
            let (commands, whole, error) = all(&TWO[..end]);
            let complete = usize::from(end >= first);
            assert_eq!(commands.len(), complete, "cut at {end}");
            assert_eq!(whole, if complete == 1 { first as u64 } else { 0 });
            let clean = end == 0 || end == first || end == first + 16;
            assert_eq!(error.is_none(), clean, "cut at {end}: {error:?}");
            assert!(clean || matches!(error, Some(ReadError::Truncated)), "cut at {end}");
        }
    }

    #[test]
    fn what_is_no_command_is_refused_with_its_place() {
        for bytes in [
            &b"SET k v\r\n"[..],
            b"*0\r\n",
            b"*-1\r\n",
            b"*x\r\n",
            b"*1\r\n:1\r\n",
            b"*1\r\n$x\r\n",
            b"*1\r\n$1\r\naXX",
        ] {
            let (_, _, error) = all(bytes);
            assert!(matches!(error, Some(ReadError::Format { .. })), "{bytes:?}: {error:?}");
        }
    }

    #[test]
    fn announced_lengths_are_not_allocated_for() {
        let (_, _, error) = all(b"*1000000000000\r\n$9223372036854775807\r\nabc");
        assert!(matches!(error, Some(ReadError::Truncated)));
    }
}
