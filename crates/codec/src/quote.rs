//! Quoted text: how Redis prints arbitrary bytes on one line, and how it reads such a line back.
//!
//! [`quote()`] serves MONITOR, CLIENT LIST, logs and rewritten configuration files; [`split_args`]
//! serves inline requests, configuration files and ACL files. Both follow the rules of the SDS
//! library (`sdscatrepr`, `sdssplitargs`), so files and tools stay interchangeable.

/// `bytes` between double quotes, on one line of printable ASCII.
///
/// Backslash and double quote are escaped by a backslash; `\n \r \t \a \b` by their letters; every
/// other byte outside 0x20..=0x7e as `\xhh` in lower case.
pub fn quote(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    quote_into(bytes, &mut text);
    text
}

/// Appends what [`quote()`] returns to `text`.
pub fn quote_into(bytes: &[u8], text: &mut String) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    text.push('"');
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b'"' => text.push_str("\\\""),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0x07 => text.push_str("\\a"),
            0x08 => text.push_str("\\b"),
            0x20..=0x7e => text.push(char::from(byte)),
            _ => {
                text.push_str("\\x");
                text.push(HEX[usize::from(byte >> 4)]);
                text.push(HEX[usize::from(byte & 15)]);
            }
        }
    }
    text.push('"');
}

/// The arguments of one line, or `None` when its quotes do not balance.
///
/// Arguments are separated by blanks. `"..."` knows `\xHH \n \r \t \b \a` and takes any other byte
/// after a backslash as it is; `'...'` knows only `\'`. A closing quote must be followed by a blank
/// or the end. Outside quotes a backslash is an ordinary byte. The line ends at its first NUL, as
/// a C string does.
pub fn split_args(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let end = memchr::memchr(0, line).unwrap_or(line.len());
    let mut rest = line.get(..end)?;
    let mut args = Vec::new();
    loop {
        let blanks = rest.iter().take_while(|&&byte| is_blank(byte)).count();
        rest = rest.get(blanks..)?;
        if rest.is_empty() {
            return Some(args);
        }
        let (arg, after) = take_arg(rest)?;
        args.push(arg);
        rest = after;
    }
}

/// The blanks that may precede an argument or follow a closing quote (C's `isspace`).
pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The bytes that end an unquoted argument: fewer than [`is_blank`] (no `\v`, no `\f`).
pub fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0)
}

/// One argument from the start of `rest` (which does not start with a blank), and what follows it.
fn take_arg(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut arg = Vec::new();
    loop {
        match rest {
            [] => return Some((arg, rest)),
            [b'"', inside @ ..] => {
                let after = take_double_quoted(inside, &mut arg)?;
                return Some((arg, after));
            }
            [b'\'', inside @ ..] => {
                let after = take_single_quoted(inside, &mut arg)?;
                return Some((arg, after));
            }
            [byte, after @ ..] if ends_word(*byte) => return Some((arg, after)),
            [byte, after @ ..] => {
                arg.push(*byte);
                rest = after;
            }
        }
    }
}

fn take_double_quoted<'a>(mut rest: &'a [u8], arg: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] => return None,
            [b'"', after @ ..] => return closed(after),
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                arg.push(hex_digit(*high) * 16 + hex_digit(*low));
                rest = after;
            }
            [b'\\', escaped, after @ ..] => {
                arg.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                rest = after;
            }
            [byte, after @ ..] => {
                arg.push(*byte);
                rest = after;
            }
        }
    }
}

fn take_single_quoted<'a>(mut rest: &'a [u8], arg: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] => return None,
            [b'\\', b'\'', after @ ..] => {
                arg.push(b'\'');
                rest = after;
            }
            [b'\'', after @ ..] => return closed(after),
            [byte, after @ ..] => {
                arg.push(*byte);
                rest = after;
            }
        }
    }
}

/// What follows a closing quote, provided that it is a blank or nothing.
fn closed(after: &[u8]) -> Option<&[u8]> {
    after.first().is_none_or(|&byte| is_blank(byte)).then_some(after)
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Option<Vec<String>> {
        let args = split_args(line.as_bytes())?;
        Some(args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect())
    }

    #[test]
    fn a_line_splits_at_blanks_and_quotes_protect_them() {
        assert_eq!(split("  set  a\\t "), Some(vec!["set".into(), "a\\t".into()]));
        assert_eq!(
            split("a b\tc\r\n d"),
            Some(vec!["a".into(), "b".into(), "c".into(), "d".into()])
        );
        assert_eq!(split(r#"a"b c" 'd e'"#), Some(vec!["ab c".into(), "d e".into()]));
        assert_eq!(split(r#""\x41\n\q" '\x\''"#), Some(vec!["A\nq".into(), "\\x'".into()]));
        assert_eq!(split(r#""" ''"#), Some(vec![String::new(), String::new()]));
        assert_eq!(split("\x0b\x0ca\x0bb"), Some(vec!["a\x0bb".into()]));
        assert_eq!(split("a\0b"), Some(vec!["a".into()]));
        assert_eq!(split(""), Some(vec![]));
    }

    #[test]
    fn unbalanced_quotes_and_glued_arguments_are_refused() {
        for line in ["\"a", "'a", "\"a\"b", "'a'b", "\"a\\\"", "'a\\'", "a\"\"b"] {
            assert_eq!(split(line), None, "{line}");
        }
    }

    #[test]
    fn quoted_bytes_read_back_as_themselves() {
        let all: Vec<u8> = (0..=255).collect();
        let text = quote(&all);
        assert!(text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
        assert_eq!(split_args(text.as_bytes()), Some(vec![all]));
        assert_eq!(quote(b"a\"\\\n\x07\xff"), r#""a\"\\\n\a\xff""#);
    }
}
