//! Replies with their exact wire types, and a parser for them.

use std::fmt;

/// One reply, RESP2 or RESP3. Numbers that are not integers keep their text: how a double is
/// spelled is part of what the suite compares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reply {
    /// `+text`
    Simple(Vec<u8>),
    /// `-text`, or RESP3's `!len`
    Error(Vec<u8>),
    /// `:n`
    Int(i64),
    /// `$len`
    Bulk(Vec<u8>),
    /// `$-1`
    Nil,
    /// RESP3's `_`
    Null,
    /// `*-1`
    NilArray,
    /// `*n`
    Array(Vec<Reply>),
    /// `%n`
    Map(Vec<(Reply, Reply)>),
    /// `~n`
    Set(Vec<Reply>),
    /// `>n`
    Push(Vec<Reply>),
    /// `,text`
    Double(String),
    /// `#t` or `#f`
    Bool(bool),
    /// `(digits`
    Big(String),
    /// `=len`, its three-letter format and its text
    Verbatim(String, Vec<u8>),
    /// `|n` in front of a reply
    Attribute(Vec<(Reply, Reply)>, Box<Reply>),
}

/// Bytes that are no reply, with what was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed reply: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

/// Parses one reply at the start of `input`.
///
/// `Ok(None)` when it is not complete yet; otherwise the reply and how many bytes it took.
///
/// # Errors
/// [`Malformed`] when no continuation of `input` can be a reply.
pub fn parse(input: &[u8]) -> Result<Option<(Reply, usize)>, Malformed> {
    let mut cursor = Cursor { input, at: 0 };
    match cursor.reply(0) {
        Ok(reply) => Ok(Some((reply, cursor.at))),
        Err(Stop::Incomplete) => Ok(None),
        Err(Stop::Malformed(m)) => Err(m),
    }
}

enum Stop {
    Incomplete,
    Malformed(Malformed),
}

fn malformed<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Malformed(Malformed(why.into())))
}

const DEPTH_MAX: usize = 64;

struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn line(&mut self) -> Result<&'a [u8], Stop> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let end = rest.windows(2).position(|w| w == b"\r\n").ok_or(Stop::Incomplete)?;
        self.at += end + 2;
        Ok(&rest[..end])
    }

    fn text(&mut self) -> Result<String, Stop> {
        Ok(String::from_utf8_lossy(self.line()?).into_owned())
    }

    fn number(&mut self) -> Result<i64, Stop> {
        let text = self.text()?;
        text.parse().or_else(|_| malformed(format!("{text:?} is not an integer")))
    }

    fn blob(&mut self, len: i64) -> Result<Vec<u8>, Stop> {
        let Ok(len) = usize::try_from(len) else {
            return malformed(format!("length {len}"));
        };
        let rest = self.input.get(self.at..).unwrap_or_default();
        if rest.len() < len.saturating_add(2) {
            return Err(Stop::Incomplete);
        }
        if &rest[len..len + 2] != b"\r\n" {
            return malformed("no line end after a blob");
        }
        self.at += len + 2;
        Ok(rest[..len].to_vec())
    }

    fn items(&mut self, count: i64, depth: usize) -> Result<Vec<Reply>, Stop> {
        if count < 0 {
            return malformed(format!("count {count}"));
        }
        (0..count).map(|_| self.reply(depth + 1)).collect()
    }

    fn pairs(&mut self, depth: usize) -> Result<Vec<(Reply, Reply)>, Stop> {
        let count = self.number()?;
        if count < 0 {
            return malformed(format!("count {count}"));
        }
        (0..count).map(|_| Ok((self.reply(depth + 1)?, self.reply(depth + 1)?))).collect()
    }

    fn reply(&mut self, depth: usize) -> Result<Reply, Stop> {
        if depth > DEPTH_MAX {
            return malformed("nested too deep");
        }
        let Some(&kind) = self.input.get(self.at) else {
            return Err(Stop::Incomplete);
        };
        self.at += 1;
        Ok(match kind {
            b'+' => Reply::Simple(self.line()?.to_vec()),
            b'-' => Reply::Error(self.line()?.to_vec()),
            b':' => Reply::Int(self.number()?),
            b'$' => match self.number()? {
                -1 => Reply::Nil,
                len => Reply::Bulk(self.blob(len)?),
            },
            b'*' => match self.number()? {
                -1 => Reply::NilArray,
                count => Reply::Array(self.items(count, depth)?),
            },
            b'~' => {
                let count = self.number()?;
                Reply::Set(self.items(count, depth)?)
            }
            b'>' => {
                let count = self.number()?;
                Reply::Push(self.items(count, depth)?)
            }
            b'%' => Reply::Map(self.pairs(depth)?),
            b'|' => {
                let attributes = self.pairs(depth)?;
                Reply::Attribute(attributes, Box::new(self.reply(depth + 1)?))
            }
            b'_' => {
                if !self.line()?.is_empty() {
                    return malformed("text after the null's mark");
                }
                Reply::Null
            }
            b',' => Reply::Double(self.text()?),
            b'(' => Reply::Big(self.text()?),
            b'#' => match self.line()? {
                b"t" => Reply::Bool(true),
                b"f" => Reply::Bool(false),
                other => return malformed(format!("boolean {other:?}")),
            },
            b'!' => {
                let len = self.number()?;
                Reply::Error(self.blob(len)?)
            }
            b'=' => {
                let len = self.number()?;
                let blob = self.blob(len)?;
                match blob.split_at_checked(4) {
                    Some((format, text)) if format.ends_with(b":") => Reply::Verbatim(
                        String::from_utf8_lossy(&format[..3]).into_owned(),
                        text.to_vec(),
                    ),
                    _ => return malformed("verbatim text without its format"),
                }
            }
            other => return malformed(format!("type byte {:?}", char::from(other))),
        })
    }
}

