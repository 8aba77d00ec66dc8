//! The kinds of values that options have: how each is read from text and written back.

pub mod events;
pub(crate) mod number;
pub mod special;
pub mod words;

use crate::Files;
use crate::text::{quote, token};
use crate::value::Value;
use events::KeyspaceEvents;
use special::{CLASSES, OutputLimit, SavePoint};
use std::path::Path;

/// What kind of value an option has, with its bounds and its default.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the variants' descriptions name their fields")]
pub enum Kind {
    /// `yes` or `no`.
    Bool(bool),
    /// A whole number between `min` and `max`, both included.
    Int { min: i128, max: i128, default: i128 },
    /// Bytes, written with an optional unit: `100`, `1k` (1000), `1kb` (1024), `2mb`, `3gb`.
    Memory { min: i128, max: i128, default: i128 },
    /// Bytes as above, or a percentage of `maxmemory` up to 100 (`5%`).
    MemoryOrPercent { max: i128 },
    /// An octal number of at most `max`, 0 by default.
    Octal { max: i128 },
    /// One of the words, in any case. `same` lists words that mean another one.
    Word {
        words: &'static [&'static str],
        same: &'static [(&'static str, &'static str)],
        default: &'static str,
    },
    /// Any of the words together; the first one stands for none of the others, and is the default.
    Words(&'static [&'static str]),
    /// Text without NUL bytes. An empty `optional` text means that there is none.
    Text { default: &'static str, optional: bool },
    /// Any bytes, empty by default, which means none.
    Secret,
    /// Addresses.
    Bind(&'static [&'static str]),
    /// Save points: `<seconds> <changes>` pairs.
    Save(&'static [SavePoint]),
    /// Output buffer limits: `<class> <hard> <soft> <seconds>` groups.
    Limits([OutputLimit; 3]),
    /// Three values of `oom_score_adj`.
    Scores([i32; 3]),
    /// Percentiles.
    Percentiles(&'static [f64]),
    /// Classes of keyspace events, a letter each; none by default.
    Events,
    /// A directory that exists.
    Dir,
    /// The address of the primary: `<host> <port>`; none by default.
    Primary,
}

/// What reading a value needs to know besides its text.
pub(crate) struct Context<'a> {
    /// The outside.
    pub files: &'a dyn Files,
    /// The directory that relative paths start from.
    pub dir: &'a Path,
}

impl Kind {
    /// Whether the option takes any number of arguments. The others take exactly one.
    #[must_use]
    pub const fn is_multi(&self) -> bool {
        matches!(
            self,
            Self::Words(_)
                | Self::Bind(_)
                | Self::Save(_)
                | Self::Limits(_)
                | Self::Scores(_)
                | Self::Percentiles(_)
                | Self::Primary
        )
    }

    /// The default.
    #[must_use]
    pub fn default_value(&self) -> Value {
        match self {
            Self::Bool(default) => Value::Bool(*default),
            Self::Int { default, .. } | Self::Memory { default, .. } => Value::Int(*default),
            Self::MemoryOrPercent { .. } | Self::Octal { .. } => Value::Int(0),
            Self::Word { default, .. } => Value::Word(default),
            Self::Words(_) => Value::Words(Vec::new()),
            Self::Text { default, .. } => Value::Text((*default).to_owned()),
            Self::Secret => Value::Bytes(Vec::new()),
            Self::Bind(list) => Value::List(list.iter().map(|text| (*text).to_owned()).collect()),
            Self::Save(points) => Value::Save(points.to_vec()),
            Self::Limits(limits) => Value::Limits(*limits),
            Self::Scores(scores) => Value::Scores(*scores),
            Self::Percentiles(list) => Value::Percentiles(list.to_vec()),
            Self::Events => Value::Events(0),
            Self::Dir => Value::Text(".".to_owned()),
            Self::Primary => Value::Primary(None),
        }
    }

