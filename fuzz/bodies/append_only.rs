//! Append-only files and their manifests: no bytes panic the readers, or make them take more than they could
//! stand for.

use aof::{Entry, Manifest, Reader};

/// `input` is a file of commands, and a manifest.
pub fn append_only(input: &[u8]) {
    let mut reader = Reader::new(input);
    let mut before = 0;
    while let Ok(Some(entry)) = reader.entry() {
        let taken = match &entry {
            Entry::Command(words) => words.iter().map(|word| word.capacity()).sum(),
            Entry::Note(note) => note.len(),
        };
        let stands = (reader.offset() - before) as usize;
        // What a word grows by while it is read is bounded by what was there to read.
        assert!(stands <= input.len() && taken <= 2 * stands + 64, "{taken} of {stands}");
        before = reader.offset();
    }
    // Comments alone make an empty one, which is not written.
    if let Ok(manifest) = Manifest::parse(input)
        && !manifest.to_text().is_empty()
    {
        let again = Manifest::parse(manifest.to_text().as_bytes()).expect("what was written");
        assert_eq!(again.to_text(), manifest.to_text());
    }
}
