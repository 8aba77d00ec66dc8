//! The notation of [`Spec::syntax`](crate::Spec::syntax), read into the tree of arguments that
//! `COMMAND DOCS`, hints and generators of commands work on.
//!
//! | notation | meaning |
//! |---|---|
//! | `name`, `name:type` | an argument; a type is `string` (when none is given), `integer`, `double`, `key`, `pattern` or `unix-time` |
//! | `WORD`, `=`, `$`, `""` | a token: anything without a lower-case letter |
//! | `WORD name` | an argument behind its token |
//! | `[...]` | optional |
//! | `(a \| b)` | one of several |
//! | `(a b)` | a group |
//! | `item...` | repeated; `[WORD name]...` repeats the token, too |
//! | `name=(...)`, `name=[...]`, `name=WORD` | a name for what follows; a token may have lower case here |
//! | `name:key@2` | a key that the third key specification finds |
//!
//! Arguments whose names begin with `key`, `source` or `dest` are keys; the nth of them belongs to
//! the nth key specification. A group whose first item has a token and whose others are plain
//! arguments has that token itself: `[LIMIT offset count]`. `key [key ...]` and `key value [key value ...]`
//! are other ways to write `key...` and `(key value)...`.

use std::borrow::Cow;
use std::fmt;

/// An argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// What documentation calls it.
    pub name: Cow<'static, str>,
    /// What it is.
    pub kind: ArgKind,
    /// The word before it; of [`ArgKind::Token`], the word itself.
    pub token: Option<&'static str>,
    /// It may be left out.
    pub optional: bool,
    /// It may be repeated.
    pub multiple: bool,
    /// Each repetition has the token.
    pub multiple_token: bool,
    /// Of keys: the index of the key specification that finds it.
    pub key_spec: Option<usize>,
}

/// What an argument is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// Any bytes.
    String,
    /// A 64-bit integer.
    Integer,
    /// A double.
    Double,
    /// A key.
    Key,
    /// A glob.
    Pattern,
    /// Seconds or milliseconds since the epoch.
    UnixTime,
    /// A word that stands for itself.
    Token,
    /// One of these.
    OneOf(Vec<Arg>),
    /// All of these, in order.
    Block(Vec<Arg>),
}

impl ArgKind {
    /// The name that `COMMAND DOCS` gives.
    pub fn name(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Key => "key",
            Self::Pattern => "pattern",
            Self::UnixTime => "unix-time",
            Self::Token => "pure-token",
            Self::OneOf(_) => "oneof",
            Self::Block(_) => "block",
        }
    }

    fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "integer" => Self::Integer,
            "double" => Self::Double,
            "key" => Self::Key,
            "pattern" => Self::Pattern,
            "unix-time" => Self::UnixTime,
            _ => return None,
        })
    }
}

/// Where a syntax is wrong, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Byte offset.
    pub at: usize,
    /// What is wrong.
    pub reason: &'static str,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.at)
    }
}

impl std::error::Error for SyntaxError {}

