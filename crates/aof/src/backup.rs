use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use codec::crc64::Crc64;

/// What a backup's directory must hold for the backup to be whole: a line for each file, in a file of its own
/// beside the manifest, which those who only load the backup pass over.
///
/// `file NAME bytes NUMBER crc64 HEX keys NUMBER`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupSums {
    /// The files.
    pub files: Vec<FileSum>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSum {
    /// Its name in the directory.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The checksum of all of it, as snapshots have it at their end.
    pub crc64: u64,
    /// Keys in it.
    pub keys: u64,
}

/// Bytes of the file of sums at most; it has a line or two.
const LENGTH_MAX: u64 = 1 << 20;

impl BackupSums {
    /// The name of the file with the sums.
    pub const NAME: &'static str = "backup.sums";

    /// Reads the sums of a backup's directory; `None` where there are none, since it is no backup.
    ///
    /// # Errors
    /// When they cannot be read, or understood.
    pub fn read(directory: &Path) -> io::Result<Option<Self>> {
        let mut text = String::new();
        match File::open(directory.join(Self::NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?.take(LENGTH_MAX).read_to_string(&mut text)?,
        };
        let parsed = Self::parse(&text);
        parsed.map(Some).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged", Self::NAME))
        })
    }

    /// Understands the text; `None` where it is no such text, or not a whole one.
    pub fn parse(text: &str) -> Option<Self> {
        let files: Option<Vec<FileSum>> = text.lines().map(FileSum::parse).collect();
        // One that is cut off says nothing of what is missing.
        files.filter(|files| !files.is_empty() && text.ends_with('\n')).map(|files| Self { files })
    }
}

impl fmt::Display for BackupSums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for FileSum { name, bytes, crc64, keys } in &self.files {
            writeln!(f, "file {name} bytes {bytes} crc64 {crc64:016x} keys {keys}")?;
        }
        Ok(())
    }
}

impl FileSum {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let ["file", name, "bytes", bytes, "crc64", crc64, "keys", keys] = *words else {
            return None;
        };
        // It stands beside the sums, whatever they say.
        let is_plain = Path::new(name).file_name().is_some_and(|only| only == name);
        Some(Self {
            name: Some(name).filter(|_| is_plain)?.to_owned(),
            bytes: bytes.parse().ok()?,
            crc64: u64::from_str_radix(crc64, 16).ok()?,
            keys: keys.parse().ok()?,
        })
    }

    /// Says what is wrong with the file; `None` when it is as it was written. Of the keys it says nothing.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn mismatch(&self, directory: &Path) -> io::Result<Option<String>> {
        let path = directory.join(&self.name);
        let bytes = fs::metadata(&path)?.len();
        if bytes != self.bytes {
            return Ok(Some(format!("it has {bytes} bytes, and was written with {}", self.bytes)));
        }
        let mut summing = Summing::new(File::open(path)?);
        io::copy(&mut summing, &mut io::sink())?;
        let found = summing.value();
        Ok((found != self.crc64).then(|| {
            format!("its checksum is {found:016x}, and was {:016x} when it was written", self.crc64)
        }))
    }
}

/// A reader that sums up what goes through it.
pub struct Summing<R> {
    inner: R,
    sum: Crc64,
    bytes: u64,
}

impl<R: Read> Summing<R> {
    /// From here on.
    pub fn new(inner: R) -> Self {
        Self { inner, sum: Crc64::new(), bytes: 0 }
    }

    /// The checksum so far.
    pub fn value(&self) -> u64 {
        self.sum.value()
    }

    /// The bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl<R: Read> Read for Summing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.sum.update(buffer.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums() -> BackupSums {
        let name = "a.1.base.rdb".to_owned();
        BackupSums { files: vec![FileSum { name, bytes: 12, crc64: 0xabc, keys: 3 }] }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = sums().to_string();
        assert_eq!(text, "file a.1.base.rdb bytes 12 crc64 0000000000000abc keys 3\n");
        assert_eq!(BackupSums::parse(&text), Some(sums()));
    }

    #[test]
    fn what_is_cut_off_or_leads_elsewhere_is_refused() {
        let text = sums().to_string();
        for length in 0..text.len() {
            assert_eq!(BackupSums::parse(&text[..length]), None, "{length}");
        }
        assert_eq!(BackupSums::parse(&text.replace("a.1", "../a.1")), None);
    }
}
