//! Which commands the cases exercise, and which the server under test does not serve yet.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::case;
use crate::client::{Client, Got};
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

/// Commands that `program` lists.
///
/// # Errors
/// When it does not start or answer.
pub fn served_by(program: &Program) -> Result<BTreeSet<String>> {
    let server = Server::start(program, &[])?;
    commands_served(&mut server.client()?)
}

/// Which of `names` the program does not call unknown when it is sent them, whatever it lists.
///
/// # Errors
/// When it does not start or answer.
pub fn known_to(program: &Program, names: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let mut server = Server::start(program, &[])?;
    let mut known = BTreeSet::new();
    for name in names {
        let mut words: Vec<Vec<u8>> = name.split('|').map(|w| w.as_bytes().to_vec()).collect();
        if name == "shutdown" {
            // Alone it would be obeyed.
            words.extend([b"no".to_vec(), b"such".to_vec(), b"option".to_vec()]);
        }
        let mut client = server.client()?;
        client.send(&words);
        let unknown = match client.reply(Duration::from_secs(2))? {
            Got::Reply(Reply::Error(text)) => {
                let text = String::from_utf8_lossy(&text).to_lowercase();
                text.contains("unknown command") || text.contains("unknown subcommand")
            }
            _ => false,
        };
        if !unknown {
            known.insert(name.clone());
        }
        if !server.alive() {
            bail!("the server ended at {name}: {}", server.log_tail());
        }
    }
    Ok(known)
}

/// Every command that Rubrica is to serve and that can be told here: the reference's, and those
/// that cases tagged `since` send.
///
/// # Errors
/// When the reference does not start or a case file cannot be read.
pub fn wanted(reference: &Program) -> Result<BTreeSet<String>> {
    let mut names = served_by(reference)?;
    for path in case::all_paths()? {
        for case in &case::load(&path)?.cases {
            if case.tags.since.is_some() {
                names.extend(commands_of(case).filter(|name| !name.contains('|')));
            }
        }
    }
    Ok(names)
}

/// Writes `missing.txt` anew: the wanted commands that the server under test does not know.
/// Answers how many.
///
/// # Errors
/// When a server does not start or the file cannot be written.
pub fn write_missing(tested: &Program, reference: &Program) -> Result<usize> {
    let wanted = wanted(reference)?;
    let known = known_to(tested, &wanted)?;
    let missing: Vec<&String> = wanted.difference(&known).collect();
    let mut text =
        "# Commands that Rubrica does not serve yet. Cases that send one are left out.\n# `cargo run -p suite -- missing` writes this file.\n"
            .to_owned();
    for name in &missing {
        text.push_str(name);
        text.push('\n');
    }
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("missing.txt"), text)?;
    Ok(missing.len())
}