/// Reads a syntax; `key_specs` is the number of the command's key specifications.
///
/// # Errors
/// The first place that is no such notation.
pub fn parse(syntax: &'static str, key_specs: usize) -> Result<Vec<Arg>, SyntaxError> {
    let mut parser = Parser { lexemes: lex(syntax)?, next: 0, key_specs, keys: 0, depth: 0 };
    let args = parser.sequence()?;
    match parser.peek() {
        None => Ok(args),
        Some(_) => Err(parser.error("a bracket or bar without its opening one")),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lexeme {
    Open,
    Close,
    OpenOptional,
    CloseOptional,
    Bar,
    Dots,
    /// `name=` before a bracket.
    Name(&'static str),
    Word(&'static str),
}

fn lex(syntax: &'static str) -> Result<Vec<(usize, Lexeme)>, SyntaxError> {
    let mut lexemes = Vec::new();
    let mut at = 0;
    while let Some(rest) = syntax.get(at..).filter(|rest| !rest.is_empty()) {
        let single = match rest.as_bytes().first() {
            Some(b' ') => {
                at += 1;
                continue;
            }
            Some(b'(') => Some(Lexeme::Open),
            Some(b')') => Some(Lexeme::Close),
            Some(b'[') => Some(Lexeme::OpenOptional),
            Some(b']') => Some(Lexeme::CloseOptional),
            Some(b'|') => Some(Lexeme::Bar),
            _ => None,
        };
        let (lexeme, len) = match single {
            Some(lexeme) => (lexeme, 1),
            None if rest.starts_with("...") => (Lexeme::Dots, 3),
            None => {
                let end = rest.find([' ', '(', ')', '[', ']', '|']).unwrap_or(rest.len());
                let word = &rest[..end];
                let word = word.strip_suffix("...").unwrap_or(word);
                match word.strip_suffix('=').filter(|name| is_name(name)) {
                    Some(name) if rest[word.len()..].starts_with(['(', '[']) => {
                        (Lexeme::Name(name), word.len())
                    }
                    _ => (Lexeme::Word(word), word.len()),
                }
            }
        };
        if len == 0 {
            return Err(SyntaxError { at, reason: "an empty word" });
        }
        lexemes.push((at, lexeme));
        at += len;
    }
    Ok(lexemes)
}

/// Whether a word names an argument rather than being a token.
fn is_name(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Groups within groups.
const DEPTH_MAX: usize = 16;

struct Parser {
    lexemes: Vec<(usize, Lexeme)>,
    next: usize,
    key_specs: usize,
    /// Keys met so far.
    keys: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<Lexeme> {
        self.lexemes.get(self.next).map(|(_, lexeme)| *lexeme)
    }

    fn take(&mut self, wanted: Lexeme) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    fn error(&self, reason: &'static str) -> SyntaxError {
        let last = self.lexemes.last().map_or(0, |(at, _)| *at);
        SyntaxError { at: self.lexemes.get(self.next).map_or(last, |(at, _)| *at), reason }
    }

    /// Items up to a closing bracket, a bar or the end.
    fn sequence(&mut self) -> Result<Vec<Arg>, SyntaxError> {
        let mut items = Vec::new();
        while let Some(lexeme) = self.peek() {
            if matches!(lexeme, Lexeme::Close | Lexeme::CloseOptional | Lexeme::Bar) {
                break;
            }
            let keys = self.keys;
            let item = self.item()?;
            match repeats(&items, &item) {
                Some(count) => {
                    self.keys = keys;
                    let first = items.split_off(items.len() - count);
                    items.push(Arg {
                        multiple: true,
                        multiple_token: item.multiple_token,
                        ..one(first)
                    });
                }
                None => items.push(item),
            }
        }
        Ok(items)
    }

    /// One item with its token and its dots.
    fn item(&mut self) -> Result<Arg, SyntaxError> {
        let mut arg = self.bare_item()?;
        if self.take(Lexeme::Dots) {
            arg.multiple = true;
        }
        Ok(arg)
    }

    fn bare_item(&mut self) -> Result<Arg, SyntaxError> {
        let name = match self.peek() {
            Some(Lexeme::Name(name)) => {
                self.next += 1;
                Some(name)
            }
            _ => None,
        };
        match self.peek() {
            Some(Lexeme::Open) => self.group(name, Lexeme::Close),
            Some(Lexeme::OpenOptional) => {
                let mut arg = self.group(name, Lexeme::CloseOptional)?;
                arg.optional = true;
                // `[WORD name]...` repeats the token with the argument.
                arg.multiple_token = arg.token.is_some()
                    && arg.kind != ArgKind::Token
                    && self.peek() == Some(Lexeme::Dots);
                Ok(arg)
            }
            Some(Lexeme::Word(word)) => {
                self.next += 1;
                self.word(word)
            }
            _ => Err(self.error("an argument or a token is missing")),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<Arg, SyntaxError> {
        if is_name(word) {
            return match word.split_once('=') {
                Some((name, token)) if is_name(name) && !token.is_empty() => {
                    Ok(token_arg(Cow::Borrowed(name), token))
                }
                _ => self.argument(word),
            };
        }
        // A token belongs to the argument or group right behind it.
        let bound = match self.peek() {
            Some(Lexeme::Word(next)) => is_name(next) && !next.contains('='),
            Some(Lexeme::Open | Lexeme::Name(_)) => true,
            _ => false,
        };
        if !bound {
            return Ok(token_arg(Cow::Owned(word.to_ascii_lowercase()), word));
        }
        let mut arg = self.bare_item()?;
        if arg.token.is_some() {
            arg = block(None, vec![token_arg(Cow::Owned(word.to_ascii_lowercase()), word), arg]);
        } else {
            arg.token = Some(word);
        }
        Ok(arg)
    }

    /// `name`, `name:type`, `name:type@spec`.
    fn argument(&mut self, word: &'static str) -> Result<Arg, SyntaxError> {
        let (word, spec) = match word.split_once('@') {
            Some((word, spec)) => {
                let number = spec.parse::<usize>();
                (word, Some(number.map_err(|_| self.error("a key specification's number"))?))
            }
            None => (word, None),
        };
        let is_key =
            |name: &str| ["key", "source", "dest"].iter().any(|begin| name.starts_with(begin));
        let (name, kind) = match word.split_once(':') {
            Some((name, kind)) => {
                let kind = ArgKind::by_name(kind);
                (name, kind.ok_or_else(|| self.error("an unknown type of argument"))?)
            }
            None if is_key(word) => (word, ArgKind::Key),
            None => (word, ArgKind::String),
        };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte)) {
            return Err(self.error("a name with other characters than letters, digits, -, _ and /"));
        }
        let mut arg = plain(Cow::Borrowed(name), kind);
        if arg.kind == ArgKind::Key {
            arg.key_spec = self.key_specs.checked_sub(1).map(|last| self.keys.min(last));
            self.keys += 1;
        }
        arg.key_spec = spec.or(arg.key_spec);
        Ok(arg)
    }

    fn group(&mut self, name: Option<&'static str>, end: Lexeme) -> Result<Arg, SyntaxError> {
        self.next += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("too many brackets within each other"));
        }
        let mut choices = Vec::new();
        loop {
            // The alternatives' keys share their key specifications only when told so with `@`.
            let items = self.sequence()?;
            if items.is_empty() {
                return Err(self.error("nothing between brackets or bars"));
            }
            choices.push(items);
            if !self.take(Lexeme::Bar) {
                break;
            }
        }
        if !self.take(end) {
            return Err(self.error("a bracket is not closed"));
        }
        self.depth -= 1;
        let name = name.map(Cow::Borrowed);
        Ok(match (choices.len(), choices.pop()) {
            (1, Some(items)) => match <[Arg; 1]>::try_from(items) {
                Ok([only]) if name.is_none() && !only.optional => only,
                Ok([only]) => block(name, vec![only]),
                Err(items) => hoisted(name, items),
            },
            (_, last) => {
                choices.extend(last);
                let choices: Vec<Arg> = choices.into_iter().map(one).collect();
                let name = name.unwrap_or_else(|| joined(&choices));
                plain(name, ArgKind::OneOf(choices))
            }
        })
    }
}

/// The number of items at the end that `[item ...]` repeats, if it does.
fn repeats(items: &[Arg], again: &Arg) -> Option<usize> {
    if !again.optional {
        return None;
    }
    let (group, dots) = match &again.kind {
        ArgKind::Block(group) if again.token.is_none() => {
            (group.as_slice(), again.multiple || group.last().is_some_and(|last| last.multiple))
        }
        _ => (std::slice::from_ref(again), again.multiple),
    };
    let last = items.get(items.len().checked_sub(group.len())?..)?;
    let same = |one: &Arg, other: &Arg| {
        one.name == other.name
            && one.kind.name() == other.kind.name()
            && one.token == other.token
            && !one.optional
            && !one.multiple
    };
    let all_same = last.iter().zip(group).all(|(one, other)| same(one, other));
    (dots && all_same).then_some(group.len())
}

/// An alternative: its only item, or a block of its items.
fn one(items: Vec<Arg>) -> Arg {
    match <[Arg; 1]>::try_from(items) {
        Ok([only]) => only,
        Err(items) => hoisted(None, items),
    }
}

/// A block of items, with the first one's token when the others are plain arguments.
fn hoisted(name: Option<Cow<'static, str>>, mut items: Vec<Arg>) -> Arg {
    let is_plain = |arg: &Arg| {
        !arg.optional && !matches!(arg.kind, ArgKind::Token | ArgKind::OneOf(_) | ArgKind::Block(_))
    };
    let others_plain = items.iter().skip(1).all(|arg| is_plain(arg) && arg.token.is_none());
    let token = match items.first_mut() {
        Some(first) if others_plain && is_plain(first) => first.token.take(),
        _ => None,
    };
    Arg { token, ..block(name, items) }
}

fn block(name: Option<Cow<'static, str>>, items: Vec<Arg>) -> Arg {
    plain(name.unwrap_or_else(|| joined(&items)), ArgKind::Block(items))
}

fn joined(items: &[Arg]) -> Cow<'static, str> {
    Cow::Owned(items.iter().map(|item| item.name.as_ref()).collect::<Vec<_>>().join("_"))
}

fn token_arg(name: Cow<'static, str>, token: &'static str) -> Arg {
    // The empty token is written as in a command line.
    let token = if token == "\"\"" { "" } else { token };
    Arg { token: Some(token), ..plain(name, ArgKind::Token) }
}

fn plain(name: Cow<'static, str>, kind: ArgKind) -> Arg {
    Arg {
        name,
        kind,
        token: None,
        optional: false,
        multiple: false,
        multiple_token: false,
        key_spec: None,
    }
}

impl fmt::Display for Arg {
    /// The notation of a command line: `[LIMIT offset count]`, `key [key ...]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.optional {
            f.write_str("[")?;
        }
        self.fmt_bare(f)?;
        if self.multiple {
            f.write_str(" [")?;
            if self.multiple_token {
                self.fmt_bare(f)?;
            } else {
                self.fmt_value(f)?;
            }
            f.write_str(" ...]")?;
        }
        if self.optional {
            f.write_str("]")?;
        }
        Ok(())
    }
}