    /// Reads the arguments of an option whose value is `current`. The error is the sentence that
    /// Redis answers. A kind that is not multi gets exactly one argument.
    pub(crate) fn parse(
        &self,
        args: &[Vec<u8>],
        current: &Value,
        context: &Context<'_>,
    ) -> Result<Value, String> {
        let one = match args {
            [one] => one.as_slice(),
            _ if self.is_multi() => &[],
            _ => return Err("wrong number of arguments".into()),
        };
        Ok(match self {
            Self::Bool(_) => Value::Bool(parse_bool(one)?),
            Self::Int { .. } | Self::Memory { .. } | Self::Octal { .. } => {
                self.parse_number(one)?
            }
            Self::MemoryOrPercent { .. } => self.parse_number(one)?,
            Self::Word { words, same, .. } => Value::Word(parse_word(one, words, same)?),
            Self::Words(words) => parse_words(args, words)?,
            Self::Text { .. } => Value::Text(parse_text(one)?),
            Self::Secret => Value::Bytes(one.to_vec()),
            Self::Bind(_) => Value::List(special::parse_bind(args)?),
            Self::Save(_) => Value::Save(special::parse_save(args)?),
            Self::Limits(default) => {
                let current = if let Value::Limits(limits) = current { *limits } else { *default };
                Value::Limits(special::parse_limits(args, current)?)
            }
            Self::Scores(_) => Value::Scores(special::parse_scores(args)?),
            Self::Percentiles(_) => Value::Percentiles(special::parse_percentiles(args)?),
            Self::Events => KeyspaceEvents::parse(one)
                .map(|events| Value::Events(events.bits()))
                .ok_or("Invalid event class character. Use 'Ag$lshzxeKEtmdnoc'.")?,
            Self::Dir => Value::Text(parse_dir(one, context)?),
            Self::Primary => Value::Primary(special::parse_primary(args)?),
        })
    }

    /// Reads a number and checks its bounds.
    fn parse_number(&self, text: &[u8]) -> Result<Value, String> {
        let between = |number: i128, min: i128, max: i128| {
            if (min..=max).contains(&number) {
                Ok(Value::Int(number))
            } else {
                Err(format!("argument must be between {min} and {max} inclusive"))
            }
        };
        match *self {
            Self::Memory { min, max, .. } => {
                between(number::memory(text).ok_or("argument must be a memory value")?, min, max)
            }
            Self::MemoryOrPercent { max } => match (number::memory(text), number::percent(text)) {
                (Some(bytes), _) => between(bytes, 0, max),
                (None, Some(percent)) if percent > 100 => {
                    Err("percentage argument must be less or equal to 100".into())
                }
                (None, Some(percent)) => Ok(Value::Int(-percent)),
                (None, None) => Err("argument must be a memory or percent value".into()),
            },
            Self::Octal { max } => {
                let mode =
                    number::octal(text).ok_or("argument couldn't be parsed as an octal number")?;
                if mode <= max {
                    Ok(Value::Int(mode))
                } else {
                    Err(format!("argument must be between 0 and {max:o} inclusive"))
                }
            }
            Self::Int { min, max, .. } => {
                let parsed = number::integer(text);
                between(parsed.ok_or("argument couldn't be parsed into an integer")?, min, max)
            }
            _ => Err("argument couldn't be parsed into an integer".into()),
        }
    }

