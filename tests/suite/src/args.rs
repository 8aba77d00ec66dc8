//! Command lines: words, quotes, and two macros for long ones.
//!
//! `@rep:3:ab` is one argument `ababab`; `@seq:1..3:f%,v%` is the arguments `f1 v1 f2 v2 f3 v3`.

use anyhow::{Context, Result, bail};

use crate::text::unescape;

/// Splits a line into arguments as redis-cli does: spaces separate, double quotes take escapes,
/// single quotes take everything else as it is.
///
/// # Errors
/// When a quote is not closed, something follows one, or a macro makes no sense.
pub fn split(line: &str) -> Result<Vec<Vec<u8>>> {
    let text = line.as_bytes();
    let mut args = Vec::new();
    let mut at = 0;
    loop {
        while text.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let Some(&first) = text.get(at) else {
            return Ok(args);
        };
        if first == b'"' || first == b'\'' {
            let (arg, used) = quoted(&text[at..])?;
            at += used;
            if text.get(at).is_some_and(|b| !b.is_ascii_whitespace()) {
                bail!("text right after a closing quote in {line:?}");
            }
            args.push(arg);
            continue;
        }
        let len = text[at..].iter().take_while(|b| !b.is_ascii_whitespace()).count();
        let word = &line[at..at + len];
        at += len;
        if let Some(rest) = word.strip_prefix("@rep:") {
            let (count, unit) = rest.split_once(':').context("@rep:COUNT:TEXT")?;
            args.push(unit.repeat(count.parse()?).into_bytes());
        } else if let Some(rest) = word.strip_prefix("@seq:") {
            args.extend(sequence(rest)?);
        } else {
            args.push(word.as_bytes().to_vec());
        }
    }
}

fn sequence(rest: &str) -> Result<Vec<Vec<u8>>> {
    let (range, templates) = rest.split_once(':').context("@seq:FROM..TO:TEMPLATE,...")?;
    let (from, to) = range.split_once("..").context("@seq:FROM..TO:TEMPLATE,...")?;
    let (from, to): (i64, i64) = (from.parse()?, to.parse()?);
    let one =
        |n: i64| templates.split(',').map(move |t| t.replace('%', &n.to_string()).into_bytes());
    Ok((from..=to).flat_map(one).collect())
}

/// The string whose opening quote starts `text`, and how many bytes it takes with its quotes.
fn quoted(text: &[u8]) -> Result<(Vec<u8>, usize)> {
    let quote = text[0];
    let mut out = Vec::new();
    let mut at = 1;
    loop {
        let byte = *text.get(at).context("a quote is not closed")?;
        at += 1;
        if byte == quote {
            return Ok((out, at));
        }
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let rest = &text[at..];
        if quote == b'"' {
            let (value, len) = unescape(rest).context("unknown escape")?;
            out.push(value);
            at += len;
        } else if rest.first() == Some(&b'\'') {
            out.push(b'\'');
            at += 1;
        } else {
            out.push(b'\\');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        split(line).unwrap().iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect()
    }

    #[test]
    fn quotes_and_escapes_are_taken_as_redis_cli_takes_them() {
        assert_eq!(words(r#"SET "a b" 'c\'d' "\x41\n""#), ["SET", "a b", "c'd", "A\n"]);
        assert_eq!(words(r#"SET "" ''"#), ["SET", "", ""]);
        assert!(split(r#"SET "a"#).is_err());
        assert!(split(r#"SET "a"b"#).is_err());
    }

    #[test]
    fn macros_make_long_arguments() {
        assert_eq!(words("X @rep:3:ab"), ["X", "ababab"]);
        assert_eq!(words("X @seq:1..2:f%,v%"), ["X", "f1", "v1", "f2", "v2"]);
    }
}
