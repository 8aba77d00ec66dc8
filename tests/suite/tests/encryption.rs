//! Encryption at rest: what a server with a key leaves on disk, and what it accepts from there.
#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use suite::durable::{Durable, Folder, write_much};
use suite::reply::{Parts, Reply};
use suite::server::Program;

const MARK: &str = "mark-of-plain-text";

/// A file with keys, a line each; its first is named `names[0]`.
fn key_file(folder: &Folder, names: &[&str]) -> String {
    let key = |name: &&str| {
        let byte = name.bytes().map(u32::from).sum::<u32>() % 256;
        format!("{name}:{}\n", format!("{byte:02x}").repeat(32))
    };
    let path = folder.path().join("keys");
    fs::write(&path, names.iter().map(key).collect::<String>()).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is mine");
    path.display().to_string()
}

fn with_key(path: &str) -> [&str; 2] {
    ["--encryption-key-file", path]
}

/// An error's text.
fn error(reply: Reply) -> String {
    match reply {
        Reply::Error(text) => String::from_utf8_lossy(&text).into_owned(),
        other => panic!("it is no error: {other:?}"),
    }
}

/// The files that hold data.
fn data_files(folder: &Folder) -> Vec<PathBuf> {
    let (logs, snapshot) = (folder.path().join("appendonlydir"), folder.path().join("dump.rdb"));
    let entries = fs::read_dir(logs).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| !path.to_string_lossy().ends_with(".manifest"));
    paths.extend(Some(snapshot).filter(|path| path.exists()));
    paths.sort();
    paths
}

fn is_encrypted(path: &Path) -> bool {
    let bytes = fs::read(path).expect("a file");
    assert!(bytes.is_empty() || bytes.starts_with(b"RUBRENC") || !bytes.starts_with(b"RUBR"));
    bytes.starts_with(b"RUBRENC")
}

/// The names of the keys that the files are encrypted with, none for plain ones with content.
fn keys_of(folder: &Folder) -> Vec<Option<String>> {
    let files = data_files(folder).into_iter().map(|path| fs::read(path).expect("a file"));
    files
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| {
            let length = usize::from(bytes[9]);
            bytes
                .starts_with(b"RUBRENC")
                .then(|| String::from_utf8_lossy(&bytes[12..12 + length]).into())
        })
        .collect()
}

/// Starts a server that ends at once, and gives what it said.
fn refusal(program: &Program, folder: &Folder, options: &[&str]) -> (ExitStatus, String) {
    let output = Command::new(&program.path)
        .args(["--port", "0", "--dir"])
        .arg(folder.path())
        .args(options)
        .output()
        .expect("it runs");
    let both = [output.stdout, output.stderr].concat();
    (output.status, String::from_utf8_lossy(&both).into_owned())
}

#[test]
fn nothing_of_the_plain_text_stands_in_the_files_and_it_all_comes_back() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["one"]);
    for base in ["yes", "no"] {
        let options = [&with_key(&keys)[..], &["--aof-use-rdb-preamble", base]].concat();
        let server = Durable::start(&program, &folder, &options);
        write_much(&server, 1, 1000);
        server.ask(&format!("SET {MARK} {MARK}"));
        server.rewrite();
        server.ask(&format!("RPUSH list {MARK}"));
        write_much(&server, 2, 500);
        server.ask("SAVE");
        assert_eq!(server.info("encryption_key").as_deref(), Some("one"));
        let digest = server.digest();
        server.shut_down();
        assert!(data_files(&folder).len() >= 3);
        for path in data_files(&folder) {
            let bytes = fs::read(&path).expect("a file");
            assert!(is_encrypted(&path), "{}", path.display());
            for part in [MARK.as_bytes(), b"REDIS", b"SELECT"] {
                assert!(
                    !bytes.windows(part.len()).any(|found| found == part),
                    "{}",
                    path.display()
                );
            }
        }
        let server = Durable::start(&program, &folder, &options);
        assert_eq!(server.digest(), digest);
        assert_eq!(server.ask("DEBUG LOADAOF"), Reply::Simple("OK".into()));
        assert_eq!(server.digest(), digest);
        server.shut_down();
        let options = [&with_key(&keys)[..], &["--appendonly", "no"]].concat();
        let server =
            Durable::try_start(&program, &folder, &options).expect("it loads the snapshot");
        assert_eq!(server.digest(), digest);
        assert_eq!(server.ask("DEBUG RELOAD"), Reply::Simple("OK".into()));
        assert_eq!(server.digest(), digest);
        server.shut_down();
    }
}

