//! Reading configuration text.

use std::path::{Path, PathBuf};

use crate::files::{expand, is_pattern};
use crate::kind::{Context, Kind};
use crate::text::{printable, trim};
use crate::value::Value;
use crate::{Config, ConfigError, Files, Opt, Sources};

/// Files within files.
const MAX_INCLUDE_DEPTH: usize = 16;
/// Files altogether, so that files which include each other twice end soon, too.
const MAX_INCLUDES: usize = 1000;
/// Options of former versions, accepted with one argument and forgotten.
pub(crate) const FORMER: [&str; 4] = [
    "list-max-ziplist-entries",
    "list-max-ziplist-value",
    "lua-replicate-commands",
    "gopher-enabled",
];
/// How the names of options start that belong to modules which Redis 8 brings along.
const MODULE_PREFIXES: [&str; 4] = ["search-", "ts-", "bf-", "cf-"];

/// Whether a name in lower case is an option of a module.
pub(crate) fn is_module_option(name: &str) -> bool {
    name.contains('.') || MODULE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// A line that is no option: its arguments, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The arguments after the directive's name; with the name for options of modules.
    pub args: Vec<Vec<u8>>,
    /// The included file that contains the line, as in [`ConfigError::Line`].
    pub file: Option<PathBuf>,
    /// The number of the line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

impl Directive {
    /// The error that this line is wrong, for what only the server can check.
    #[must_use]
    pub fn error(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::Line {
            file: self.file.clone(),
            line: self.line,
            text: self.text.clone(),
            message: message.into(),
        }
    }
}

impl Config {
    /// Reads the sources over the defaults.
    ///
    /// # Errors
    /// A file that cannot be read, the first line that is wrong, or options that do not go
    /// together.
    pub fn load(sources: &Sources, files: &dyn Files) -> Result<Self, ConfigError> {
        let mut text = Vec::new();
        let open = |path: &Path, error| ConfigError::Open { path: path.to_owned(), error };
        if let Some(path) = &sources.file {
            text = files.read(path).map_err(|error| open(path, error))?;
        }
        if sources.stdin {
            end_line(&mut text);
            text.extend(files.stdin().map_err(|error| open(Path::new("-"), error))?);
        }
        if !sources.options.is_empty() {
            // As Redis does, so that the numbers of lines agree.
            text.push(b'\n');
            text.extend_from_slice(&sources.options);
        }
        let config = Self::parse(&text, files)?;
        Ok(Self { file: sources.file.clone(), ..config })
    }

    /// Reads configuration text over the defaults.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &[u8], files: &dyn Files) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(files)?;
        reader.read(text, None, 0)?;
        reader.finish()
    }
}

/// Ends an unfinished last line.
fn end_line(text: &mut Vec<u8>) {
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
}

/// Reading in progress.
struct Reader<'a> {
    config: Config,
    files: &'a dyn Files,
    /// Where relative paths start: the directory of the process, then what `dir` says.
    dir: PathBuf,
    /// Whether a `save` line has replaced the default save points.
    save_seen: bool,
    includes: usize,
}

/// A line and where it stands.
struct Line<'a> {
    file: Option<&'a Path>,
    number: usize,
    text: &'a [u8],
    /// The value is not for other eyes.
    secret: bool,
}

impl Line<'_> {
    fn shown(&self) -> String {
        if self.secret {
            let name = self.text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
            return format!("{} (hidden)", printable(name));
        }
        printable(self.text)
    }

    fn error(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::Line {
            file: self.file.map(Path::to_owned),
            line: self.number,
            text: self.shown(),
            message: message.into(),
        }
    }

    fn directive(&self, args: &[Vec<u8>]) -> Directive {
        Directive {
            args: args.to_vec(),
            file: self.file.map(Path::to_owned),
            line: self.number,
            text: self.shown(),
        }
    }
}

impl<'a> Reader<'a> {
    fn new(files: &'a dyn Files) -> Result<Self, ConfigError> {
        let mut config = Config::default();
        let dir = files
            .directory(Path::new("."))
            .map_err(|error| ConfigError::Open { path: PathBuf::from("."), error })?;
        config.dir = dir.to_string_lossy().into_owned();
        Ok(Self { config, files, dir, save_seen: false, includes: 0 })
    }