impl Reply {
    /// The text of a bulk, simple or verbatim reply, lossily; `None` for other types.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Self::Bulk(b) | Self::Simple(b) | Self::Verbatim(_, b) => {
                Some(String::from_utf8_lossy(b).into_owned())
            }
            _ => None,
        }
    }

    /// The elements of an array, set or push.
    pub fn items(&self) -> Option<&[Reply]> {
        match self {
            Self::Array(v) | Self::Set(v) | Self::Push(v) => Some(v),
            _ => None,
        }
    }

    /// The value beside `key` in a map, or in an array of alternating keys and values.
    pub fn field(&self, key: &str) -> Option<&Reply> {
        let is_key = |r: &Reply| r.as_text().is_some_and(|t| t == key);
        match self {
            Self::Map(pairs) => pairs.iter().find(|(k, _)| is_key(k)).map(|(_, v)| v),
            Self::Array(items) => {
                items.chunks_exact(2).find(|pair| is_key(&pair[0])).map(|pair| &pair[1])
            }
            _ => None,
        }
    }
}

/// A command as an array of bulk strings.
pub fn encode(args: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_of_a_reply_is_incomplete() {
        let wire = b"*3\r\n%1\r\n+a\r\n,1.5\r\n=7\r\ntxt:abc\r\n_\r\n";
        for cut in 0..wire.len() {
            assert_eq!(parse(&wire[..cut]), Ok(None), "{cut}");
        }
        let (reply, used) = parse(wire).unwrap().unwrap();
        assert_eq!(used, wire.len());
        assert_eq!(
            reply,
            Reply::Array(vec![
                Reply::Map(vec![(Reply::Simple(b"a".to_vec()), Reply::Double("1.5".into()))]),
                Reply::Verbatim("txt".into(), b"abc".to_vec()),
                Reply::Null,
            ])
        );
    }

    #[test]
    fn nonsense_is_malformed() {
        for wire in [&b"?\r\n"[..], b":x\r\n", b"$-2\r\n", b"#x\r\n", b"=2\r\nab\r\n"] {
            assert!(parse(wire).is_err(), "{wire:?}");
        }
    }
}
