use std::fs::OpenOptions;
use std::io::{self, BufRead, Write};
use std::path::Path;

/// Asks whoever sits there.
///
/// # Errors
/// When nobody can be asked.
pub fn confirm(question: &str) -> io::Result<bool> {
    print!("{question} [y/N]: ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.starts_with(['y', 'Y']))
}

/// Cuts a file off, durably.
///
/// # Errors
/// When that fails.
pub fn cut(path: &Path, at: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(at)?;
    file.sync_all()
}
