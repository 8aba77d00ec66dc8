//! Servers whose system calls fail at chosen moments, by `strace`.

use std::path::Path;
use std::process::Command;

use crate::durable::{Durable, Folder};
use crate::server::Program;

/// The tool.
const STRACE: &str = "/usr/bin/strace";

/// What is done to calls on the first append-only file, as `strace` words it.
pub struct Fault<'a> {
    /// The calls.
    pub calls: &'a str,
    /// What happens instead of them, or before: `error=EIO`, `delay_enter=5000000`.
    pub what: &'a str,
    /// Which of them: `7`, `3+`.
    pub when: String,
}

/// Whether calls can be made to fail here: says so where not.
pub fn possible() -> bool {
    let works = Path::new(STRACE).exists()
        && Command::new(STRACE)
            .args([
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "--seccomp-bpf",
                "-e",
                "trace=fdatasync",
                "true",
            ])
            .status()
            .is_ok_and(|status| status.success());
    if !works {
        println!("left out: strace is not there, or may not trace");
    }
    works
}

/// Starts a server with append-only files, to which the fault happens.
///
/// # Errors
/// With the status, when the server ends by itself.
///
/// # Panics
/// When it neither answers nor ends.
pub fn start(
    folder: &Folder,
    fault: &Fault<'_>,
    options: &[&str],
) -> Result<Durable, std::process::ExitStatus> {
    let program = Program::tested().expect("a server");
    let file = folder.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    let inject = format!("inject={}:{}:when={}", fault.calls, fault.what, fault.when);
    let mut command = Command::new(STRACE);
    command
        // The server is the child, the tracer is not: so it is the server that is ended with the test.
        .args(["-D", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-P"])
        .arg(file)
        .args(["-e", &format!("trace={}", fault.calls), "-e", &inject])
        .arg(&program.path);
    let options = [&["--appendonly", "yes", "--workers", "2"], options].concat();
    Durable::try_start_as(command, folder, &options)
}
