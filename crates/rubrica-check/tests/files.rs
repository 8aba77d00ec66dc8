//! What the checker says of whole and damaged files, of its own making and of `redis-server`'s, in its own
//! words and in those of `redis-check-rdb` and `redis-check-aof`.
#![forbid(unsafe_code)]

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

static FOLDERS: AtomicU32 = AtomicU32::new(0);

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("check-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    fn size(&self, name: &str) -> u64 {
        std::fs::metadata(self.0.join(name)).expect("it is there").len()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the checker under a name, with an answer to what it asks; gives its status and what it printed.
fn run(name: &str, args: &[&str], path: &Path, answer: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rubrica-check"))
        .arg0(name)
        .args(args)
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    // It may end without asking.
    let _ = child.stdin.take().expect("a pipe").write_all(answer.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().expect("no signal"), text)
}

fn check(args: &[&str], path: &Path) -> (i32, String) {
    run("rubrica-check", args, path, "n\n")
}

const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n";
const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";

/// A directory as a server leaves it; the last file ends with `tail`.
fn log_of(folder: &Folder, tail: &[u8]) -> PathBuf {
    folder.write("a.aof.1.base.aof", &SET.repeat(2));
    folder.write("a.aof.1.incr.aof", SET);
    folder.write("a.aof.2.incr.aof", &[SET, tail].concat());
    let manifest = "file a.aof.1.base.aof seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n\
                    file a.aof.2.incr.aof seq 2 type i\n";
    folder.write("a.aof.manifest", manifest.as_bytes())
}

#[test]
fn whole_files_are_said_to_be_whole_and_counted() {
    let folder = Folder::new();
    log_of(&folder, b"#TS:1700000000\r\n");
    let (status, text) = check(&[], &folder.0);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("a manifest of 3 files"), "{text}");
    assert!(text.contains("2 commands"), "{text}");
    assert!(text.contains("annotations of time from 1700000000"), "{text}");
    assert_eq!(check(&["--quiet"], &folder.0), (0, String::new()));
}

#[test]
fn a_damaged_end_is_explained_and_cut_off_only_when_wanted() {
    for (tail, at, why) in [
        (&b"*3\r\n$3\r\nSE"[..], 27, "in the middle"),
        (b"nonsense\r\n", 27, "begins with '*'"),
        (b"*1\r\n$4\r\nPI", 27, "in the middle"),
        (b"*1\r\n$1\r\nPING\r\n", 36, "does not end where its length says"),
        (MULTI, 27, "has no end"),
        (b"*1\r\n$4\r\nEXEC\r\n", 27, "EXEC without MULTI"),
    ] {
        let folder = Folder::new();
        let manifest = log_of(&folder, tail);
        let before = folder.size("a.aof.2.incr.aof");
        for (args, answer) in [(&[][..], ""), (&["--fix"][..], "n\n")] {
            let (status, text) = run("rubrica-check", args, &manifest, answer);
            assert_eq!(status, 1, "{text}");
            assert!(text.contains(&format!("DAMAGED at byte {at}")), "{tail:?}: {text}");
            assert!(text.contains(why), "{tail:?}: {text}");
            assert_eq!(folder.size("a.aof.2.incr.aof"), before);
        }
        let (status, text) = check(&["--fix", "--yes"], &manifest);
        assert_eq!(status, 0, "{text}");
        assert_eq!(folder.size("a.aof.2.incr.aof"), SET.len() as u64);
        assert_eq!(check(&["--quiet"], &manifest), (0, String::new()));
    }
}

#[test]
fn what_other_files_follow_is_not_cut_off() {
    let folder = Folder::new();
    let manifest = log_of(&folder, b"");
    folder.write("a.aof.1.incr.aof", &[SET, b"*"].concat());
    for name in ["rubrica-check", "redis-check-aof"] {
        let (status, text) = run(name, &["--fix"], &manifest, "y\n");
        assert_eq!(status, 1, "{text}");
        assert_eq!(folder.size("a.aof.1.incr.aof"), SET.len() as u64 + 1);
    }
}

