use command::{Args, Error};

/// The rules of SETUSER and SETROLE.
pub fn words(args: Args<'_>) -> Vec<&[u8]> {
    args.iter_from(3).collect()
}

/// The error that a rule is wrong; `command` is the subcommand in upper case.
pub fn refused(error: &acl::SetError, command: &str) -> Error {
    Error::new(format!("ERR {}", error.text(command)))
}
