//! The command line of the server, as lines of a configuration file.

use std::path::PathBuf;

/// Where the configuration comes from. The parts are read in this order, as one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// Whether standard input is read.
    pub stdin: bool,
    /// Further lines, in the syntax of the file: what the command line said.
    pub options: Vec<u8>,
}

impl Sources {
    /// Reads a command line without the program's name: an optional configuration file, `-` first
    /// or last for standard input, and `--name value ...`. A value may start with two dashes if it
    /// follows its option's name directly, and `"--name value"` may be one argument. A name without
    /// a value is found wrong when the lines are read, except for `save`, where it means none.
    #[must_use]
    pub fn from_args(args: &[Vec<u8>]) -> Self {
        let mut sources = Self::default();
        let mut first = 0;
        if let Some(file) = args.first()
            && !file.starts_with(b"-")
        {
            sources.file = Some(path(file));
            first = 1;
        }
        // Whether the last option has a value, so that dashes start the next one.
        let mut complete = true;
        for (index, arg) in args.iter().enumerate().skip(first) {
            let next = args.get(index + 1);
            if arg == b"-" && (index == 0 || next.is_none()) {
                sources.stdin = true;
                continue;
            }
            match arg.strip_prefix(b"--") {
                Some(name) if complete => complete = sources.start_option(name, next),
                _ => {
                    sources.options.extend_from_slice(&crate::text::quote(arg));
                    sources.options.push(b' ');
                    complete = true;
                }
            }
        }
        sources
    }

    /// Begins the line of an option; returns whether it has all its arguments already.
    fn start_option(&mut self, name: &[u8], next: Option<&Vec<u8>>) -> bool {
        if !self.options.is_empty() {
            self.options.push(b'\n');
        }
        self.options.extend_from_slice(name);
        self.options.push(b' ');
        if codec::quote::split_args(name).is_none_or(|parts| parts.len() != 1) {
            return true;
        }
        let option_follows = next.is_none_or(|arg| arg.starts_with(b"--"));
        if option_follows && name.eq_ignore_ascii_case(b"save") {
            self.options.extend_from_slice(b"\"\"");
            return true;
        }
        option_follows && next.is_some() && name.eq_ignore_ascii_case(b"sentinel")
    }
}

/// The path of these bytes.
fn path(bytes: &[u8]) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(args: &[&str]) -> String {
        let args: Vec<Vec<u8>> = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
        String::from_utf8(Sources::from_args(&args).options).unwrap()
    }

    #[test]
    fn pairs_become_lines() {
        let args = ["--port", "7777", "--save", "", "--save", "60", "1000", "--appendonly", "yes"];
        assert_eq!(
            lines(&args),
            "port \"7777\" \nsave \"\" \nsave \"60\" \"1000\" \nappendonly \"yes\" "
        );
        assert_eq!(
            lines(&["--maxmemory 700mb", "--loglevel 'debug'"]),
            "maxmemory 700mb \nloglevel 'debug' "
        );
    }

    #[test]
    fn a_value_may_start_with_dashes_once() {
        assert_eq!(
            lines(&["--port", "--bla", "--loglevel", "x"]),
            "port \"--bla\" \nloglevel \"x\" "
        );
        assert_eq!(lines(&["--replicaof", "--host", "--abc"]), "replicaof \"--host\" \nabc ");
    }

    #[test]
    fn save_without_a_value_means_none() {
        assert_eq!(lines(&["--save", "--loglevel", "debug"]), "save \"\"\nloglevel \"debug\" ");
        assert_eq!(lines(&["--save"]), "save \"\"");
        assert_eq!(lines(&["--port"]), "port ");
    }

    #[test]
    fn the_first_argument_may_be_a_file_and_a_dash_is_standard_input() {
        let args: Vec<Vec<u8>> =
            vec![b"a.conf".to_vec(), b"--port".to_vec(), b"1".to_vec(), b"-".to_vec()];
        let sources = Sources::from_args(&args);
        assert_eq!(sources.file, Some(PathBuf::from("a.conf")));
        assert!(sources.stdin);
        assert!(Sources::from_args(&[b"-".to_vec()]).stdin);
        assert!(!Sources::from_args(&[b"--port".to_vec(), b"-".to_vec(), b"x".to_vec()]).stdin);
    }
}