#[test]
fn a_manifest_that_names_what_is_not_there_is_damaged() {
    let folder = Folder::new();
    let manifest = log_of(&folder, b"");
    std::fs::remove_file(folder.0.join("a.aof.1.incr.aof")).expect("it was there");
    let (status, text) = check(&[], &manifest);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("named in the manifest, but"), "{text}");
    folder.write("a.aof.manifest", b"file a seq 1 type b\nfile b seq 1\n");
    let (status, text) = check(&[], &manifest);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("at line 2"), "{text}");
    assert_eq!(check(&[], Path::new("/there/is/nothing")).0, 2);
}

#[test]
fn called_like_the_tools_of_redis_it_answers_like_them() {
    let folder = Folder::new();
    let manifest = log_of(&folder, b"!!!");
    let (status, text) = run("redis-check-aof", &[], &manifest, "");
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("ok_up_to=27, ok_up_to_line=8, diff=3"), "{text}");
    assert!(text.contains("is not valid. Use the --fix option to try fixing it."), "{text}");
    let (status, text) = run("redis-check-aof", &["--fix"], &manifest, "y\n");
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("Successfully truncated AOF"), "{text}");
    let (status, text) = run("redis-check-aof", &[], &manifest, "");
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("All AOF files and manifest are valid"), "{text}");
}

#[test]
fn what_came_later_is_cut_off() {
    let folder = Folder::new();
    let parts = [b"#TS:100\r\n", SET, b"#TS:200\r\n", MULTI, SET, b"*1\r\n$4\r\nEXEC\r\n"].concat();
    for (name, args) in [
        ("redis-check-aof", &["--truncate-to-timestamp", "150"][..]),
        ("rubrica-check", &["--yes", "--until", "150"]),
    ] {
        let path = folder.write("a.aof", &parts);
        let (status, text) = run(name, args, &path, "");
        assert_eq!(status, 0, "{text}");
        assert_eq!(folder.size("a.aof"), 9 + SET.len() as u64);
    }
}

/// Lets redis-server fill a directory; `None` when it is not installed.
fn redis(folder: &Folder, commands: &str) -> Option<()> {
    let socket = folder.0.join("socket");
    let mut server = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "yes", "--unixsocket"])
        .arg(&socket)
        .arg("--dir")
        .arg(&folder.0)
        .stdout(Stdio::null())
        .spawn()
        .ok()?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while !socket.exists() {
        assert!(Instant::now() < deadline, "redis-server does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    let cli = Command::new("redis-cli")
        .arg("-s")
        .arg(&socket)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn();
    let Ok(mut cli) = cli else {
        let _ = server.kill();
        return None;
    };
    let commands = format!("{commands}\nSAVE\nSHUTDOWN NOSAVE\n");
    cli.stdin.take().expect("a pipe").write_all(commands.as_bytes()).expect("it reads");
    cli.wait().expect("it ends");
    server.wait().expect("it ends");
    Some(())
}

#[test]
fn files_of_redis_are_read_with_figures_per_type() {
    let folder = Folder::new();
    let commands = "SET a 1\nSET b x EX 1000\nRPUSH l 1 2 3\nSADD s 1 2 x\nSADD i 1 2\nHSET h a 1 b 2\n\
                    ZADD z 1 a 2 b\nXADD x 1-1 a b\nBGREWRITEAOF";
    if redis(&folder, commands).is_none() {
        return;
    }
    let (status, text) = check(&[], &folder.0);
    assert_eq!(status, 0, "{text}");
    for part in ["redis-ver: ", "set (intset)", "list (quicklist)", "stream", "checksum: right"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains("8 keys, 1 with a deadline, 0 of them past it"), "{text}");
    let path = folder.0.join("dump.rdb");
    let (status, text) = run("redis-check-rdb", &[], &path, "");
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("RDB looks OK!") && text.contains("[info] 8 keys read"), "{text}");

    let whole = std::fs::read(&path).expect("a file");
    for place in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        let path = folder.write("damaged.rdb", &damaged);
        let (status, text) = check(&["--quiet"], &path);
        assert_eq!(status, 1, "byte {place} was changed: {text}");
        assert!(!text.is_empty());
    }
    for end in 0..whole.len() {
        let path = folder.write("cut.rdb", &whole[..end]);
        let (status, text) = check(&["--quiet"], &path);
        assert!(status == 1 || end == 0, "cut at {end}: {text}");
    }
}
