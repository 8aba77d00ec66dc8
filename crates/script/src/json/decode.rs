use std::ffi::c_int;

use super::{DEPTH_LIMIT, JsonConfig};
use crate::lua::{Fault, Lua};
use crate::state::State;

pub(super) fn decode(lua: Lua<'_>, state: &State) -> Result<c_int, Fault> {
    if lua.top() != 1 {
        return Err(Fault::Argument(1, "expected 1 argument".into()));
    }
    let text = lua.string_argument(1)?;
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Err(Fault::text("JSON parser does not support UTF-16 or UTF-32"));
    }
    let config = state.json.borrow();
    let mut decoder = Decoder { lua, config: &config, text, at: 0, depth: 0 };
    let first = decoder.token();
    decoder.value(first)?;
    let last = decoder.token();
    match last.kind {
        Kind::End => Ok(1),
        _ => Err(expected("the end", &last)),
    }
}

struct Decoder<'a> {
    lua: Lua<'a>,
    config: &'a JsonConfig,
    text: &'a [u8],
    at: usize,
    depth: usize,
}

enum Kind {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Text(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Bad(&'static str),
}

struct Token {
    kind: Kind,
    at: usize,
}

fn expected(what: &str, token: &Token) -> Fault {
    let found = match token.kind {
        Kind::ObjectBegin => "T_OBJ_BEGIN",
        Kind::ObjectEnd => "T_OBJ_END",
        Kind::ArrayBegin => "T_ARR_BEGIN",
        Kind::ArrayEnd => "T_ARR_END",
        Kind::Text(_) => "T_STRING",
        Kind::Number(_) => "T_NUMBER",
        Kind::Boolean(_) => "T_BOOLEAN",
        Kind::Null => "T_NULL",
        Kind::Colon => "T_COLON",
        Kind::Comma => "T_COMMA",
        Kind::End => "T_END",
        Kind::Bad(why) => why,
    };
    Fault::text(format!("Expected {what} but found {found} at character {}", token.at + 1))
}

impl Decoder<'_> {
    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn token(&mut self) -> Token {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        let at = self.at;
        let simple = match self.text.get(at) {
            // A zero byte ends the text, as the end does.
            None | Some(0) => return Token { kind: Kind::End, at },
            Some(b'{') => Some(Kind::ObjectBegin),
            Some(b'}') => Some(Kind::ObjectEnd),
            Some(b'[') => Some(Kind::ArrayBegin),
            Some(b']') => Some(Kind::ArrayEnd),
            Some(b':') => Some(Kind::Colon),
            Some(b',') => Some(Kind::Comma),
            _ => None,
        };
        if let Some(kind) = simple {
            self.at += 1;
            return Token { kind, at };
        }
        let kind = match self.text[at] {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' if !self.config.decode_invalid && self.is_invalid_number() => {
                Kind::Bad("invalid number")
            }
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        };
        // What is wrong may be in the middle.
        let at = if matches!(kind, Kind::Bad(_)) { self.at } else { at };
        Token { kind, at }
    }

