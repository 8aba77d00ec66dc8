//! Which commands the cases exercise, and which the server under test does not serve yet.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};

use crate::case;
use crate::client::Client;
use crate::reply::{Parts, Reply};
use crate::runner::commands_of;
use crate::server::{Program, Server};

/// Every command that `server` lists, in lower case, subcommands as `container|sub`.
///
/// # Errors
/// When `COMMAND` is not answered as documented.
pub fn commands_served(client: &mut Client) -> Result<BTreeSet<String>> {
    let reply = client.call(&["COMMAND"])?;
    let mut names = BTreeSet::new();
    for info in reply.as_elements().context("COMMAND answers an array")? {
        collect(info, &mut names)?;
    }
    Ok(names)
}

/// The name in a command's description and those of its subcommands.
fn collect(info: &Reply, names: &mut BTreeSet<String>) -> Result<()> {
    let fields = info.as_elements().context("a command's description is an array")?;
    let name = fields.first().and_then(Parts::as_text).context("its first element is its name")?;
    names.insert(name.to_lowercase());
    for sub in fields.get(9).and_then(Reply::as_elements).unwrap_or_default() {
        collect(sub, names)?;
    }
    Ok(())
}

/// Every command that some case sends, as [`commands_served`] names it.
///
/// # Errors
/// When a case file cannot be read.
pub fn commands_exercised() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for path in case::all_paths()? {
        for case in &case::load(&path)?.cases {
            names.extend(commands_of(case));
        }
    }
    Ok(names)
}

/// The commands named in a list: one a line, in lower case; `#` starts a comment.
///
/// # Errors
/// When the file cannot be read.
pub fn read_list(name: &str) -> Result<BTreeSet<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let words = text.lines().map(|l| l.split('#').next().unwrap_or_default().trim());
    Ok(words.filter(|l| !l.is_empty()).map(str::to_lowercase).collect())
}

/// Commands whose cases are left out on `program`: those of `missing.txt` for Rubrica, none for
/// another server.
///
/// # Errors
/// When the list cannot be read.
pub fn missing_for(program: &Program) -> Result<BTreeSet<String>> {
    if program.foreign { Ok(BTreeSet::new()) } else { read_list("missing.txt") }
}

/// Commands that `program` serves.
///
/// # Errors
/// When it does not start or answer.
pub fn served_by(program: &Program) -> Result<BTreeSet<String>> {
    let server = Server::start(program, &[])?;
    commands_served(&mut server.client()?)
}
