//! BACKUP: what it holds, that it is checked, that it is restored, and what it refuses.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use suite::client::Client;
use suite::durable::{Durable, Folder, write_much};
use suite::reply::{Parts, Reply};
use suite::server::Program;

fn start(folder: &Folder, options: &[&str]) -> Durable {
    let options = [&["--appendonly", "no"], options].concat();
    Durable::try_start(&Program::tested().expect("a server"), folder, &options).expect("it starts")
}

fn text(reply: &Reply) -> String {
    match reply {
        Reply::Error(text) => format!("-{}", String::from_utf8_lossy(text)),
        Reply::Simple(text) => String::from_utf8_lossy(text).into_owned(),
        other => other.as_text().unwrap_or_default(),
    }
}

fn ask(server: &Durable, line: &str) -> String {
    text(&server.ask(line))
}

/// A field of BACKUP STATUS.
fn status(server: &Durable, field: &str) -> String {
    let reply = server.ask("BACKUP STATUS");
    let fields = reply.as_elements().expect("an array");
    let at = fields.iter().position(|name| name.as_text().as_deref() == Some(field));
    fields[at.expect("the field") + 1].as_text().expect("a text")
}

fn until(server: &Durable, state: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while status(server, "state") != state {
        let (now, error) = (status(server, "state"), status(server, "error"));
        assert!(Instant::now() < deadline, "{state} does not come: {now} {error}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Makes a backup and gives back where its manifest is.
fn back_up(server: &Durable, folder: &Folder) -> PathBuf {
    assert_eq!(ask(server, "BACKUP START"), "OK");
    until(server, "incrementing");
    assert_eq!(ask(server, "BACKUP SEAL"), "OK");
    assert_eq!(status(server, "state"), "sealed");
    folder.path().join("backupdir/appendonly.aof.manifest")
}

/// What the checker says of a path, and whether it is content.
fn check(path: &Path) -> (bool, String) {
    let server = Program::tested().expect("a server").path;
    let checker = server.with_file_name("rubrica-check");
    let output = Command::new(checker).arg(path).output().expect("it runs");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_backup_under_writes_is_the_data_set_of_its_start_and_is_restored() {
    let folder = Folder::new();
    let server = start(&folder, &["--rdb-key-save-delay", "20"]);
    write_much(&server, 5, 2000);
    server.client().call(&["SET", "volatile", "v", "PX", "3600000"]).expect("it answers");
    // The cut and the digest are of one moment.
    let mut client = server.client();
    let mut group =
        |line: &str| client.call(&line.split(' ').collect::<Vec<_>>()).expect("it answers");
    group("MULTI");
    group("BACKUP START");
    group("DEBUG DIGEST");
    let answers = group("EXEC");
    let digest = answers.as_elements().expect("an array")[1].as_text().expect("a digest");
    write_much(&server, 6, 500);
    until(&server, "incrementing");
    assert_eq!(server.info("backup_in_progress").as_deref(), Some("1"));
    assert_eq!(server.ask("BACKUP LIST").as_elements().map(<[_]>::len), Some(1));
    assert_eq!(ask(&server, "BACKUP SEAL"), "OK");
    assert_eq!(server.info("backup_in_progress").as_deref(), Some("0"));
    let backup = folder.path().join("backupdir");
    let (whole, said) = check(&backup);
    assert!(whole && said.contains("as it was backed up"), "{said}");
    let manifest = format!("aof:{}", backup.join("appendonly.aof.manifest").display());
    for appendonly in ["no", "yes"] {
        let other = Folder::new();
        let options = ["--preload-file", &manifest, "--appendonly", appendonly];
        let restored = start(&other, &options);
        assert_eq!(restored.digest(), digest, "appendonly {appendonly}");
        restored.shut_down();
        if appendonly == "yes" {
            let again = start(&other, &["--appendonly", "yes"]);
            assert_eq!(again.digest(), digest, "what was restored has become durable");
            // Restoring over files that are there would mix two histories.
            again.shut_down();
            let program = Program::tested().expect("a server");
            assert!(Durable::try_start(&program, &other, &options).is_err());
            assert!(other.log().contains("append-only files already"), "{}", other.log());
        }
    }
    // Its directory is one of append-only files, also for redis-server.
    if let Some(reference) = Program::reference() {
        let other = Folder::new();
        let files = other.path().join("appendonlydir");
        std::fs::create_dir(&files).expect("a folder");
        for file in std::fs::read_dir(&backup).expect("a folder") {
            let path = file.expect("a file").path();
            std::fs::copy(&path, files.join(path.file_name().expect("a name"))).expect("a copy");
        }
        let redis = Durable::start(&reference, &other, &[]);
        assert_eq!(redis.digest(), digest);
    }
}

#[test]
fn what_has_changed_since_is_found_and_not_loaded() {
    let folder = Folder::new();
    let server = start(&folder, &[]);
    write_much(&server, 1, 300);
    let manifest = back_up(&server, &folder);
    server.shut_down();
    let directory = folder.path().join("backupdir");
    assert!(check(&directory).0);
    let base = directory.join("appendonly.aof.1.base.rdb");
    let whole = std::fs::read(&base).expect("a file");
    let preload = format!("aof:{}", manifest.display());
    let refused = |why: &str| {
        let (is_whole, said) = check(&directory);
        assert!(!is_whole && said.contains(why), "{said}");
        let other = Folder::new();
        let program = Program::tested().expect("a server");
        let options = ["--preload-file", &preload];
        assert!(Durable::try_start(&program, &other, &options).is_err(), "{why}");
    };
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    std::fs::write(&base, &changed).expect("it can be written");
    refused("its checksum is");
    std::fs::write(&base, &whole[..middle]).expect("it can be written");
    refused("was written with");
    std::fs::remove_file(&base).expect("it is there");
    refused("No such file");
    std::fs::write(&base, &whole).expect("it can be written");
    std::fs::write(directory.join("backup.sums"), "file").expect("it can be written");
    refused("backup.sums is damaged");
}

#[test]
fn the_states_follow_each_other_as_in_redis() {
    let folder = Folder::new();
    let server = start(&folder, &[]);
    assert_eq!(status(&server, "state"), "idle");
    assert_eq!(
        (status(&server, "start_time"), status(&server, "end_time")),
        ("0".into(), "0".into())
    );
    assert!(ask(&server, "BACKUP ABORT").contains("No backup in progress"));
    assert!(ask(&server, "BACKUP SEAL").contains("No backup ready to seal"));
    assert_eq!(ask(&server, "BACKUP CLEANUP"), "OK");
    server.ask("MSET a 1 b 2");
    back_up(&server, &folder);
    assert_eq!(status(&server, "keys"), "2");
    assert!(ask(&server, "BACKUP START").starts_with("-ERR"));
    assert_eq!(ask(&server, "BACKUP CLEANUP"), "OK");
    assert_eq!(status(&server, "state"), "idle");
    let directory = folder.path().join("backupdir");
    let count = || std::fs::read_dir(&directory).expect("a folder").count();
    assert_eq!(count(), 0);
    ask(&server, "BACKUP START");
    until(&server, "incrementing");
    assert!(ask(&server, "BACKUP START").contains("already in progress"));
    assert_eq!(ask(&server, "BACKUP ABORT"), "OK");
    assert_eq!(
        (status(&server, "state"), status(&server, "error")),
        ("failed".into(), "aborted by user".into())
    );
    assert_eq!(count(), 0);
    std::fs::write(directory.join("stale"), "x").expect("a file");
    assert!(ask(&server, "BACKUP START").contains("not empty"));
    std::fs::remove_file(directory.join("stale")).expect("it is there");
    ask(&server, "CONFIG SET backup-sealed-ttl 1");
    back_up(&server, &folder);
    until(&server, "idle");
    assert_eq!(count(), 0);
}

#[test]
fn a_backup_waits_for_a_snapshot_and_is_given_up_with_the_data_set() {
    let folder = Folder::new();
    let server = start(&folder, &["--rdb-key-save-delay", "3000"]);
    let mut client = server.client();
    for number in 0..200 {
        client.call(&["SET", &format!("k{number}"), "v"]).expect("it answers");
    }
    server.ask("BGSAVE");
    assert_eq!(ask(&server, "BACKUP START"), "OK");
    assert_eq!(status(&server, "state"), "pending");
    until(&server, "snapshotting");
    assert_eq!(server.info("rdb_last_bgsave_status").as_deref(), Some("ok"));
    server.ask("FLUSHALL");
    until(&server, "failed");
    let directory = folder.path().join("backupdir");
    assert_eq!(std::fs::read_dir(&directory).expect("a folder").count(), 0);
    // A failed one makes room for the next, and what is aborted while it is written leaves nothing either.
    for number in 0..200 {
        client.call(&["SET", &format!("k{number}"), "v"]).expect("it answers");
    }
    assert_eq!(ask(&server, "BACKUP START"), "OK");
    assert_eq!(status(&server, "state"), "snapshotting");
    assert_eq!(ask(&server, "BACKUP ABORT"), "OK");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(std::fs::read_dir(&directory).expect("a folder").count(), 0);
    server.ask("CONFIG SET rdb-key-save-delay 0");
    back_up(&server, &folder);
}

#[test]
fn a_full_disk_fails_the_backup_and_nothing_else() {
    let folder = Folder::new();
    let program = Program::tested().expect("a server");
    let mut command = Command::new("bash");
    command.args(["-c", "ulimit -S -f 64; exec \"$0\" \"$@\""]).arg(&program.path);
    let server =
        Durable::try_start_as(command, &folder, &["--appendonly", "no"]).expect("it starts");
    let mut client: Client = server.client();
    for number in 0..50 {
        // Not to be compressed.
        let value: String = (0..4000u32)
            .map(|at| char::from(33 + (at.wrapping_mul(2_654_435_761 + number) >> 20) as u8 % 90))
            .collect();
        client.call(&["SET", &format!("k{number}"), &value]).expect("it answers");
    }
    assert_eq!(ask(&server, "BACKUP START"), "OK");
    until(&server, "failed");
    assert!(status(&server, "error").contains("File too large"), "{}", status(&server, "error"));
    assert_eq!(ask(&server, "SET still 1"), "OK");
    assert_eq!(std::fs::read_dir(folder.path().join("backupdir")).expect("a folder").count(), 0);
    client.call(&["FLUSHALL"]).expect("it answers");
    back_up(&server, &folder);
}