#[test]
fn what_was_acknowledged_is_there_after_each_of_many_kills() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["one"]);
    let options = [&with_key(&keys)[..], &["--appendfsync", "always"]].concat();
    let mut acknowledged = 0;
    for turn in 0..12 {
        let server = Durable::start(&program, &folder, &options);
        let found =
            server.ask("GET counter").as_text().map_or(0, |text| text.parse().expect("one"));
        assert!(found >= acknowledged, "turn {turn}: {found} of {acknowledged}");
        let mut client = server.client();
        let before = std::time::Instant::now();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20 + 7 * turn));
            server.kill();
        });
        acknowledged = found;
        while let Ok(Reply::Integer(count)) = client.call(&["INCR", "counter"]) {
            acknowledged = count;
        }
        assert!(before.elapsed().as_secs() < 20);
        killer.join().expect("it is killed");
    }
    assert!(acknowledged > 0);
    let server = Durable::start(&program, &folder, &options);
    server.rewrite();
    server.shut_down();
    assert_eq!(data_files(&folder).len(), 2, "a base and what came since");
}

#[test]
fn a_torn_end_is_cut_off_and_a_changed_byte_is_refused_with_its_place() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["one"]);
    let always = ["--appendonly", "yes", "--appendfsync", "always"];
    let options = [&with_key(&keys)[..], &always].concat();
    let server = Durable::start(&program, &folder, &options);
    for number in 0..3 {
        server.ask(&format!("SET key{number} {MARK}"));
    }
    server.kill();
    let path = folder.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    let whole = fs::read(&path).expect("a file");
    fs::write(&path, &whole[..whole.len() - 5]).expect("a file");
    let strict = [&options[..], &["--aof-load-truncated", "no"]].concat();
    assert!(Durable::try_start(&program, &folder, &strict).is_err());
    assert!(folder.log().contains("Unexpected end of file"), "{}", folder.log());
    let server = Durable::start(&program, &folder, &options);
    assert_eq!(server.ask("EXISTS key0 key1 key2"), Reply::Integer(2));
    assert!(folder.log().contains("bytes are dropped"), "{}", folder.log());
    server.ask("SET key3 x");
    server.kill();
    let server = Durable::start(&program, &folder, &options);
    assert_eq!(server.ask("EXISTS key0 key1 key2 key3"), Reply::Integer(3));
    server.ask("SAVE");
    server.shut_down();
    for path in data_files(&folder) {
        let whole = fs::read(&path).expect("a file");
        if whole.is_empty() {
            continue;
        }
        let mut damaged = whole.clone();
        let middle = 128 + (whole.len() - 128) / 2;
        damaged[middle] ^= 4;
        fs::write(&path, &damaged).expect("a file");
        let loads = if path.ends_with("dump.rdb") { "no" } else { "yes" };
        let options = [&with_key(&keys)[..], &["--appendonly", loads]].concat();
        let (status, text) = refusal(&program, &folder, &options);
        let name = path.file_name().expect("a name").to_string_lossy();
        assert!(!status.success() && text.contains(&*name), "{text}");
        assert!(text.contains("of the encrypted file: "), "{text}");
        fs::write(&path, &whole).expect("a file");
    }
}

#[test]
fn an_older_file_that_lost_its_end_is_refused() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["one"]);
    let server = Durable::start(&program, &folder, &with_key(&keys));
    server.ask("SET a 1");
    server.shut_down();
    let server = Durable::start(&program, &folder, &with_key(&keys));
    server.ask("SET b 1");
    server.shut_down();
    let path = folder.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    let whole = fs::read(&path).expect("a file");
    fs::write(&path, &whole[..whole.len() - 28]).expect("a file");
    let options = [&with_key(&keys)[..], &["--appendonly", "yes"]].concat();
    let (status, text) = refusal(&program, &folder, &options);
    assert!(!status.success(), "{text}");
    assert!(text.contains("appendonly.aof.1.incr.aof is missing, though others follow"), "{text}");
}

