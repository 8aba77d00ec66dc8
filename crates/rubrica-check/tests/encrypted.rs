//! What the checker says of encrypted files.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use encryption::{Keyring, Kind, Sealer, Writer};

static FOLDERS: AtomicU32 = AtomicU32::new(0);

const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n";

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("check-enc-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// Runs the checker with the key at hand; gives its status and what it printed.
    fn check(&self, args: &[&str], path: &Path) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_rubrica-check"))
            .args(["--encryption-key-command", &format!("echo k:{}", "5a".repeat(32))])
            .args(args)
            .arg(path)
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code().expect("no signal"), text)
    }

    /// A log of so many blocks, each a command, with or without its end mark.
    fn log(&self, name: &str, blocks: usize, finished: bool) -> PathBuf {
        let mut sealer = Sealer::new(&keys(), Kind::Log).expect("a header");
        let mut bytes = sealer.header().to_vec();
        for _ in 0..blocks {
            sealer.seal(SET, &mut bytes).expect("a block");
        }
        if finished {
            bytes.extend(sealer.end_mark().expect("a mark"));
        }
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("a file");
        path
    }

    fn manifest(&self) -> PathBuf {
        let path = self.0.join("a.aof.manifest");
        let text = "file a.aof.1.incr.aof seq 1 type i\nfile a.aof.2.incr.aof seq 2 type i\n";
        fs::write(&path, text).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn keys() -> Keyring {
    Keyring::parse(format!("k:{}", "5a".repeat(32)).as_bytes()).expect("a key")
}

/// An empty snapshot without a checksum.
fn snapshot(folder: &Folder) -> PathBuf {
    let path = folder.0.join("dump.rdb");
    let file = File::create(&path).expect("a file");
    let mut writer = Writer::new(file, &keys(), Kind::Whole).expect("a header");
    writer.write_all(b"REDIS0010\xff\0\0\0\0\0\0\0\0").expect("it is written");
    writer.finish().expect("it is ended");
    path
}

#[test]
fn encrypted_files_are_read_and_their_key_is_named() {
    let folder = Folder::new();
    let (status, text) = folder.check(&[], &snapshot(&folder));
    assert_eq!(status, 0, "{text}");
    assert!(
        text.contains("a snapshot of version 10, 18 bytes, encrypted with the key 'k'"),
        "{text}"
    );
    folder.log("a.aof.1.incr.aof", 2, true);
    folder.log("a.aof.2.incr.aof", 3, false);
    let (status, text) = folder.check(&[], &folder.manifest());
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("3 commands, 81 bytes, encrypted with the key 'k'"), "{text}");
}

#[test]
fn without_the_key_it_says_so() {
    let folder = Folder::new();
    let path = snapshot(&folder);
    let output = Command::new(env!("CARGO_BIN_EXE_rubrica-check")).arg(&path).output();
    let output = output.expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("it is encrypted (with the key 'k') and no key is given"), "{text}");
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    let folder = Folder::new();
    for path in [snapshot(&folder), folder.log("a.aof", 2, true)] {
        let whole = fs::read(&path).expect("a file");
        for place in (8..whole.len()).step_by(5) {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            fs::write(&path, damaged).expect("a file");
            let (status, text) = folder.check(&[], &path);
            assert_eq!(status, if place < 128 { 2 } else { 1 }, "byte {place}: {text}");
            assert!(text.contains("of the encrypted file"), "byte {place}: {text}");
        }
    }
}

#[test]
fn a_torn_end_is_explained_and_cut_off() {
    let folder = Folder::new();
    folder.log("a.aof.1.incr.aof", 2, true);
    let path = folder.log("a.aof.2.incr.aof", 3, false);
    let manifest = folder.manifest();
    let whole = fs::read(&path).expect("a file");
    fs::write(&path, &whole[..whole.len() - 7]).expect("a file");
    let (status, text) = folder.check(&[], &manifest);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("the last 48 bytes of the file"), "{text}");
    assert!(text.contains("48 bytes are not whole"), "{text}");
    let (status, text) = folder.check(&["--fix", "--yes"], &manifest);
    assert_eq!(status, 0, "{text}");
    let (status, text) = folder.check(&[], &manifest);
    assert!(status == 0 && text.contains("2 commands, 54 bytes"), "{text}");
}

#[test]
fn a_damaged_block_is_cut_off_with_everything_behind_it() {
    let folder = Folder::new();
    let path = folder.log("a.aof", 4, true);
    let mut bytes = fs::read(&path).expect("a file");
    bytes[128 + 55 + 20] ^= 1;
    fs::write(&path, &bytes).expect("a file");
    let (status, text) = folder.check(&["--fix", "--yes"], &path);
    assert!(status == 0 && text.contains("at byte 183 of the encrypted file"), "{text}");
    assert!(text.contains("81 bytes were cut off"), "{text}");
    let (status, text) = folder.check(&[], &path);
    assert!(status == 0 && text.contains("1 commands, 27 bytes"), "{text}");
}

#[test]
fn a_file_without_its_end_is_damaged_when_others_follow() {
    let folder = Folder::new();
    folder.log("a.aof.1.incr.aof", 2, false);
    folder.log("a.aof.2.incr.aof", 3, false);
    let (status, text) = folder.check(&["--fix", "--yes"], &folder.manifest());
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("its end is missing, and others follow it"), "{text}");
}
