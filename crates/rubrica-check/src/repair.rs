use std::io::{self, BufRead, Write};
use std::path::Path;

use encryption::Keyring;

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

/// Cuts a file off behind so many bytes of content, durably.
///
/// # Errors
/// When that fails.
pub fn cut(path: &Path, at: u64, keys: Option<&Keyring>) -> io::Result<()> {
    encryption::cut_off(path, at, keys)
}