#[test]
fn a_new_key_takes_over_without_a_restart_and_the_old_one_can_go_after_a_rewrite() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["one"]);
    let server = Durable::start(&program, &folder, &with_key(&keys));
    write_much(&server, 1, 500);
    server.ask("SAVE");
    key_file(&folder, &["two", "one"]);
    assert_eq!(
        server.ask(&format!("CONFIG SET encryption-key-file {keys}")),
        Reply::Simple("OK".into())
    );
    server.wait_for("encryption_key", "two");
    // Its answer comes when the file that it stands in is durable.
    server.ask("CONFIG SET appendfsync always");
    write_much(&server, 2, 500);
    let digest = server.digest();
    server.kill();
    let found = keys_of(&folder);
    assert!(
        found.contains(&Some("one".into())) && found.contains(&Some("two".into())),
        "{found:?}"
    );
    let server = Durable::start(&program, &folder, &with_key(&keys));
    assert_eq!(server.digest(), digest);
    server.rewrite();
    server.ask("SAVE");
    assert!(keys_of(&folder).iter().all(|key| key.as_deref() == Some("two")));
    // By SIGHUP as well, and the old key goes.
    key_file(&folder, &["three", "two"]);
    let pid = server.pid().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().expect("it runs").success());
    server.wait_for("encryption_key", "three");
    server.shut_down();
    let server = Durable::start(&program, &folder, &with_key(&keys));
    assert_eq!(server.digest(), digest);
    server.shut_down();
}

#[test]
fn a_key_that_changed_under_its_name_is_not_taken() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["one"]);
    let server = Durable::start(&program, &folder, &with_key(&keys));
    fs::write(&keys, format!("one:{}", "ab".repeat(32))).expect("a file");
    let text = error(server.ask(&format!("CONFIG SET encryption-key-file {keys}")));
    assert!(text.contains("'one' is another one than before"), "{text}");
    assert_eq!(server.info("encryption_key").as_deref(), Some("one"));
    let text = error(server.ask("CONFIG SET encryption-key-file /does/not/exist"));
    assert!(text.contains("/does/not/exist"), "{text}");
    let hex = "cd".repeat(32);
    let text = error(server.ask(&format!("CONFIG SET encryption-key-file {hex}")));
    assert!(text.contains("a key must not stand here") && !text.contains(&hex), "{text}");
    server.ask("CONFIG SET slowlog-log-slower-than 0");
    server.ask(&format!("CONFIG SET encryption-key-file {hex}"));
    assert!(
        !format!("{:?}", server.ask("SLOWLOG GET 10")).contains(&format!("{:?}", hex.as_bytes()))
    );
    let Reply::Array(pair) = server.ask("CONFIG GET encryption-key-file") else { panic!("a pair") };
    assert_eq!(pair[1].as_text(), Some(keys));
}

