//! Going to the background: the program starts itself again in a session of its own, without a
//! terminal, and the one that was called ends. Threads would not survive a fork.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Tells the second program that it is the one in the background.
const MARK: &str = "RUBRICA_IN_BACKGROUND";

/// Whether this is the program in the background.
pub fn is_background() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Leaves the terminal's session.
pub fn detach() {
    // Fails only for the leader of a group, which a program that was just started is not.
    let _ = rustix::process::setsid();
}

/// Starts the program in the background with the same arguments, and with `stdin` to be read.
///
/// # Errors
/// What the operating system says.
pub fn start(stdin: &[u8]) -> std::io::Result<()> {
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    let mut child = Command::new(std::env::current_exe()?)
        .arg0(name)
        .args(args)
        .env(MARK, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(stdin)?;
    }
    Ok(())
}
