//! Files that are cut off at every byte, and of which every bit is changed: refused, or read as far as they are
//! whole, and never another data set. What a server refuses, `rubrica-check --fix` mends.
//!
//! `SUITE_DAMAGE_BYTES` says how large the files are.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

use aof::{ReadError, Reader};
use rdb::{Item, Limits, Scanner};
use suite::durable::{Durable, Folder, write_much};
use suite::journal::number_from;
use suite::reply::Parts;
use suite::server::Program;

/// Bytes of a file of every kind, about: a snapshot and a log of the same writes.
fn files() -> (Vec<u8>, Vec<u8>) {
    let bytes = usize::try_from(number_from("SUITE_DAMAGE_BYTES", 4096)).expect("a size");
    let folder = Folder::new();
    let program = Program::tested().expect("a server");
    let server = Durable::start(&program, &folder, &["--aof-checksum", "yes"]);
    let log = folder.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    for seed in number_from("SUITE_SEED", 1) * 1000.. {
        write_much(&server, seed, 20);
        server.ask("SAVE");
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |data| data.len() as usize);
        if size(&log) >= bytes || size(&folder.path().join("dump.rdb")) >= bytes {
            break;
        }
    }
    let snapshot = std::fs::read(folder.path().join("dump.rdb")).expect("a snapshot");
    server.shut_down();
    (snapshot, std::fs::read(&log).expect("a log"))
}

/// Whether a snapshot is read to its end, with a right checksum, decoding everything.
fn is_whole(bytes: &[u8]) -> bool {
    let Ok(mut scanner) = Scanner::new(bytes) else { return false };
    loop {
        match scanner.next_item() {
            Ok(Item::Chunk(chunk)) => {
                let is_bad = |record| chunk.decode(record, &Limits::default()).is_err();
                if chunk.records().iter().any(is_bad) {
                    return false;
                }
            }
            Ok(Item::End { checked }) => return checked,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

type Commands = Vec<Vec<Vec<u8>>>;

/// The commands that a log gives, and why there are no more.
fn commands(bytes: &[u8]) -> (Commands, Option<ReadError>) {
    let mut reader = Reader::new(bytes);
    let mut found = Vec::new();
    loop {
        match reader.command() {
            Ok(Some(words)) => found.push(words),
            Ok(None) => return (found, None),
            Err(error) => return (found, Some(error)),
        }
    }
}

#[test]
fn files_cut_off_at_every_byte_are_refused_or_give_what_is_whole() {
    let (snapshot, log) = files();
    assert!(is_whole(&snapshot));
    let (all, error) = commands(&log);
    assert!(error.is_none() && all.len() > 10, "{error:?}");
    for end in 0..snapshot.len() {
        assert!(!is_whole(&snapshot[..end]), "{end} of {} bytes", snapshot.len());
    }
    let mut before = 0;
    for end in 0..log.len() {
        let (found, error) = commands(&log[..end]);
        assert!(all.starts_with(&found), "{end} of {} bytes", log.len());
        assert!(found.len() >= before, "{end}: what is whole is given");
        assert!(matches!(error, None | Some(ReadError::Truncated)), "{end}: {error:?}");
        before = found.len();
    }
}

#[test]
fn no_bit_changes_a_data_set_unnoticed() {
    let (mut snapshot, mut log) = files();
    for bit in 0..snapshot.len() * 8 {
        snapshot[bit / 8] ^= 1 << (bit % 8);
        assert!(!is_whole(&snapshot), "bit {bit} of the snapshot");
        snapshot[bit / 8] ^= 1 << (bit % 8);
    }
    let (all, _) = commands(&log);
    for bit in 0..log.len() * 8 {
        log[bit / 8] ^= 1 << (bit % 8);
        let (found, error) = commands(&log);
        // A change of an annotation changes no command; a block that has changed is not believed.
        assert!(error.is_some() || found == all, "bit {bit} of the log");
        log[bit / 8] ^= 1 << (bit % 8);
    }
    println!("{} bits of a snapshot, {} bits of a log", snapshot.len() * 8, log.len() * 8);
}

/// A directory whose last file counts a hundred steps, with checksums, and that file.
fn counted(folder: &Folder) -> PathBuf {
    let program = Program::tested().expect("a server");
    let server = Durable::start(&program, folder, &["--aof-checksum", "yes"]);
    let mut client = server.client();
    for _ in 0..100 {
        client.call(&["INCR", "count"]).expect("it answers");
    }
    server.shut_down();
    folder.path().join("appendonlydir/appendonly.aof.1.incr.aof")
}

/// What the checker says, and its status.
fn check(folder: &Folder, args: &[&str]) -> (Option<i32>, String) {
    let program = Program::tested().expect("a server").path.with_file_name("rubrica-check");
    let path = folder.path().join("appendonlydir");
    let output = Command::new(program).args(args).arg(path).output().expect("it runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What is done to a file.
type Damage = fn(&mut Vec<u8>);

#[test]
fn what_is_damaged_is_found_mended_and_loaded_up_to_the_damage() {
    let damages: [(&str, Damage); 4] = [
        ("a torn end", |bytes| bytes.truncate(bytes.len() - 3)),
        ("a changed byte of a value", |bytes| {
            let at = bytes.len() - bytes.len() / 10;
            let digit = bytes[at..].iter().position(|byte| *byte == b'c').expect("a letter");
            bytes[at + digit] = b'd';
        }),
        ("a changed checksum", |bytes| {
            let at = bytes.iter().rposition(|byte| *byte == b'#').expect("an annotation");
            let end = at + bytes[at..].iter().position(|byte| *byte == b'\r').expect("its end");
            bytes[end - 1] = if bytes[end - 1] == b'0' { b'1' } else { b'0' };
        }),
        ("nonsense behind", |bytes| bytes.extend_from_slice(b"\0\0\0\0nonsense")),
    ];
    let program = Program::tested().expect("a server");
    for (name, damage) in damages {
        let folder = Folder::new();
        let file = counted(&folder);
        assert_eq!(check(&folder, &[]).0, Some(0), "{name}");
        let mut bytes = std::fs::read(&file).expect("a file");
        damage(&mut bytes);
        std::fs::write(&file, &bytes).expect("it can be written");
        let (status, said) = check(&folder, &[]);
        assert!(status == Some(1) && said.contains("DAMAGED at byte"), "{name}: {said}");
        let strict = ["--appendonly", "yes", "--aof-load-truncated", "no"];
        assert!(Durable::try_start(&program, &folder, &strict).is_err(), "{name} is not loaded");
        let (status, said) = check(&folder, &["--fix", "--yes"]);
        assert!(status == Some(0) && said.contains("bytes were cut off"), "{name}: {said}");
        assert_eq!(check(&folder, &["--quiet"]), (Some(0), String::new()), "{name}");
        let server = Durable::start(&program, &folder, &strict[2..]);
        let count = server.ask("GET count").as_text().map_or(0, |text| text.parse().expect("one"));
        assert!((0..=100).contains(&count), "{name}: {count}");
        server.shut_down();
        println!("{name}: {count} of 100 steps are left");
    }
}