    /// Reads all lines of a text.
    fn read(&mut self, text: &[u8], file: Option<&Path>, depth: usize) -> Result<(), ConfigError> {
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let text = trim(line);
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            let mut line = Line { file, number: index + 1, text, secret: false };
            let args = codec::quote::split_args(text)
                .ok_or_else(|| line.error("Unbalanced quotes in configuration line"))?;
            let Some((name, args)) = args.split_first() else { continue };
            match crate::find(name) {
                Some(option) => {
                    line.secret = option.flags.sensitive;
                    self.option(option, args).map_err(|message| line.error(message))?;
                }
                None => self.directive(&line, name, args, depth)?,
            }
        }
        Ok(())
    }

    /// Sets an option from a line's arguments.
    fn option(&mut self, option: &Opt, args: &[Vec<u8>]) -> Result<(), String> {
        let context = Context { files: self.files, dir: &self.dir };
        let current = option.value(&self.config);
        let split;
        let args = match args {
            [one] if option.kind.is_multi() && !one.is_empty() => {
                split = codec::quote::split_args(one)
                    .ok_or("Unbalanced quotes in configuration line")?;
                &split
            }
            args => args,
        };
        let mut value = option.read(args, &current, &context, true)?;
        if let Value::Save(new) = &mut value {
            // The first line replaces the defaults, further ones add to it.
            if let Value::Save(before) = current
                && self.save_seen
                && !new.is_empty()
            {
                new.splice(0..0, before);
            }
            self.save_seen = true;
        }
        if let (Kind::Dir, Value::Text(dir)) = (&option.kind, &value) {
            self.dir = PathBuf::from(dir);
        }
        if option.put(&mut self.config, value) { Ok(()) } else { Err("Invalid argument".into()) }
    }

    /// Reads a line that sets no option of the server.
    fn directive(
        &mut self,
        line: &Line<'_>,
        name: &[u8],
        args: &[Vec<u8>],
        depth: usize,
    ) -> Result<(), ConfigError> {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        match (name.as_str(), args) {
            ("include", [path]) => return self.include(line, path, depth),
            ("rename-command", [_, _]) => self.config.renames.push(line.directive(args)),
            ("user", [_, ..]) => self.config.users.push(line.directive(args)),
            ("role", [_, ..]) => self.config.roles.push(line.directive(args)),
            ("loadmodule", [_, ..]) => self.config.modules.push(line.directive(args)),
            ("sentinel", []) => {}
            ("sentinel", _) => {
                return Err(line.error("sentinel directive while not in sentinel mode"));
            }
            (former, [_]) if FORMER.contains(&former) => {}
            (other, _) if is_module_option(other) => {
                if args.is_empty() {
                    return Err(line.error("Module config specified without value"));
                }
                let mut all = vec![other.as_bytes().to_vec()];
                all.extend_from_slice(args);
                self.config.module_options.push(line.directive(&all));
            }
            _ => return Err(line.error("Bad directive or wrong number of arguments")),
        }
        Ok(())
    }

    /// Reads another file, or all files that a pattern matches, in order.
    fn include(&mut self, line: &Line<'_>, path: &[u8], depth: usize) -> Result<(), ConfigError> {
        let Ok(name) = std::str::from_utf8(path) else {
            return Err(line.error("argument must be valid UTF-8"));
        };
        if depth >= MAX_INCLUDE_DEPTH {
            return Err(line.error("Too many files that include each other"));
        }
        let path = self.dir.join(name);
        let paths = if is_pattern(name) { expand(self.files, &path) } else { vec![path] };
        for path in paths {
            self.includes += 1;
            if self.includes > MAX_INCLUDES {
                return Err(line.error("Too many included files"));
            }
            let text = self
                .files
                .read(&path)
                .map_err(|error| ConfigError::Open { path: path.clone(), error })?;
            self.read(&text, Some(&path), depth + 1)?;
        }
        Ok(())
    }

    /// Checks what concerns several options.
    fn finish(self) -> Result<Config, ConfigError> {
        let config = &self.config;
        let has = |name, value| config.other(name).is_some_and(|found| found == value);
        if has("cluster-enabled", Value::Bool(true)) && !has("replicaof", Value::Primary(None)) {
            let message = "replicaof directive not allowed in cluster mode".to_owned();
            return Err(ConfigError::Whole { message });
        }
        Ok(self.config)
    }
}

#[cfg(test)]
mod tests;
