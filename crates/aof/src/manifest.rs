use std::fmt::Write;

/// What a file of the manifest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// The data set at one moment.
    Base,
    /// No longer needed; about to be removed.
    History,
    /// What came after the base, or after the file before.
    Incr,
}

impl FileKind {
    fn letter(self) -> char {
        match self {
            Self::Base => 'b',
            Self::History => 'h',
            Self::Incr => 'i',
        }
    }
}

/// A file of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// Its name in the directory.
    pub name: String,
    /// Its number among those of its kind.
    pub seq: u64,
}

/// Which files there are. One line for each: `file NAME seq NUMBER type LETTER`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Where loading begins.
    pub base: Option<FileInfo>,
    /// Files to be removed.
    pub history: Vec<FileInfo>,
    /// What came since the base, in order; their numbers rise.
    pub incr: Vec<FileInfo>,
    /// The highest number that a base has had.
    pub base_seq: u64,
    /// The highest number that an incremental file has had.
    pub incr_seq: u64,
}

/// Why a manifest cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct ManifestError {
    /// The line, from 1, and its text; none when that is not the matter.
    pub line: Option<(usize, String)>,
    /// What is wrong, as Redis words it.
    pub why: &'static str,
}

/// Bytes of a line at most, with its end.
const LINE_MAX: usize = 1024;
const BAD_FORMAT: &str = "Invalid AOF manifest file format";

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// When a line cannot be understood, or lines contradict each other.
    pub fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        let fail = |line, why| Err(ManifestError { line, why });
        if text.is_empty() {
            return fail(None, "Found an empty AOF manifest");
        }
        let mut manifest = Self::default();
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if line.starts_with(b"#") {
                continue;
            }
            if line.len() > LINE_MAX || !line.ends_with(b"\n") {
                return fail(None, "The AOF manifest file contains too long line");
            }
            let place = (index + 1, String::from_utf8_lossy(line.trim_ascii()).into_owned());
            if let Err(why) = manifest.add_line(line.trim_ascii()) {
                return fail(Some(place), why);
            }
        }
        Ok(manifest)
    }

    fn add_line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let words = codec::quote::split_args(line).ok_or(BAD_FORMAT)?;
        // More pairs may come in later versions.
        if words.len() < 6 || !words.len().is_multiple_of(2) {
            return Err(BAD_FORMAT);
        }
        let (mut name, mut seq, mut kind) = (None, 0, None);
        for pair in words.chunks_exact(2) {
            let [key, value] = pair else { continue };
            if key.eq_ignore_ascii_case(b"file") {
                name = Some(String::from_utf8(value.clone()).map_err(|_| BAD_FORMAT)?);
            } else if key.eq_ignore_ascii_case(b"seq") {
                seq = std::str::from_utf8(value).ok().and_then(|n| n.parse().ok()).unwrap_or(0);
            } else if key.eq_ignore_ascii_case(b"type") {
                kind = value.first().copied();
            }
        }
        let name = name.filter(|name| !name.is_empty()).ok_or(BAD_FORMAT)?;
        if name.contains('/') || name == "." || name == ".." {
            return Err("File can't be a path, just a filename");
        }
        if seq == 0 {
            return Err(BAD_FORMAT);
        }
        let info = FileInfo { name, seq };
        match kind.ok_or(BAD_FORMAT)? {
            b'b' if self.base.is_some() => return Err("Found duplicate base file information"),
            b'b' => {
                self.base_seq = seq;
                self.base = Some(info);
            }
            b'h' => self.history.push(info),
            b'i' if seq <= self.incr_seq => return Err("Found a non-monotonic sequence number"),
            b'i' => {
                self.incr_seq = seq;
                self.incr.push(info);
            }
            _ => return Err("Unknown AOF file type"),
        }
        Ok(())
    }

    /// Writes the manifest down.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let base = self.base.iter().map(|info| (info, FileKind::Base));
        let history = self.history.iter().map(|info| (info, FileKind::History));
        let incr = self.incr.iter().map(|info| (info, FileKind::Incr));
        for (info, kind) in base.chain(history).chain(incr) {
            let special = |byte: u8| !byte.is_ascii_graphic() || byte == b'"' || byte == b'\\';
            let name = match info.name.bytes().any(special) {
                true => codec::quote::quote(info.name.as_bytes()),
                false => info.name.clone(),
            };
            let _ = writeln!(text, "file {name} seq {} type {}", info.seq, kind.letter());
        }
        text
    }

    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        self.base.is_none() && self.incr.is_empty()
    }

    /// The next base file, for files called `filename`.
    pub fn next_base(&self, filename: &str, rdb: bool) -> FileInfo {
        let seq = self.base_seq + 1;
        let suffix = if rdb { "rdb" } else { "aof" };
        FileInfo { name: format!("{filename}.{seq}.base.{suffix}"), seq }
    }

    /// The next incremental file.
    pub fn next_incr(&self, filename: &str) -> FileInfo {
        let seq = self.incr_seq + 1;
        FileInfo { name: format!("{filename}.{seq}.incr.aof"), seq }
    }

    /// Adds an incremental file at the end.
    pub fn push_incr(&mut self, info: FileInfo) {
        self.incr_seq = info.seq;
        self.incr.push(info);
    }

    /// Puts a base in the place of the old one and of all incremental files but the last `kept`.
    pub fn rebase(&mut self, base: FileInfo, kept: usize) {
        self.base_seq = base.seq;
        self.history.extend(self.base.replace(base));
        let gone = self.incr.len().saturating_sub(kept);
        self.history.extend(self.incr.drain(..gone));
    }

    /// The files to load, in order.
    pub fn files(&self) -> impl Iterator<Item = &FileInfo> {
        self.base.iter().chain(&self.incr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let text = "file a.aof.2.base.rdb seq 2 type b\nfile a.aof.1.incr.aof seq 1 type h\n\
                    file \" x.aof.4.incr.aof\" seq 4 type i\n";
        let manifest = Manifest::parse(text.as_bytes()).expect("it is one");
        assert_eq!(manifest.to_text(), text);
        assert_eq!((manifest.base_seq, manifest.incr_seq), (2, 4));
        assert_eq!(manifest.next_base("a.aof", true).name, "a.aof.3.base.rdb");
        assert_eq!(manifest.next_incr("a.aof").name, "a.aof.5.incr.aof");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let long = format!("file {} seq 1 type b\n", "a".repeat(1024));
        for (text, why) in [
            ("", "Found an empty AOF manifest"),
            ("file a seq 1 type b", "The AOF manifest file contains too long line"),
            (&long, "The AOF manifest file contains too long line"),
            ("\n", BAD_FORMAT),
            ("file a seq 1\n", BAD_FORMAT),
            ("file a seq 1 type b more\n", BAD_FORMAT),
            ("file a seq 0 type b\n", BAD_FORMAT),
            ("fole a seq 1 type b\n", BAD_FORMAT),
            ("file a/b seq 1 type b\n", "File can't be a path, just a filename"),
            ("file a seq 1 type x\n", "Unknown AOF file type"),
            ("file a seq 1 type b\nfile b seq 2 type b\n", "Found duplicate base file information"),
            ("file a seq 2 type i\nfile b seq 2 type i\n", "Found a non-monotonic sequence number"),
        ] {
            let error = Manifest::parse(text.as_bytes()).expect_err(why);
            assert_eq!(error.why, why, "{text:?}");
        }
    }

    #[test]
    fn a_new_base_makes_history_of_what_it_holds() {
        let text = "file b seq 1 type b\nfile i1 seq 1 type i\nfile i2 seq 2 type i\n";
        let mut manifest = Manifest::parse(text.as_bytes()).expect("it is one");
        manifest.rebase(FileInfo { name: "b2".into(), seq: 2 }, 1);
        let names = |infos: &[FileInfo]| infos.iter().map(|i| i.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&manifest.history), ["b", "i1"]);
        assert_eq!(names(&manifest.incr), ["i2"]);
    }
}
