//! Encrypted files: whatever becomes of one, what is read is what was written, as far as it goes.

use std::io::Read;
use std::sync::OnceLock;

use encryption::{End, Input, Keyring, Kind, Sealer};

const BLOCKS: [&[u8]; 4] = [b"the first block", b"2", &[7; 300], b"the last block"];

struct Files {
    keys: Keyring,
    one: Vec<u8>,
    other: Vec<u8>,
}

fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let keys = Keyring::parse(format!("k:{}", "5a".repeat(32)).as_bytes()).expect("a key");
        let file = || {
            let mut sealer = Sealer::new(&keys, Kind::Log).expect("a header");
            let mut bytes = sealer.header().to_vec();
            for block in BLOCKS {
                sealer.seal(block, &mut bytes).expect("a block");
            }
            bytes.extend(sealer.end_mark().expect("a mark"));
            bytes
        };
        Files { one: file(), other: file(), keys }
    })
}

/// `input` is a text with keys, and changes to a file, four bytes each: what, where (two), and how much.
pub fn encrypted(input: &[u8]) {
    let _ = Keyring::parse(input);
    let Files { keys, one, other } = files();
    let mut file = one.clone();
    for change in input.as_chunks::<4>().0 {
        let [what, high, low, much] = *change;
        let at = usize::from(u16::from_be_bytes([high, low])) % (file.len() + 1);
        let end = (at + usize::from(much)).min(file.len());
        match what % 6 {
            0 => drop(file.splice(at..end, [])),
            1 => file.truncate(at),
            2 => drop(file.splice(at..at, file[at..end].to_vec())),
            3 => drop(file.splice(at..end, other.get(at..end).unwrap_or_default().to_vec())),
            4 => file.push(much),
            _ => file.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= much),
        }
    }
    let Ok(mut reader) = Input::open(&file[..], Some(keys)) else { return };
    if !reader.is_encrypted() {
        return;
    }
    let mut content = Vec::new();
    let read = reader.read_to_end(&mut content);
    assert!(BLOCKS.concat().starts_with(&content), "something else was read");
    if read.is_ok() && reader.end() == Some(End::Finished) {
        assert!(file == *one, "a changed file was read as a whole one");
    }
}
