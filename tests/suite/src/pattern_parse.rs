//! Reading an expected reply from its text.

use anyhow::{Context, Result, bail};

use crate::pattern::{Class, Kind, Order, Part, Pattern, Text, Wild};
use crate::text::unescape;

/// Parses what a case file expects of one reply.
///
/// # Errors
/// When the text is not a reply as [`crate::text`] describes it.
pub fn parse(text: &str) -> Result<Pattern> {
    if let Some(message) = text.strip_prefix("(error) ")
        && !message.starts_with('"')
    {
        if message.contains('\n') {
            bail!("an error takes one line");
        }
        return Ok(Pattern::Error(wild_text(message.as_bytes(), false)?));
    }
    let mut parser = Parser { text: text.as_bytes(), at: 0 };
    let pattern = parser.value()?;
    parser.space();
    if parser.at != parser.text.len() {
        bail!("{:?} after the reply", String::from_utf8_lossy(&parser.text[parser.at..]));
    }
    Ok(pattern)
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        while self.rest().first().is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let len = rest.iter().take_while(|b| b.is_ascii_graphic() && !b",]}:".contains(b)).count();
        self.at += len;
        std::str::from_utf8(&rest[..len]).unwrap_or_default()
    }

    fn quoted(&mut self) -> Result<Text> {
        if !self.eat("\"") {
            bail!("a quoted text is missing at {:?}", String::from_utf8_lossy(self.rest()));
        }
        let rest = self.rest();
        let mut end = 0;
        while *rest.get(end).context("the closing quote is missing")? != b'"' {
            end += if rest[end] == b'\\' { 2 } else { 1 };
        }
        self.at += end + 1;
        wild_text(&rest[..end], true)
    }

    fn value(&mut self) -> Result<Pattern> {
        self.space();
        let mut group = 0;
        if self.eat("~") {
            group = if self.eat("2") { 2 } else { 1 };
        }
        if self.eat("[") {
            return self.items(Kind::Array, group);
        }
        if self.eat("set[") {
            return self.items(Kind::Set, group.max(1));
        }
        if self.eat("push[") {
            return self.items(Kind::Push, group);
        }
        if self.eat("{") {
            return self.pairs(group);
        }
        if group > 0 {
            bail!("`~` stands before an aggregate");
        }
        match self.rest().first().context("a reply is missing")? {
            b'"' => Ok(Pattern::Bulk(self.quoted()?)),
            b'+' => {
                self.at += 1;
                Ok(Pattern::Simple(self.quoted()?))
            }
            b'<' => {
                let (wild, len) = wildcard(self.rest()).context("unknown wildcard")?;
                self.at += len;
                Ok(Pattern::Wild(wild))
            }
            b'(' => self.typed(),
            b'-' | b'0'..=b'9' => {
                let word = self.word();
                Ok(Pattern::Int(word.parse().with_context(|| format!("integer {word:?}"))?))
            }
            b if b.is_ascii_alphabetic() => {
                Ok(Pattern::Simple(Text::literal(self.word().as_bytes())))
            }
            _ => bail!("no reply starts with {:?}", String::from_utf8_lossy(self.rest())),
        }
    }

    fn typed(&mut self) -> Result<Pattern> {
        let rest = self.rest();
        let end = rest.iter().position(|&b| b == b')').context("`)` is missing")?;
        let name = std::str::from_utf8(&rest[1..end])?;
        self.at += end + 1;
        let pattern = match name {
            "nil" => Pattern::Nil,
            "null" => Pattern::Null,
            "nil array" => Pattern::NilArray,
            "true" => Pattern::Bool(true),
            "false" => Pattern::Bool(false),
            "integer" => {
                self.space();
                Pattern::Int(self.word().parse()?)
            }
            "double" => {
                self.space();
                Pattern::Double(wild_text(self.word().as_bytes(), false)?)
            }
            "big" => {
                self.space();
                Pattern::Big(self.word().to_owned())
            }
            "error" => {
                self.space();
                Pattern::Error(self.quoted()?)
            }
            format if format.len() == 3 => {
                self.space();
                Pattern::Verbatim(format.to_owned(), self.quoted()?)
            }
            other => bail!("unknown type ({other})"),
        };
        Ok(pattern)
    }

    /// Whether another element follows before `close`; takes separators, `...` and `close`.
    fn another(&mut self, close: &str, first: bool, open: &mut bool) -> Result<bool> {
        self.space();
        let comma = self.eat(",");
        self.space();
        if self.eat("...") {
            *open = true;
            self.space();
            let _ = self.eat(",");
            self.space();
        }
        if self.eat(close) {
            return Ok(false);
        }
        if *open {
            bail!("`...` stands last");
        }
        if !first && !comma {
            bail!("`,` is missing at {:?}", String::from_utf8_lossy(self.rest()));
        }
        Ok(true)
    }

    fn items(&mut self, kind: Kind, group: usize) -> Result<Pattern> {
        let mut items = Vec::new();
        let mut open = false;
        while self.another("]", items.is_empty(), &mut open)? {
            items.push(self.value()?);
        }
        Ok(Pattern::Items(kind, items, Order { group, open }))
    }

    fn pairs(&mut self, group: usize) -> Result<Pattern> {
        let mut pairs = Vec::new();
        let mut open = false;
        while self.another("}", pairs.is_empty(), &mut open)? {
            let key = self.value()?;
            self.space();
            if !self.eat(":") {
                bail!("`:` is missing after a key");
            }
            pairs.push((key, self.value()?));
        }
        // Keys named in an open map may stand anywhere.
        let group = if open { 2 } else { group };
        Ok(Pattern::Map(pairs, Order { group, open }))
    }
}

