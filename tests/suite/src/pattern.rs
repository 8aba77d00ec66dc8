//! Expected replies: what a case file writes, with wildcards, and whether a reply fits.
//!
//! Wildcards stand for a whole reply (`<int>`) or for a part of a string (`"id=<int> <*>"`):
//! `<any>` any reply; `<*>` any text; `<int>` or `<int 5..10>` a number; `<hex 40>` that many
//! hexadecimal digits; `<one a|b>` one of these; `<bulk>`, `<double>`, `<array>`, `<map>`, `<error>` any of that type. `<x=int>`
//! keeps what it met as `${x}` for later commands. `...` as last element admits further ones;
//! `~` in front of an aggregate admits any order, `~2` any order of pairs.

use std::collections::HashMap;

use crate::reply::Reply;

/// Values met by named wildcards.
pub type Captures = HashMap<String, Vec<u8>>;

/// An expected reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// `<name>` for a whole reply.
    Wild(Wild),
    /// A simple string.
    Simple(Text),
    /// An error.
    Error(Text),
    /// An integer.
    Int(i64),
    /// A bulk string.
    Bulk(Text),
    /// No value.
    Nil,
    /// RESP3's null, whatever the connection began with (a case that switches itself).
    Null,
    /// No array.
    NilArray,
    /// An array, set or push.
    Items(Kind, Vec<Pattern>, Order),
    /// A map.
    Map(Vec<(Pattern, Pattern)>, Order),
    /// A double, as text.
    Double(Text),
    /// A boolean.
    Bool(bool),
    /// A big number, as text.
    Big(String),
    /// A verbatim string: format and text.
    Verbatim(String, Text),
}

/// Which aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `[…]`
    Array,
    /// `set[…]`
    Set,
    /// `push[…]`
    Push,
}

/// How the elements of an aggregate are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Elements that stay together: 0 when the order counts, 1 for single elements in any order,
    /// 2 for pairs in any order.
    pub group: usize,
    /// Whether further elements are admitted.
    pub open: bool,
}

/// A string with wildcards: its parts in order.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Text(pub Vec<Part>);

/// A part of a string.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// These bytes.
    Literal(Vec<u8>),
    /// What fits the wildcard.
    Wild(Wild),
}

/// A wildcard and the name it keeps its find under.
#[derive(Clone, Debug, PartialEq)]
pub struct Wild {
    /// Name for `${name}`.
    pub name: Option<String>,
    /// What fits.
    pub class: Class,
}

/// What a wildcard admits.
#[derive(Clone, Debug, PartialEq)]
pub enum Class {
    /// Any reply.
    Any,
    /// Any text.
    AnyText,
    /// A decimal number within bounds.
    Int(i64, i64),
    /// So many hexadecimal digits.
    Hex(usize),
    /// One of these texts.
    OneOf(Vec<String>),
    /// A reply of that type, by its name.
    Type(&'static str),
}

impl Pattern {
    /// Whether `reply`, met on a connection of `protocol`, fits; finds go to `captures`.
    pub fn fits(&self, reply: &Reply, protocol: u8, captures: &mut Captures) -> bool {
        match (self, reply) {
            (Self::Wild(wild), _) => wild.fits_reply(reply, captures),
            (Self::Simple(text), Reply::Simple(got))
            | (Self::Error(text), Reply::Error(got))
            | (Self::Bulk(text), Reply::Bulk(got)) => text.fits(got, captures),
            (Self::Double(text), Reply::Double(got)) => text.fits(got.as_bytes(), captures),
            (Self::Int(n), Reply::Integer(got)) => n == got,
            (Self::Nil, Reply::NullBulk) | (Self::NilArray, Reply::NullArray) => protocol == 2,
            (Self::Nil | Self::NilArray, Reply::Null) => protocol == 3,
            (Self::Null, Reply::Null) => true,
            (Self::Bool(b), Reply::Boolean(got)) => b == got,
            (Self::Big(b), Reply::BigNumber(got)) => b == got,
            (Self::Verbatim(format, text), Reply::Verbatim { format: got, text: body }) => {
                format.as_bytes() == got && text.fits(body, captures)
            }
            (Self::Items(Kind::Array, items, order), Reply::Array(got))
            | (Self::Items(Kind::Set, items, order), Reply::Set(got))
            | (Self::Items(Kind::Push, items, order), Reply::Push(got)) => {
                let got: Vec<&Reply> = got.iter().collect();
                let items: Vec<&Self> = items.iter().collect();
                fits_all(&items, &got, *order, protocol, captures)
            }
            (Self::Map(pairs, order), Reply::Map(got)) => {
                let got: Vec<&Reply> = got.iter().flat_map(|(k, v)| [k, v]).collect();
                let items: Vec<&Self> = pairs.iter().flat_map(|(k, v)| [k, v]).collect();
                let group = if order.group > 0 { 2 } else { 0 };
                fits_all(&items, &got, Order { group, ..*order }, protocol, captures)
            }
            _ => false,
        }
    }
}

fn fits_all(
    wanted: &[&Pattern],
    got: &[&Reply],
    order: Order,
    protocol: u8,
    captures: &mut Captures,
) -> bool {
    let long_enough = got.len() >= wanted.len();
    if !long_enough || (!order.open && got.len() != wanted.len()) {
        return false;
    }
    if order.group == 0 {
        return wanted.iter().zip(got).all(|(w, g)| w.fits(g, protocol, captures));
    }
    if !wanted.len().is_multiple_of(order.group) || !got.len().is_multiple_of(order.group) {
        return false;
    }
    // Each wanted group takes the first one left that fits; patterns of one case do not overlap
    // in a way that would need to go back.
    let mut left: Vec<&[&Reply]> = got.chunks(order.group).collect();
    wanted.chunks(order.group).all(|group| {
        let found = left.iter().position(|candidate| {
            group.iter().zip(*candidate).all(|(w, g)| w.fits(g, protocol, captures))
        });
        found.map(|at| left.remove(at)).is_some()
    })
}

impl Wild {
    fn keep(&self, found: &[u8], captures: &mut Captures) {
        if let Some(name) = &self.name {
            captures.insert(name.clone(), found.to_vec());
        }
    }