#[test]
fn wrong_keys_missing_keys_and_keys_in_the_open_are_refused_with_the_reason() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["one"]);
    let server = Durable::start(&program, &folder, &with_key(&keys));
    server.ask("SET a 1");
    server.ask("SAVE");
    server.shut_down();
    let hex = "ab".repeat(32);
    let same_name = format!("echo one:{hex}");
    let other_name = format!("echo other:{hex}; exit 0");
    let quiet = "true";
    // A command may not have a key in it either: these two read it from a file.
    fs::write(folder.path().join("same"), &same_name[5..]).expect("a file");
    fs::write(folder.path().join("other"), &other_name[5..75]).expect("a file");
    for loads in ["yes", "no"] {
        for (options, why) in [
            (&[][..], "it is encrypted (with the key 'one') and no key is given"),
            (&["--encryption-key-command", "cat same"], "encrypted with another key of that name"),
            (&["--encryption-key-command", "cat other"], "which is not among those given: 'other'"),
            (&["--encryption-key-command", quiet], "there is no key in it"),
            (&["--encryption-key-command", "exit 7"], "it failed with exit status: 7"),
            (&["--encryption-key-command", &same_name], "a key must not stand here"),
            (&["--encryption-key", &hex], "a key must not stand here"),
            (&["--encryption-key-file", &hex], "a key must not stand here"),
            (&["--encryption-key-env", "NOT_THERE"], "no variable NOT_THERE"),
            (&["--encryption-key-file", &keys, "--encryption-key-env", "X"], "exclude each other"),
        ] {
            let options = [&["--appendonly", loads], options].concat();
            let (status, text) = refusal(&program, &folder, &options);
            assert!(!status.success(), "{options:?}: {text}");
            assert!(text.contains(why), "{options:?}: {text}");
            assert!(!text.contains(&hex), "{options:?}: {text}");
        }
    }
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).expect("it is mine");
    let (status, text) = refusal(&program, &folder, &with_key(&keys));
    assert!(!status.success() && text.contains("has mode 644"), "{text}");
}

#[test]
fn keys_come_from_the_environment_and_from_a_command() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["one"]);
    let options = ["--encryption-key-command", "cat keys"];
    let server = Durable::start(&program, &folder, &options);
    server.ask("SET a 1");
    server.shut_down();
    let mut command = Command::new(&program.path);
    command.env("KEYS_OF_A_TEST", fs::read_to_string(&keys).expect("a file"));
    let options = ["--appendonly", "yes", "--encryption-key-env", "KEYS_OF_A_TEST"];
    let server = Durable::try_start_as(command, &folder, &options).expect("it starts");
    assert_eq!(server.ask("EXISTS a"), Reply::Integer(1));
}

#[test]
fn plain_files_become_encrypted_and_plain_again() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["one"]);
    let server = Durable::start(&program, &folder, &[]);
    write_much(&server, 1, 500);
    server.ask("SAVE");
    let digest = server.digest();
    server.shut_down();
    assert!(keys_of(&folder).iter().all(Option::is_none));
    let strict = [&with_key(&keys)[..], &["--encryption-refuse-plain", "yes"]].concat();
    for appends in ["yes", "no"] {
        let options = [&strict[..], &["--appendonly", appends]].concat();
        let (status, text) = refusal(&program, &folder, &options);
        assert!(!status.success(), "{text}");
        assert!(text.contains("it is not encrypted, and encryption-refuse-plain is set"), "{text}");
    }
    // From now on with a key: what is there is loaded, what is written is encrypted.
    let server = Durable::start(&program, &folder, &with_key(&keys));
    assert_eq!(server.digest(), digest);
    assert!(folder.log().contains("is not encrypted"), "{}", folder.log());
    write_much(&server, 2, 200);
    let mut client = server.client();
    client.call(&["SET", "last", "1"]).expect("it answers");
    // What the process has not written yet is lost with it.
    client.call(&["WAITAOF", "1", "0", "0"]).expect("it answers");
    let digest = server.digest();
    server.kill();
    let server = Durable::start(&program, &folder, &with_key(&keys));
    assert_eq!(server.digest(), digest);
    server.rewrite();
    server.ask("SAVE");
    assert!(keys_of(&folder).iter().all(Option::is_some));
    write_much(&server, 3, 200);
    let digest = server.digest();
    server.shut_down();
    let server = Durable::start(&program, &folder, &strict);
    assert_eq!(server.digest(), digest);
    // And off again, without a restart.
    server.client().call(&["CONFIG", "SET", "encryption-key-file", ""]).expect("it answers");
    assert_eq!(server.info("encryption_key").as_deref(), Some(""));
    server.rewrite();
    server.ask("SAVE");
    write_much(&server, 4, 200);
    let digest = server.digest();
    server.shut_down();
    assert!(keys_of(&folder).iter().all(Option::is_none));
    for program in [Some(program), Program::reference()].into_iter().flatten() {
        let server = Durable::start(&program, &folder, &[]);
        assert_eq!(server.digest(), digest);
        server.shut_down();
    }
}