impl Arg {
    fn fmt_bare(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(token) = self.token {
            f.write_str(if token.is_empty() { "\"\"" } else { token })?;
            if self.kind == ArgKind::Token {
                return Ok(());
            }
            f.write_str(" ")?;
        }
        self.fmt_value(f)
    }

    fn fmt_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (items, separator) = match &self.kind {
            ArgKind::OneOf(items) => (items, " | "),
            ArgKind::Block(items) => (items, " "),
            _ => return f.write_str(&self.name),
        };
        let braces = separator == " | " && !self.optional;
        if braces {
            f.write_str("<")?;
        }
        for (index, item) in items.iter().enumerate() {
            let before = if index > 0 { separator } else { "" };
            write!(f, "{before}{item}")?;
        }
        f.write_str(if braces { ">" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(args: &[Arg]) -> String {
        let one = |arg: &Arg| {
            let mut text = String::new();
            if let Some(token) = arg.token {
                text += &format!("{token}:");
            }
            text += &format!("{}", arg.name);
            match &arg.kind {
                ArgKind::OneOf(items) => text += &format!("<{}>", shape(items)),
                ArgKind::Block(items) => text += &format!("{{{}}}", shape(items)),
                kind => text += &format!("/{}", kind.name()),
            }
            if let Some(spec) = arg.key_spec {
                text += &format!("#{spec}");
            }
            text += if arg.optional { "?" } else { "" };
            text += if arg.multiple { "*" } else { "" };
            text + if arg.multiple_token { "+" } else { "" }
        };
        args.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn read(syntax: &'static str) -> String {
        shape(&parse(syntax, 2).unwrap())
    }

    #[test]
    fn arguments_have_names_types_and_key_specifications() {
        assert_eq!(read("key value"), "key/key#0 value/string");
        assert_eq!(
            read("source destination count:integer key:string"),
            "source/key#0 destination/key#1 count/integer key/string"
        );
        assert_eq!(read("key by:pattern@1"), "key/key#0 by/pattern#1");
    }

    #[test]
    fn tokens_stand_alone_or_before_their_argument() {
        assert_eq!(
            read("[NX] [COUNT count:integer] WITHSCORES"),
            "NX:nx/pure-token? COUNT:count/integer? WITHSCORES:withscores/pure-token"
        );
        assert_eq!(
            read("id=(equal== | approximately=~)"),
            "id<=:equal/pure-token ~:approximately/pure-token>"
        );
        assert_eq!(read("NO ONE"), "NO:no/pure-token ONE:one/pure-token");
    }

    #[test]
    fn alternatives_and_groups_nest() {
        assert_eq!(
            read("[condition=(NX | XX)] [GET]"),
            "condition<NX:nx/pure-token XX:xx/pure-token>? GET:get/pure-token?"
        );
        assert_eq!(
            read("[LIMIT offset:integer count:integer]"),
            "LIMIT:offset_count{offset/integer count/integer}?"
        );
        assert_eq!(read("(field value)..."), "field_value{field/string value/string}*");
        assert_eq!(
            read("[a | BY w:double (M | KM)]"),
            "a_w_m_km<a/string w_m_km{BY:w/double m_km<M:m/pure-token KM:km/pure-token>}>?"
        );
    }

    #[test]
    fn repetition_is_of_the_argument_or_of_token_and_argument() {
        assert_eq!(read("[GET pattern]..."), "GET:pattern/string?*+");
        assert_eq!(read("[WEIGHTS weight:integer...]"), "WEIGHTS:weight/integer?*");
        assert_eq!(read("key..."), "key/key#0*");
        assert_eq!(read("key ..."), "key/key#0*");
        assert_eq!(read("key [key ...] destination"), "key/key#0* destination/key#1");
        assert_eq!(
            read("a [b ...] (c d) [e f ...]"),
            "a/string b/string?* c_d{c/string d/string} e_f{e/string f/string*}?"
        );
        assert_eq!(
            read("field value [field value ...]"),
            "field_value{field/string value/string}*"
        );
        assert_eq!(read("GET p [GET p ...]"), "GET:p/string*");
    }

    #[test]
    fn mistakes_are_found() {
        for wrong in ["[a", "a]", "a | b", "()", "a:number", "(a |)", "a@x", "a.b", "...", "x=(a"] {
            assert!(parse(wrong, 1).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tree_prints_as_a_command_line() {
        let text = |syntax| {
            parse(syntax, 1).unwrap().iter().map(Arg::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            text("key... [LIMIT offset count] [(NX | XX)] [GET pattern]... (a | b)"),
            "key [key ...] [LIMIT offset count] [NX | XX] [GET pattern [GET pattern ...]] <a | b>"
        );
    }
}