    fn fits_reply(&self, reply: &Reply, captures: &mut Captures) -> bool {
        let fits = match (&self.class, reply) {
            (Class::Any, _) => true,
            (Class::Int(from, to), Reply::Integer(n)) => from <= n && n <= to,
            (Class::Type("double"), Reply::Double(_))
            | (Class::Type("array"), Reply::Array(_))
            | (Class::Type("map"), Reply::Map(_))
            | (Class::Type("error"), Reply::Error(_))
            | (Class::Type("bulk") | Class::AnyText, Reply::Bulk(_)) => true,
            _ => false,
        };
        if fits {
            match reply {
                Reply::Integer(n) => self.keep(n.to_string().as_bytes(), captures),
                Reply::Bulk(b) | Reply::Simple(b) => self.keep(b, captures),
                Reply::Double(d) => self.keep(d.as_bytes(), captures),
                _ => {}
            }
        }
        fits
    }

    /// The lengths of prefixes of `text` that fit, longest first.
    fn prefixes(&self, text: &[u8]) -> Vec<usize> {
        match &self.class {
            Class::Any | Class::AnyText | Class::Type(_) => (0..=text.len()).rev().collect(),
            Class::OneOf(words) => {
                words.iter().filter(|w| text.starts_with(w.as_bytes())).map(String::len).collect()
            }
            Class::Hex(len) => {
                let fits = text.get(..*len).is_some_and(|t| t.iter().all(u8::is_ascii_hexdigit));
                if fits { vec![*len] } else { vec![] }
            }
            Class::Int(from, to) => {
                let sign = usize::from(text.first() == Some(&b'-'));
                let digits = text[sign..].iter().take_while(|b| b.is_ascii_digit()).count();
                let number = std::str::from_utf8(&text[..sign + digits]).ok();
                match number.and_then(|n| n.parse::<i64>().ok()) {
                    Some(n) if (*from..=*to).contains(&n) => vec![sign + digits],
                    _ => vec![],
                }
            }
        }
    }
}

impl Text {
    /// A text without wildcards.
    pub fn literal(bytes: &[u8]) -> Self {
        Self(vec![Part::Literal(bytes.to_vec())])
    }

    /// Whether `got` fits as a whole.
    pub fn fits(&self, got: &[u8], captures: &mut Captures) -> bool {
        fits_parts(&self.0, got, captures)
    }
}

fn fits_parts(parts: &[Part], got: &[u8], captures: &mut Captures) -> bool {
    match parts {
        [] => got.is_empty(),
        [Part::Literal(text), rest @ ..] => {
            let text = substitute(text, captures);
            got.strip_prefix(text.as_slice()).is_some_and(|got| fits_parts(rest, got, captures))
        }
        [Part::Wild(wild), rest @ ..] => wild.prefixes(got).into_iter().any(|len| {
            let fits = fits_parts(rest, &got[len..], captures);
            if fits {
                wild.keep(&got[..len], captures);
            }
            fits
        }),
    }
}

/// `text` with each `${name}` replaced by what that wildcard met.
pub fn substitute(text: &[u8], captures: &Captures) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(2).position(|w| w == b"${") {
        out.extend_from_slice(&rest[..at]);
        let tail = &rest[at + 2..];
        let end = tail.iter().position(|&b| b == b'}');
        let found = end.and_then(|end| {
            let name = std::str::from_utf8(&tail[..end]).ok()?;
            Some((captures.get(name)?, end))
        });
        match found {
            Some((value, end)) => {
                out.extend_from_slice(value);
                rest = &tail[end + 1..];
            }
            None => {
                out.extend_from_slice(b"${");
                rest = tail;
            }
        }
    }
    out.extend_from_slice(rest);
    out
}
