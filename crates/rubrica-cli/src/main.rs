//! The command-line client: one command, one of the sampling modes, or commands typed by a user.
//!
//! Options, texts and exit statuses are those of redis-cli, so that scripts written for it go on
//! working; what a user sees of commands (help, hints, completion) comes from the server's
//! COMMAND DOCS, so the client holds no table of commands.

#![forbid(unsafe_code)]

mod args;
mod connection;
mod interactive;
mod modes;
mod output;
mod quoting;
mod session;

use args::{Options, Parsed, StdinArgument};
use session::{Report, Session, Stop};
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::ExitCode;

/// The password, when no option gives one.
const PASSWORD_VARIABLE: &str = "REDISCLI_AUTH";

fn main() -> ExitCode {
    let words = std::env::args_os().skip(1).map(OsStringExt::into_vec).collect();
    match args::parse(words, Options::on_terminal()) {
        Ok(Parsed::Run(options, command)) => run(*options, command),
        Ok(Parsed::Print(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut options: Options, command: Vec<Vec<u8>>) -> ExitCode {
    if options.password_warning && options.password.is_some() {
        eprintln!(
            "Warning: Using a password with '-a' or '-u' option on the command line interface \
             may not be safe."
        );
    }
    if options.password.is_none() {
        options.password = std::env::var_os(PASSWORD_VARIABLE).map(OsStringExt::into_vec);
    }
    if options.ask_password {
        options.password = interactive::ask_password();
    }
    let mode = options.mode;
    let mut session = Session::new(options);
    if let Some(mode) = mode {
        return run_mode(mode, &mut session);
    }
    if session.options.eval.is_some() {
        return exit(eval(&mut session, &command));
    }
    if command.is_empty() {
        return exit(interactive::run(&mut session));
    }
    // A failure to connect is reported when the command is tried.
    let _ = session.connect(Report::Quiet);
    exit(one_command(&mut session, command))
}

fn run_mode(mode: args::Mode, session: &mut Session) -> ExitCode {
    match modes::run(mode, session) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match error.downcast_ref::<modes::Silent>() {
                Some(_) => {}
                None => eprintln!("{error}"),
            }
            ExitCode::FAILURE
        }
    }
}

/// `--eval file key ... , arg ...`: the words before the lone comma are keys.
fn eval(session: &mut Session, words: &[Vec<u8>]) -> Result<(), Stop> {
    session.connect(Report::Loud)?;
    let path = session.options.eval.clone().unwrap_or_default();
    let script = std::fs::read(OsStr::from_bytes(&path)).map_err(|error| {
        let path = String::from_utf8_lossy(&path);
        eprintln!("Can't open file '{path}': {}", connection::system_text(&error));
        Stop::Exit(1)
    })?;
    let comma = words.iter().position(|word| word == b",");
    let keys = words.iter().take(comma.unwrap_or(words.len()));
    let arguments = words.iter().skip(comma.map_or(words.len(), |comma| comma + 1));
    let mut command = vec![b"EVAL".to_vec(), script, keys.len().to_string().into_bytes()];
    command.extend(keys.chain(arguments).cloned());
    session.issue(&command, session.options.repeat)
}

fn exit(result: Result<(), Stop>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failed) => ExitCode::FAILURE,
        Err(Stop::Exit(status)) => ExitCode::from(status),
    }
}

fn one_command(session: &mut Session, mut command: Vec<Vec<u8>>) -> Result<(), Stop> {
    if session.options.quoted_input {
        let unquoted: Option<Vec<_>> = command.iter().map(|word| quoting::unquote(word)).collect();
        let Some(unquoted) = unquoted else {
            println!("Invalid quoted string");
            return Err(Stop::Failed);
        };
        command = unquoted;
    }
    match session.options.stdin_argument.clone() {
        Some(StdinArgument::Last) => command.push(standard_input()?),
        Some(StdinArgument::Tag(tag)) => {
            let Some(word) = command.iter_mut().find(|word| **word == tag) else {
                eprintln!("Using -X option but stdin tag not match.");
                return Err(Stop::Failed);
            };
            *word = standard_input()?;
        }
        None => {}
    }
    if interactive::answer_help(session, &command) {
        return Ok(());
    }
    session.issue(&command, session.options.repeat)
}

fn standard_input() -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| {
        eprintln!("Reading from standard input: {}", connection::system_text(&error));
        Stop::Exit(1)
    })?;
    Ok(bytes)
}
