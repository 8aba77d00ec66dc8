//! The program as an operator or a test suite starts it: without a port, on a Unix socket.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const PROGRAM: &str = env!("CARGO_BIN_EXE_rubrica-server");

/// A directory that is removed at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rubrica-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(&self.0).args(["--port", "0", "--unixsocket", "socket"]);
        command.args(["--pidfile", "pid"]).stdin(Stdio::null());
        command
    }

    fn pid(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.0.join("pid")).ok()?;
        Pid::from_raw(text.trim().parse().ok()?)
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "no {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn log_of(path: &Path, line: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().filter(|text| text.contains(line))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_wrong_option_ends_the_program_with_the_line_on_standard_error() {
    let output = Command::new(PROGRAM).args(["--port", "abc"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("FATAL CONFIG FILE ERROR"), "{}", stderr(&output));
    assert!(stderr(&output).contains(">>> 'port \"abc\"'"), "{}", stderr(&output));
}

#[test]
fn help_and_version_are_printed_without_a_server() {
    for (option, text) in
        [("--version", "redis="), ("--help", "Usage:"), ("--help-options", "io-threads")]
    {
        let output = Command::new(PROGRAM).arg(option).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains(text), "{option}");
    }
}

#[test]
fn the_log_has_the_lines_that_test_suites_wait_for_and_sigterm_ends_the_server() {
    let dir = Dir::new("log");
    let log = std::fs::File::create(dir.0.join("out")).unwrap();
    let mut child = dir.command().args(["--always-show-logo", "yes"]).stdout(log).spawn().unwrap();
    let text = wait_for("start", || log_of(&dir.0.join("out"), "Ready to accept"));
    let pid = text.find(&format!(" PID: {}", child.id())).expect("the process's number");
    let initialized = text.find("Server initialized").expect("the start's end");
    assert!(pid < initialized);
    assert_eq!(dir.pid(), Some(Pid::from_child(&child)));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(log_of(&dir.0.join("out"), "ready to exit, bye bye").is_some());
    assert!(!dir.has("pid") && !dir.has("socket"));
}

#[test]
fn a_server_in_the_background_outlives_its_starter_and_its_log_can_be_moved_away() {
    let dir = Dir::new("background");
    let status = dir.command().args(["--daemonize", "yes", "--logfile", "log"]).status().unwrap();
    assert!(status.success());
    wait_for("start", || log_of(&dir.0.join("log"), "Ready to accept"));
    let pid = wait_for("pid file", || dir.pid());
    std::fs::rename(dir.0.join("log"), dir.0.join("log.1")).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    wait_for("end", || log_of(&dir.0.join("log"), "ready to exit, bye bye"));
}

#[test]
fn standard_input_configures_a_server_in_the_background_too() {
    use std::io::Write;
    let dir = Dir::new("stdin");
    let mut child = dir.command().arg("-").stdin(Stdio::piped()).spawn().unwrap();
    let text = b"daemonize yes\nlogfile from-stdin\n";
    child.stdin.take().unwrap().write_all(text).unwrap();
    assert!(child.wait().unwrap().success());
    wait_for("start", || log_of(&dir.0.join("from-stdin"), "Ready to accept"));
    kill_process(wait_for("pid file", || dir.pid()), Signal::TERM).unwrap();
    wait_for("end", || log_of(&dir.0.join("from-stdin"), "ready to exit, bye bye"));
}

/// Sends one inline command, and gives back the beginning of the reply.
fn ask(dir: &Dir, line: &str) -> String {
    use std::io::{Read, Write};
    let mut socket = std::os::unix::net::UnixStream::connect(dir.0.join("socket")).unwrap();
    socket.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    let mut chunk = [0; 1024];
    let length = socket.read(&mut chunk).unwrap();
    String::from_utf8_lossy(&chunk[..length]).into_owned()
}

#[test]
fn an_end_that_a_signal_asked_for_can_be_taken_back_while_it_waits() {
    let dir = Dir::new("abort");
    let mut command = dir.command();
    command.args(["--enable-debug-command", "yes", "--logfile", "log"]);
    let mut child = command.spawn().unwrap();
    let pid = wait_for("pidfile", || dir.pid());
    wait_for("socket", || dir.has("socket").then_some(()));
    assert_eq!(ask(&dir, "DEBUG PAUSE-CRON 1"), "+OK\r\n");
    assert_eq!(ask(&dir, "SHUTDOWN ABORT"), "-ERR No shutdown in progress.\r\n");
    kill_process(pid, Signal::TERM).unwrap();
    wait_for("abort", || (ask(&dir, "SHUTDOWN ABORT") == "+OK\r\n").then_some(()));
    assert!(log_of(&dir.0.join("log"), "Shutdown manually aborted").is_some());
    assert_eq!(ask(&dir, "DEBUG PAUSE-CRON 0"), "+OK\r\n");
    assert_eq!(ask(&dir, "PING"), "+PONG\r\n");
    kill_process(pid, Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_score_for_when_memory_is_short_follows_the_options_and_is_restored() {
    let dir = Dir::new("oom");
    let mut child = dir.command().args(["--logfile", "log"]).spawn().unwrap();
    let pid = wait_for("pidfile", || dir.pid());
    wait_for("socket", || dir.has("socket").then_some(()));
    let score = || -> i32 {
        let file = format!("/proc/{}/oom_score_adj", pid.as_raw_nonzero());
        std::fs::read_to_string(file).unwrap().trim().parse().unwrap()
    };
    let base = score();
    let set = |words: &str| assert_eq!(ask(&dir, &format!("CONFIG SET {words}")), "+OK\r\n");
    set("oom-score-adj-values \"9 9 9\" oom-score-adj relative");
    assert_eq!(score(), (base + 9).min(1000));
    set("oom-score-adj-values \"15 9 9\"");
    assert_eq!(score(), (base + 15).min(1000));
    set("oom-score-adj no");
    assert_eq!(score(), base);
    set("oom-score-adj-values \"1000 1000 1000\" oom-score-adj absolute");
    assert_eq!(score(), 1000);
    set("oom-score-adj no");
    child.kill().unwrap();
    child.wait().unwrap();
}
