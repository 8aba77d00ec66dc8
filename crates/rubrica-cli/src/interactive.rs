//! Reading commands from standard input: with a prompt, history, completion and hints on a terminal,
//! line by line otherwise.

mod catalog;
mod complete;
mod files;
mod help;
mod hints;
pub mod interrupt;
mod secret;

use crate::args::leading_integer;
use crate::output::Format;
use crate::quoting::split_words;
use crate::session::{Report, Session, Stop};
use catalog::Catalog;
use complete::Assistant;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Cmd, CompletionType, Config, Editor, EventHandler, KeyCode, KeyEvent, Modifiers};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use secret::ask_password;

/// Commands that take longer than this have their time shown.
const WORTH_TELLING: Duration = Duration::from_millis(500);

/// Reads and runs commands until the end of the input, `quit`, or Ctrl-C at the prompt.
pub fn run(session: &mut Session) -> Result<(), Stop> {
    session.make_interactive();
    // Nothing is lost: the next command tries again.
    let _ = session.connect(Report::Loud);
    if std::io::stdin().is_terminal() { on_terminal(session) } else { from_pipe(session) }
}

/// Prints help if the command asks for it; false when it is for the server.
pub fn answer_help(session: &mut Session, words: &[Vec<u8>]) -> bool {
    let Some((first, topics)) = words.split_first() else { return false };
    if !first.eq_ignore_ascii_case(b"help") && first != b"?" {
        return false;
    }
    if topics.is_empty() {
        print!("{}", help::general());
    } else {
        let catalog = Catalog::fetch(session);
        print!("{}", help::about(&catalog, topics));
    }
    let _ = std::io::stdout().flush();
    true
}

fn from_pipe(session: &mut Session) -> Result<(), Stop> {
    let mut input = std::io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
            return Ok(());
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let mut hints = true;
        if execute(session, line, &mut hints)? == Next::Quit {
            return Ok(());
        }
    }
}

fn on_terminal(session: &mut Session) -> Result<(), Stop> {
    let config = Config::builder()
        .completion_type(CompletionType::Circular)
        .history_ignore_space(false)
        .auto_add_history(false)
        // Pasted lines run one by one instead of becoming one long line.
        .bracketed_paste(false)
        .build();
    let history = files::history();
    let mut editor = Editor::with_config(config).map_err(|error| {
        eprintln!("Error: {error}");
        Stop::Exit(1)
    })?;
    editor.set_helper(Some(Assistant::new(Catalog::fetch(session))));
    editor.bind_sequence(
        KeyEvent(KeyCode::Char('L'), Modifiers::CTRL),
        EventHandler::Simple(Cmd::ClearScreen),
    );
    if let Some(path) = &history {
        // There is none before the first use.
        let _ = editor.load_history(path);
    }
    let mut hints = true;
    for line in files::preferences() {
        prefer(&line, &mut hints, "preferences file: ");
    }
    loop {
        if let Some(assistant) = editor.helper_mut() {
            assistant.hints = hints;
        }
        let line = match editor.readline(&session.prompt()) {
            Ok(line) => line,
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => return Ok(()),
            Err(error) => {
                eprintln!("Error: {error}");
                return Err(Stop::Exit(1));
            }
        };
        remember(&mut editor, history.as_ref(), &line);
        let was_connected = session.is_connected();
        if execute(session, line.as_bytes(), &mut hints)? == Next::Quit {
            return Ok(());
        }
        let moved = !was_connected && session.is_connected();
        if let Some(assistant) = editor.helper_mut()
            && (moved || assistant.catalog.is_empty())
            && !session.in_transaction()
        {
            assistant.catalog = Catalog::fetch(session);
        }
    }
}

fn remember(editor: &mut Editor<Assistant, FileHistory>, path: Option<&PathBuf>, line: &str) {
    let words = split_words(line.as_bytes()).unwrap_or_default();
    let (_, words) = repetition(&words);
    if line.is_empty() || secret::is_sensitive(words) {
        return;
    }
    let added = editor.add_history_entry(line).unwrap_or(false);
    if let Some(path) = path.filter(|_| added) {
        // A history that cannot be saved is no reason to stop.
        let _ = editor.append_history(path);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Continue,
    Quit,
}

/// Runs one line; only what ends the process is an error.
fn execute(session: &mut Session, line: &[u8], hints: &mut bool) -> Result<Next, Stop> {
    let Some(words) = split_words(line) else {
        println!("Invalid argument(s)");
        return Ok(Next::Continue);
    };
    let Some(first) = words.first().map(|word| word.to_ascii_lowercase()) else {
        return Ok(Next::Continue);
    };
    let (repeat, command) = repetition(&words);
    let Some(repeat) = repeat else {
        println!("Invalid rubrica-cli repeat command option value.");
        return Ok(Next::Continue);
    };
    match (first.as_slice(), words.as_slice()) {
        (b"quit" | b"exit", _) => return Ok(Next::Quit),
        ([b':', ..], _) => prefer(line, hints, ""),
        (b"connect", [_, host, port]) => {
            session.options.host = String::from_utf8_lossy(host).into_owned();
            session.options.port = u16::try_from(leading_integer(port)).unwrap_or(0);
            let _ = session.connect(Report::Loud);
        }
        (b"clear", [_]) => print!("\x1b[H\x1b[2J"),
        _ => {
            if answer_help(session, command) {
                return Ok(Next::Continue);
            }
            let begun = Instant::now();
            match session.issue(command, repeat) {
                Ok(()) | Err(Stop::Failed) => {}
                Err(stop) => return Err(stop),
            }
            let taken = begun.elapsed();
            if taken >= WORTH_TELLING && session.options.style.format == Format::Standard {
                println!("({:.2}s)", taken.as_secs_f64());
            }
        }
    }
    let _ = std::io::stdout().flush();
    Ok(Next::Continue)
}

/// How often a line's command runs, and the command: `5 incr x`. `None` when the number is not
/// positive.
fn repetition(words: &[Vec<u8>]) -> (Option<i64>, &[Vec<u8>]) {
    let Some((first, rest)) = words.split_first() else { return (Some(1), words) };
    let digits = first.strip_prefix(b"-").unwrap_or(first);
    if rest.is_empty() || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return (Some(1), words);
    }
    let number = std::str::from_utf8(first).ok().and_then(|text| text.parse::<i64>().ok());
    (number.filter(|number| *number > 0), rest)
}

/// `:set hints` and `:set nohints`; `origin` precedes a complaint.
fn prefer(line: &[u8], hints: &mut bool, origin: &str) {
    let words = split_words(line).unwrap_or_default();
    let words: Vec<String> =
        words.iter().map(|word| String::from_utf8_lossy(word).to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => {}
        [":set", "hints", ..] => *hints = true,
        [":set", "nohints", ..] => *hints = false,
        [":set", other, ..] => println!("{origin}unknown rubrica-cli preference '{other}'"),
        [other, ..] => println!("{origin}unknown rubrica-cli internal command '{other}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_before_a_command_repeats_it() {
        let words = |line: &str| split_words(line.as_bytes()).unwrap();
        assert_eq!(repetition(&words("5 incr x")).0, Some(5));
        assert_eq!(repetition(&words("5 incr x")).1.len(), 2);
        assert_eq!(repetition(&words("0 incr x")).0, None);
        assert_eq!(repetition(&words("-1 incr x")).0, None);
        assert_eq!(repetition(&words("99999999999999999999 incr x")).0, None);
        assert_eq!(repetition(&words("5")).1.len(), 1);
        assert_eq!(repetition(&words("5a b")).1.len(), 2);
    }
}
