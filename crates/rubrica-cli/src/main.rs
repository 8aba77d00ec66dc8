//! The command-line client: one command, one of the sampling modes, or commands typed by a user.
//!
//! Options, texts and exit statuses are those of redis-cli, so that scripts written for it go on
//! working; what a user sees of commands (help, hints, completion) comes from the server's
//! COMMAND DOCS, so the client holds no table of commands.

#![forbid(unsafe_code)]

mod args;
mod connection;
mod interactive;
mod output;
mod quoting;
mod reply;
mod session;

use args::{Options, Parsed, StdinArgument};
use session::{Report, Session, Stop};
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
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
    let mut session = Session::new(options);
    // A failure to connect is reported when the command is tried.
    let _ = session.connect(Report::Quiet);
    exit(one_command(&mut session, command))
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
