//! Append-only files and their manifests: no bytes panic the readers, what is read is no more than what is there,
//! and what was read of a file that is cut off is a beginning of what its whole gives.

use aof::{BackupSums, Entry, Manifest, Reader};

/// `input` is a file. Its first byte says where it is cut off.
pub fn aof_file(input: &[u8]) {
    // One of comments only has no files, and is never written.
    if let Ok(manifest) = Manifest::parse(input)
        && !manifest.is_empty()
    {
        let text = manifest.to_text();
        let again = Manifest::parse(text.as_bytes()).expect("what is written can be read");
        assert_eq!(again.to_text(), text);
    }
    if let Ok(text) = std::str::from_utf8(input)
        && let Some(sums) = BackupSums::parse(text)
    {
        assert_eq!(BackupSums::parse(&sums.to_string()), Some(sums));
    }
    let [cut, file @ ..] = input else { return };
    let (whole, _) = entries(file);
    let end = file.len() * usize::from(*cut) / 255;
    let (begun, whole_bytes) = entries(&file[..end]);
    assert!(whole.starts_with(&begun));
    assert!(whole_bytes <= end as u64);
}

/// What a file gives, and how far it is whole.
fn entries(file: &[u8]) -> (Vec<Entry>, u64) {
    let mut reader = Reader::new(file);
    let (mut entries, mut whole) = (Vec::new(), 0);
    while let Ok(Some(entry)) = reader.entry() {
        let bytes = match &entry {
            Entry::Command(words) => words.iter().map(Vec::len).sum(),
            Entry::Note(note) => note.len(),
        };
        assert!(reader.offset() - whole >= bytes as u64);
        whole = reader.offset();
        entries.push(entry);
    }
    (entries, whole)
}
