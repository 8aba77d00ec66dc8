//! `redis://[[user:]password@][host[:port]][/database]`, percent-encoded user and password.

use super::Options;
use super::flags::{leading_integer, port};

/// Applies the URI's parts to `options`; an error is a line for standard error.
pub fn apply(options: &mut Options, uri: &[u8]) -> Result<(), String> {
    let encrypted = strip_scheme(uri, b"rediss://");
    options.encrypted |= encrypted.is_some();
    let mut rest =
        encrypted.or_else(|| strip_scheme(uri, b"redis://")).ok_or("Invalid URI scheme")?;
    if let Some(at) = position(rest, b'@') {
        let (info, tail) = (rest.get(..at).unwrap_or_default(), rest.get(at + 1..));
        let mut password = info;
        if let Some(colon) = position(info, b':') {
            options.user = Some(percent_decode(info.get(..colon).unwrap_or_default())?);
            password = info.get(colon + 1..).unwrap_or_default();
        }
        options.password = Some(percent_decode(password)?);
        rest = tail.unwrap_or_default();
    }
    if rest.is_empty() {
        return Ok(());
    }
    let slash = position(rest, b'/').unwrap_or(rest.len());
    let authority = rest.get(..slash).unwrap_or_default();
    if !authority.is_empty() {
        // The last colon outside brackets: an IPv6 address stands in brackets.
        let colon = authority.iter().rposition(|byte| *byte == b':');
        let bracket = authority.iter().rposition(|byte| *byte == b']');
        let colon = colon.filter(|colon| bracket.is_none_or(|bracket| bracket < *colon));
        let host = authority.get(..colon.unwrap_or(authority.len())).unwrap_or_default();
        let host = host.strip_prefix(b"[").and_then(|h| h.strip_suffix(b"]")).unwrap_or(host);
        options.host = String::from_utf8_lossy(host).into_owned();
        if let Some(colon) = colon {
            options.port = port(authority.get(colon + 1..).unwrap_or_default())?;
        }
    }
    if let Some(database) = rest.get(slash + 1..).filter(|database| !database.is_empty()) {
        options.database = leading_integer(database);
    }
    Ok(())
}

fn strip_scheme<'a>(uri: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = uri.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn position(bytes: &[u8], wanted: u8) -> Option<usize> {
    bytes.iter().position(|byte| *byte == wanted)
}

fn percent_decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let Some(high) = bytes.next() else { return Err("Incomplete URI encoding".into()) };
        // What is missing is no digit.
        let low = bytes.next().unwrap_or_default();
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
        match (digit(high), digit(low)) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            _ => return Err("Illegal character in URI encoding".into()),
        }
    }
    Ok(out)
}