    fn word(&mut self) -> Kind {
        let words: [(&[u8], Kind); 3] = [
            (b"true", Kind::Boolean(true)),
            (b"false", Kind::Boolean(false)),
            (b"null", Kind::Null),
        ];
        for (word, kind) in words {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return kind;
            }
        }
        let may_begin = matches!(self.text[self.at], b'i' | b'I' | b'n' | b'N' | b'+');
        if may_begin && self.config.decode_invalid && self.is_invalid_number() {
            return self.number();
        }
        Kind::Bad("invalid token")
    }

    /// Whether what follows is a number to C's `strtod` that JSON does not know.
    fn is_invalid_number(&self) -> bool {
        let rest = self.rest();
        if rest.first() == Some(&b'+') {
            return true;
        }
        let rest = rest.strip_prefix(b"-").unwrap_or(rest);
        match (rest.first(), rest.get(1)) {
            (Some(b'0'), Some(b'x' | b'X' | b'0'..=b'9')) => true,
            (Some(b'0'), _) => false,
            (Some(first), _) if *first <= b'9' => false,
            _ => rest.get(..3).is_some_and(|word| {
                word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"nan")
            }),
        }
    }

    fn number(&mut self) -> Kind {
        match to_double(self.rest()) {
            Some((value, len)) => {
                self.at += len;
                Kind::Number(value)
            }
            None => Kind::Bad("invalid number"),
        }
    }

    fn string(&mut self) -> Kind {
        let mut out = Vec::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0));
            let Some(plain) = plain else {
                self.at = self.text.len();
                return Kind::Bad("unexpected end of string");
            };
            out.extend_from_slice(&rest[..plain]);
            let (stop, next) = (rest[plain], rest.get(plain + 1).copied());
            self.at += plain;
            match (stop, next) {
                (b'"', _) => {
                    self.at += 1;
                    return Kind::Text(out);
                }
                (0, _) => return Kind::Bad("unexpected end of string"),
                (_, Some(b'u')) => match unicode_escape(self.rest()) {
                    Some((character, len)) => {
                        self.at += len;
                        out.extend_from_slice(&character);
                    }
                    None => return Kind::Bad("invalid unicode escape code"),
                },
                (_, Some(escape)) => {
                    out.push(match escape {
                        b'"' | b'\\' | b'/' => escape,
                        b'b' => 8,
                        b't' => 9,
                        b'n' => 10,
                        b'f' => 12,
                        b'r' => 13,
                        _ => return Kind::Bad("invalid escape code"),
                    });
                    self.at += 2;
                }
                (_, None) => return Kind::Bad("invalid escape code"),
            }
        }
    }

    fn value(&mut self, token: Token) -> Result<(), Fault> {
        let lua = self.lua;
        match token.kind {
            Kind::Text(text) => lua.push_bytes(text),
            Kind::Number(value) => lua.push_number(value),
            Kind::Boolean(value) => lua.push_boolean(value),
            Kind::Null => lua.push_null_pointer(),
            Kind::ObjectBegin => self.object()?,
            Kind::ArrayBegin => self.array()?,
            _ => return Err(expected("value", &token)),
        }
        Ok(())
    }

    fn descend(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        let limit = self.config.decode_depth.min(DEPTH_LIMIT);
        if self.depth > limit || !self.lua.reserve(4) {
            return Err(Fault::text(format!(
                "Found too many nested data structures ({}) at character {}",
                self.depth, self.at
            )));
        }
        Ok(())
    }

    fn object(&mut self) -> Result<(), Fault> {
        let lua = self.lua;
        self.descend()?;
        lua.push_table(0, 0);
        let mut token = self.token();
        if !matches!(token.kind, Kind::ObjectEnd) {
            loop {
                let Kind::Text(key) = token.kind else {
                    return Err(expected("object key string", &token));
                };
                lua.push_bytes(key);
                let colon = self.token();
                if !matches!(colon.kind, Kind::Colon) {
                    return Err(expected("colon", &colon));
                }
                let value = self.token();
                self.value(value)?;
                lua.set_pair(-3);
                let next = self.token();
                match next.kind {
                    Kind::ObjectEnd => break,
                    Kind::Comma => token = self.token(),
                    _ => return Err(expected("comma or object end", &next)),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self) -> Result<(), Fault> {
        let lua = self.lua;
        self.descend()?;
        lua.push_table(0, 0);
        let mut token = self.token();
        if !matches!(token.kind, Kind::ArrayEnd) {
            for item in 1.. {
                self.value(token)?;
                lua.set_item(-2, item);
                let next = self.token();
                match next.kind {
                    Kind::ArrayEnd => break,
                    Kind::Comma => token = self.token(),
                    _ => return Err(expected("comma or array end", &next)),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }
}

/// The character of an escape `\uXXXX`, or of two that make one, as UTF-8, and their length.
fn unicode_escape(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4)?;
        let value = |digit: &u8| char::from(*digit).to_digit(16);
        digits.iter().try_fold(0, |number, digit| Some(number << 4 | value(digit)?))
    };
    let first = unit(2)?;
    let (code, len) = match first & 0xf800 == 0xd800 {
        false => (first, 6),
        true if first & 0x400 != 0 => return None,
        true => {
            text.get(6..8).filter(|next| *next == b"\\u")?;
            let second = unit(8).filter(|second| second & 0xfc00 == 0xdc00)?;
            (((first & 0x3ff) << 10 | second & 0x3ff) + 0x10000, 12)
        }
    };
    let character = char::from_u32(code)?;
    Some((character.encode_utf8(&mut [0; 4]).as_bytes().to_vec(), len))
}

/// Reads the longest number that C's `strtod` would.
fn to_double(text: &[u8]) -> Option<(f64, usize)> {
    let digits = |from: usize| text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let signed = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let sign = if text.first() == Some(&b'-') { -1.0 } else { 1.0 };
    let lower: Vec<u8> = text[signed..].iter().take(8).map(u8::to_ascii_lowercase).collect();
    let words: [(&[u8], f64); 3] =
        [(b"infinity", f64::INFINITY), (b"inf", f64::INFINITY), (b"nan", f64::NAN)];
    for (word, value) in words {
        if lower.starts_with(word) {
            return Some((sign * value, signed + word.len()));
        }
    }
    if lower.starts_with(b"0x") && lower.get(2).is_some_and(u8::is_ascii_hexdigit) {
        let hex = text[signed + 2..].iter().take_while(|byte| byte.is_ascii_hexdigit());
        let (mut value, mut len) = (0.0, signed + 2);
        for digit in hex {
            value = value * 16.0 + f64::from(char::from(*digit).to_digit(16).unwrap_or(0));
            len += 1;
        }
        return Some((sign * value, len));
    }
    let whole = digits(signed);
    let mut end = signed + whole;
    let mut fraction = 0;
    if text.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let exponent_sign = usize::from(matches!(text.get(end + 1), Some(b'-' | b'+')));
        let exponent =
            text.get(end + 1 + exponent_sign).map_or(0, |_| digits(end + 1 + exponent_sign));
        if exponent > 0 {
            end += 1 + exponent_sign + exponent;
        }
    }
    let value = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    Some((value, end))
}