    /// The value as CONFIG GET answers it.
    #[must_use]
    pub fn text(&self, value: &Value) -> Vec<u8> {
        match (value, self) {
            (Value::Bool(yes), _) => yes_no(*yes).as_bytes().to_vec(),
            (Value::Int(mode), Self::Octal { .. }) => format!("{mode:o}").into_bytes(),
            (Value::Int(percent), Self::MemoryOrPercent { .. }) if *percent < 0 => {
                format!("{}%", -percent).into_bytes()
            }
            (Value::Int(number), _) => number.to_string().into_bytes(),
            (Value::Text(text), _) => text.as_bytes().to_vec(),
            (Value::Bytes(bytes), _) => bytes.clone(),
            (Value::Limits(limits), _) => {
                let class = |(name, limit): (&&str, &OutputLimit)| {
                    format!("{name} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_s)
                };
                let classes: Vec<String> = CLASSES.iter().zip(limits).map(class).collect();
                classes.join(" ").into_bytes()
            }
            (Value::Events(bits), _) => KeyspaceEvents::from_bits(*bits).letters().into_bytes(),
            (value, _) => self.arguments(value).join(" ").into_bytes(),
        }
    }

    /// The arguments of a value that consists of plain words.
    fn arguments(&self, value: &Value) -> Vec<String> {
        match value {
            Value::Word(word) => vec![(*word).to_owned()],
            Value::Words(words) => {
                let none = if let Self::Words([none, ..]) = self { *none } else { "" };
                let words = if words.is_empty() { &[none][..] } else { words };
                words.iter().map(|word| (*word).to_owned()).collect()
            }
            Value::List(list) => list.clone(),
            Value::Save(points) => {
                points.iter().map(|point| format!("{} {}", point.seconds, point.changes)).collect()
            }
            Value::Scores(scores) => scores.iter().map(ToString::to_string).collect(),
            Value::Percentiles(list) => {
                list.iter().copied().map(special::percentile_text).collect()
            }
            Value::Primary(Some(primary)) => vec![primary.host.clone(), primary.port.to_string()],
            _ => Vec::new(),
        }
    }

    /// The lines' contents after the option's name with which a configuration file says this
    /// value, each with whether it differs from the default. None for an absent value.
    pub(crate) fn lines(&self, value: &Value) -> Vec<(Vec<u8>, bool)> {
        let differs = *value != self.default_value();
        let line = match (value, self) {
            (Value::Text(text), Self::Text { optional: true, .. }) if text.is_empty() => {
                return Vec::new();
            }
            (Value::Bytes(bytes), _) if bytes.is_empty() => return Vec::new(),
            (Value::Primary(None), _) => return Vec::new(),
            (Value::Save(points), _) if !points.is_empty() => {
                let line = |point: &SavePoint| format!("{} {}", point.seconds, point.changes);
                return points.iter().map(|point| (line(point).into_bytes(), differs)).collect();
            }
            (Value::Limits(limits), Self::Limits(defaults)) => {
                return limit_lines(limits, defaults);
            }
            (Value::Int(bytes), Self::Memory { .. } | Self::MemoryOrPercent { .. })
                if *bytes >= 0 =>
            {
                number::memory_text(*bytes).into_bytes()
            }
            (Value::Text(text), _) => quote(text.as_bytes()),
            (Value::Bytes(bytes), _) => quote(bytes),
            (Value::Events(_), _) => quote(&self.text(value)),
            (Value::Bool(_) | Value::Int(_), _) => self.text(value),
            _ => {
                let tokens: Vec<Vec<u8>> =
                    self.arguments(value).iter().map(|text| token(text.as_bytes())).collect();
                if tokens.is_empty() { b"\"\"".to_vec() } else { tokens.join(&b' ') }
            }
        };
        vec![(line, differs)]
    }
}

fn limit_lines(limits: &[OutputLimit; 3], defaults: &[OutputLimit; 3]) -> Vec<(Vec<u8>, bool)> {
    let line = |((name, limit), default): ((&&str, &OutputLimit), &OutputLimit)| {
        let name = if *name == "slave" { "replica" } else { name };
        let hard = number::memory_text(i128::from(limit.hard_bytes));
        let soft = number::memory_text(i128::from(limit.soft_bytes));
        (format!("{name} {hard} {soft} {}", limit.soft_s).into_bytes(), limit != default)
    };
    CLASSES.iter().zip(limits).zip(defaults).map(line).collect()
}

/// `yes` or `no`.
pub(crate) fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn parse_bool(text: &[u8]) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_slice() {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => Err("argument must be 'yes' or 'no'".into()),
    }
}

fn parse_word(
    text: &[u8],
    words: &'static [&'static str],
    same: &'static [(&'static str, &'static str)],
) -> Result<&'static str, String> {
    let other = same.iter().find(|(word, _)| text.eq_ignore_ascii_case(word.as_bytes()));
    if let Some((_, meant)) = other {
        return Ok(meant);
    }
    let word = words.iter().find(|word| text.eq_ignore_ascii_case(word.as_bytes()));
    word.copied().ok_or_else(|| one_of(words))
}

fn parse_words(args: &[Vec<u8>], words: &'static [&'static str]) -> Result<Value, String> {
    let known = |arg: &Vec<u8>| words.iter().any(|word| arg.eq_ignore_ascii_case(word.as_bytes()));
    if args.is_empty() || !args.iter().all(known) {
        return Err(one_of(words));
    }
    let given = |word: &&&str| args.iter().any(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    Ok(Value::Words(words.iter().skip(1).filter(given).copied().collect()))
}

fn one_of(words: &[&str]) -> String {
    format!("argument(s) must be one of the following: {}", words.join(", "))
}

fn parse_text(text: &[u8]) -> Result<String, String> {
    if text.contains(&0) {
        return Err("argument must not contain a NUL byte".into());
    }
    String::from_utf8(text.to_vec()).map_err(|_| "argument must be valid UTF-8".into())
}

/// The absolute path of an existing directory.
fn parse_dir(text: &[u8], context: &Context<'_>) -> Result<String, String> {
    let path = context.dir.join(parse_text(text)?);
    let full = context.files.directory(&path).map_err(|error| crate::files::os_text(&error))?;
    full.into_os_string().into_string().map_err(|_| "argument must be valid UTF-8".into())
}