/// Splits text at its wildcards; `escaped` says whether backslashes mean something in it.
fn wild_text(text: &[u8], escaped: bool) -> Result<Text> {
    let mut parts = Vec::new();
    let mut literal = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'<'
            && let Some((wild, len)) = wildcard(&text[at..])
        {
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Wild(wild));
            at += len;
        } else if escaped && text[at] == b'\\' {
            let (byte, len) = unescape(&text[at + 1..]).context("unknown escape")?;
            literal.push(byte);
            at += 1 + len;
        } else {
            literal.push(text[at]);
            at += 1;
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(Text(parts))
}

/// The wildcard at the start of `text` and its length, when there is one.
fn wildcard(text: &[u8]) -> Option<(Wild, usize)> {
    let end = text.iter().position(|&b| b == b'>')?;
    let inner = std::str::from_utf8(text.get(1..end)?).ok()?;
    let (name, class) = match inner.split_once('=') {
        Some((name, class)) => (Some(name.to_owned()), class),
        None => (None, inner),
    };
    let class = match class.split_once(' ') {
        None => match class {
            "any" => Class::Any,
            "*" => Class::AnyText,
            "int" => Class::Int(i64::MIN, i64::MAX),
            "bulk" => Class::Type("bulk"),
            "double" => Class::Type("double"),
            "array" => Class::Type("array"),
            "map" => Class::Type("map"),
            "error" => Class::Type("error"),
            _ => return None,
        },
        Some(("int", range)) => {
            let (from, to) = range.split_once("..")?;
            Class::Int(from.parse().ok()?, to.parse().ok()?)
        }
        Some(("one", words)) => Class::OneOf(words.split('|').map(str::to_owned).collect()),
        Some(("hex", len)) => Class::Hex(len.parse().ok()?),
        Some(_) => return None,
    };
    Some((Wild { name, class }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Captures;
    use crate::reply::Reply;

    fn fits(pattern: &str, reply: &Reply) -> bool {
        parse(pattern).unwrap().fits(reply, 2, &mut Captures::new())
    }

    fn bulk(text: &str) -> Reply {
        Reply::Bulk(text.into())
    }

    #[test]
    fn what_is_rendered_fits_its_own_reply() {
        let reply = Reply::Array(vec![
            bulk("a\r\n\u{1}<int>"),
            Reply::Integer(-5),
            Reply::Map(vec![(bulk("k"), Reply::Double("inf".into()))]),
            Reply::Set(vec![Reply::Boolean(true), Reply::BigNumber("123".into())]),
            Reply::Verbatim { format: *b"txt", text: b"x".to_vec() },
            Reply::Error(b"ERR \"q\"".to_vec()),
            Reply::Simple(b"two words".to_vec()),
            Reply::NullArray,
            bulk(&"long ".repeat(40)),
        ]);
        assert!(fits(&crate::text::render(&reply), &reply));
    }

    #[test]
    fn types_are_told_apart() {
        assert!(!fits("5", &bulk("5")));
        assert!(!fits("\"OK\"", &Reply::Simple(b"OK".to_vec())));
        assert!(!fits("(nil)", &Reply::NullArray));
        assert!(!fits("[]", &Reply::Set(vec![])));
    }

    #[test]
    fn wildcards_admit_what_they_say() {
        assert!(fits("<int 1..5>", &Reply::Integer(3)));
        assert!(!fits("<int 1..5>", &Reply::Integer(6)));
        assert!(fits("\"id=<int> x<*>z\"", &bulk("id=17 xyz")));
        assert!(!fits("\"<hex 4>\"", &bulk("12g4")));
        assert!(fits("(error) ERR <*>", &Reply::Error(b"ERR what".to_vec())));
    }

    #[test]
    fn order_counts_unless_a_tilde_says_otherwise() {
        let reply = Reply::Array(vec![bulk("b"), bulk("2"), bulk("a"), bulk("1")]);
        assert!(!fits(r#"["a", "1", "b", "2"]"#, &reply));
        assert!(fits(r#"~["1", "2", "a", "b"]"#, &reply));
        assert!(fits(r#"~2["a", "1", "b", "2"]"#, &reply));
        assert!(!fits(r#"~2["a", "2", "b", "1"]"#, &reply));
        assert!(fits(r#"["b", ...]"#, &reply));
    }

    #[test]
    fn a_named_wildcard_keeps_its_find() {
        let mut captures = Captures::new();
        assert!(parse("\"id=<id=int>\"").unwrap().fits(&bulk("id=7"), 2, &mut captures));
        assert_eq!(crate::pattern::substitute(b"x${id}y", &captures), b"x7y");
    }
}
