//! The user's own files: history and preferences.

use std::path::PathBuf;

/// Where history is kept; `None` when it is not.
pub fn history() -> Option<PathBuf> {
    file(&["RUBRICACLI_HISTFILE", "REDISCLI_HISTFILE"], ".rubricacli_history")
}

/// The lines of the preferences file.
pub fn preferences() -> Vec<Vec<u8>> {
    let path = file(&["RUBRICACLI_RCFILE", "REDISCLI_RCFILE"], ".rubricaclirc");
    let text = path.and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
    text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// The file that the first set variable names, else the one of this name at home. `/dev/null` means
/// none.
fn file(variables: &[&str], name: &str) -> Option<PathBuf> {
    let named = variables.iter().filter_map(std::env::var_os).find(|value| !value.is_empty());
    let path = match named {
        Some(path) => PathBuf::from(path),
        None => {
            let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
            PathBuf::from(home).join(name)
        }
    };
    (path.as_os_str() != "/dev/null").then_some(path)
}
