//! Words and quotes: how a typed line becomes arguments, and how bytes become a printable literal.

/// Appends `bytes` as a double-quoted literal in which every byte outside printable ASCII is escaped,
/// so that [`split_words`] reads the same bytes back.
pub fn quote_into(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0x07 => out.extend(b"\\a"),
            0x08 => out.extend(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => out.extend(format!("\\x{byte:02x}").bytes()),
        }
    }
    out.push(b'"');
}

/// [`quote_into`] a fresh string; the result is ASCII.
pub fn quoted(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    quote_into(&mut out, bytes);
    String::from_utf8_lossy(&out).into_owned()
}

/// Splits a line at white space into words.
///
/// A part in double quotes may hold `\xHH` and `\n \r \t \a \b` escapes, a part in single quotes only
/// `\'`. `None` when a quote stays open or when a closing quote is not followed by white space.
pub fn split_words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Some(words);
        }
        let mut word = Vec::new();
        rest = take_word(rest, &mut word)?;
        words.push(word);
    }
}

/// Undoes the quotes of one argument; `None` unless it is exactly one word.
pub fn unquote(argument: &[u8]) -> Option<Vec<u8>> {
    let mut words = split_words(argument)?;
    if words.len() == 1 { words.pop() } else { None }
}

/// Reads one word from the start of `rest` into `word` and returns what follows it.
fn take_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] => return Some(rest),
            // NUL ends a C string, so a line ends there too.
            [0, ..] => return Some(&[]),
            [b'"', tail @ ..] => return take_double_quoted(tail, word),
            [b'\'', tail @ ..] => return take_single_quoted(tail, word),
            [byte, tail @ ..] => {
                if is_space(*byte) {
                    return Some(rest);
                }
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

fn take_double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] => return None,
            [b'"', tail @ ..] => return after_quote(tail),
            [b'\\', b'x', high, low, tail @ ..] if hex(*high).is_some() && hex(*low).is_some() => {
                word.push(hex(*high)? << 4 | hex(*low)?);
                rest = tail;
            }
            [b'\\', escaped, tail @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                rest = tail;
            }
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

fn take_single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] => return None,
            [b'\'', tail @ ..] => return after_quote(tail),
            [b'\\', b'\'', tail @ ..] => {
                word.push(b'\'');
                rest = tail;
            }
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

/// A closing quote must end its word.
fn after_quote(rest: &[u8]) -> Option<&[u8]> {
    match rest.first() {
        None => Some(rest),
        Some(byte) if is_space(*byte) => Some(rest),
        Some(_) => None,
    }
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        let words = split_words(line.as_bytes())?;
        Some(words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect())
    }

    #[test]
    fn plain_words_split_at_white_space() {
        assert_eq!(words("  set a  1 ").unwrap(), ["set", "a", "1"]);
        assert!(words("").unwrap().is_empty());
    }

    #[test]
    fn quotes_group_and_escape() {
        assert_eq!(words(r#"set "a b" 'c"d' 'it\'s'"#).unwrap(), ["set", "a b", "c\"d", "it's"]);
        assert_eq!(split_words(br#""\x00\xfF\n\q""#).unwrap(), [b"\x00\xff\nq".to_vec()]);
        assert_eq!(words(r#"a"b c""#).unwrap(), ["ab c"]);
        assert_eq!(words(r#""""#).unwrap(), [""]);
    }

    #[test]
    fn an_open_or_glued_quote_is_refused() {
        assert_eq!(words(r#"set "a"#), None);
        assert_eq!(words(r#"set "a"b"#), None);
        assert_eq!(words("set 'a"), None);
    }

    #[test]
    fn every_byte_survives_quoting_and_reading() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unquote(quoted(&all).as_bytes()).unwrap(), all);
    }
}