#[test]
fn rewrites_and_changes_of_keys_while_clients_write_lose_nothing() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["k0"]);
    let options = [&with_key(&keys)[..], &["--workers", "2", "--aof-checksum", "yes"]].concat();
    let server = Durable::start(&program, &folder, &options);
    std::thread::scope(|scope| {
        for seed in 0..3 {
            let server = &server;
            scope.spawn(move || write_much(server, seed, 1500));
        }
        for turn in 1..5 {
            key_file(&folder, &[&format!("k{turn}"), &format!("k{}", turn - 1), "k0"]);
            server.ask(&format!("CONFIG SET encryption-key-file {keys}"));
            server.rewrite();
        }
    });
    let digest = server.digest();
    server.shut_down();
    let server = Durable::start(&program, &folder, &options);
    assert_eq!(server.digest(), digest);
    server.shut_down();
}

#[test]
fn a_full_disk_tears_a_block_and_nothing_acknowledged_is_lost() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["one"]);
    let always = ["--appendonly", "yes", "--appendfsync", "always"];
    let options = [&with_key(&keys)[..], &always].concat();
    let mut command = Command::new("bash");
    command.args(["-c", "ulimit -S -f 64; exec \"$0\" \"$@\""]).arg(&program.path);
    let server = Durable::try_start_as(command, &folder, &options).expect("it starts");
    let (mut client, value, mut acknowledged) = (server.client(), "v".repeat(3000), 0);
    while let Ok(Reply::Integer(count)) = client.call(&["RPUSH", "list", &value]) {
        acknowledged = count;
    }
    assert!((10..23).contains(&acknowledged), "{acknowledged}");
    // What is in the file is what a crash would find there now.
    let path = folder.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    let torn = fs::read(&path).expect("a file");
    assert_eq!(torn.len(), 64 * 1024);
    let pid = server.pid().to_string();
    let room = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:"]).status();
    assert!(room.expect("util-linux is there").success());
    while matches!(server.ask("SET a 1"), Reply::Error(_)) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let Reply::Integer(length) = server.ask("LLEN list") else { panic!("a length") };
    let digest = server.digest();
    server.shut_down();
    let server = Durable::start(&program, &folder, &options);
    assert_eq!(server.digest(), digest);
    server.shut_down();
    // As after a crash in the middle.
    let logs = folder.path().join("appendonlydir");
    for number in 2..4 {
        let _ = fs::remove_file(logs.join(format!("appendonly.aof.{number}.incr.aof")));
    }
    let manifest = "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n";
    fs::write(logs.join("appendonly.aof.manifest"), manifest).expect("a file");
    fs::write(&path, &torn).expect("a file");
    let server = Durable::start(&program, &folder, &options);
    let Reply::Integer(found) = server.ask("LLEN list") else { panic!("a length") };
    assert!((acknowledged..=length).contains(&found), "{acknowledged} {found} {length}");
}

#[test]
fn a_backup_is_encrypted_too_and_is_restored_with_the_key_only() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let keys = key_file(&folder, &["one"]);
    let options = [&with_key(&keys)[..], &["--appendonly", "no"]].concat();
    let server = Durable::try_start(&program, &folder, &options).expect("it starts");
    write_much(&server, 3, 500);
    server.ask(&format!("SET {MARK} {MARK}"));
    let digest = server.digest();
    assert_eq!(server.ask("BACKUP START"), Reply::Simple("OK".into()));
    let backup = folder.path().join("backupdir");
    while !backup.join("backup.sums").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    while matches!(server.ask("BACKUP SEAL"), Reply::Error(_)) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    server.shut_down();
    assert!(is_encrypted(&backup.join("appendonly.aof.1.base.rdb")));
    let preload = format!("aof:{}", backup.join("appendonly.aof.manifest").display());
    let other = Folder::new();
    let plain = ["--appendonly", "no", "--preload-file", &preload];
    assert!(Durable::try_start(&program, &other, &plain).is_err(), "without the key");
    let options = [&with_key(&keys)[..], &plain].concat();
    let restored = Durable::try_start(&program, &other, &options).expect("it starts");
    assert_eq!(restored.digest(), digest);
}
