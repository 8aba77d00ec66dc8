//! How replies and commands are written in case files.
//!
//! | reply | written |
//! |---|---|
//! | simple string | `OK`, or `+"with spaces"` |
//! | error | `(error) ERR text to the end of the line`; inside an aggregate `(error) "ERR text"` |
//! | integer | `5` |
//! | bulk string | `"text"` with `\n \r \t \" \\ \xhh` |
//! | nil, nil array | `(nil)`, `(nil array)` |
//! | array, set, push, map | `["a", 1]`, `set["a"]`, `push["message", "c", "m"]`, `{"k": "v"}` |
//! | double, boolean, big number | `(double) 1.5`, `(true)`, `(false)`, `(big) 123` |
//! | verbatim string | `(txt) "text"` |
//! | attribute | `(attr) {"k": "v"} reply` |

use crate::reply::Reply;

/// Lines longer than this are broken at the elements of aggregates.
const WIDTH: usize = 100;

/// `reply` as a case file writes it.
pub fn render(reply: &Reply) -> String {
    if let Reply::Error(text) = reply
        && !text.is_empty()
        && text.iter().all(|b| (b' '..0x7f).contains(b) && !b"<\\\"".contains(b))
    {
        return format!("(error) {}", String::from_utf8_lossy(text));
    }
    let mut out = String::new();
    write(&mut out, reply, 0);
    out
}

fn write(out: &mut String, reply: &Reply, indent: usize) {
    match reply {
        Reply::Simple(text) => {
            if is_bare(text) {
                out.push_str(&String::from_utf8_lossy(text));
            } else {
                out.push('+');
                out.push_str(&quote(text));
            }
        }
        Reply::Error(text) => {
            out.push_str("(error) ");
            out.push_str(&quote(text));
        }
        Reply::Integer(n) => out.push_str(&n.to_string()),
        Reply::Bulk(text) => out.push_str(&quote(text)),
        Reply::NullBulk => out.push_str("(nil)"),
        Reply::Null => out.push_str("(null)"),
        Reply::NullArray => out.push_str("(nil array)"),
        Reply::Double(text) => {
            out.push_str("(double) ");
            out.push_str(text);
        }
        Reply::Boolean(true) => out.push_str("(true)"),
        Reply::Boolean(false) => out.push_str("(false)"),
        Reply::BigNumber(text) => {
            out.push_str("(big) ");
            out.push_str(text);
        }
        Reply::Verbatim { format, text } => {
            out.push('(');
            out.push_str(&String::from_utf8_lossy(format));
            out.push_str(") ");
            out.push_str(&quote(text));
        }
        Reply::Array(items) => write_items(out, "[", items, indent),
        Reply::Set(items) => write_items(out, "set[", items, indent),
        Reply::Push(items) => write_items(out, "push[", items, indent),
        Reply::Map(pairs) => write_pairs(out, pairs, indent),
        Reply::Attributed { attributes: pairs, value: reply } => {
            out.push_str("(attr) ");
            write_pairs(out, pairs, indent);
            out.push(' ');
            write(out, reply, indent);
        }
    }
}

fn write_items(out: &mut String, open: &str, items: &[Reply], indent: usize) {
    let parts = items
        .iter()
        .map(|item| {
            let mut part = String::new();
            write(&mut part, item, indent + 2);
            part
        })
        .collect();
    write_parts(out, open, parts, "]", indent);
}

fn write_pairs(out: &mut String, pairs: &[(Reply, Reply)], indent: usize) {
    let parts = pairs
        .iter()
        .map(|(key, value)| {
            let mut part = String::new();
            write(&mut part, key, indent + 2);
            part.push_str(": ");
            write(&mut part, value, indent + 2);
            part
        })
        .collect();
    write_parts(out, "{", parts, "}", indent);
}

fn write_parts(out: &mut String, open: &str, parts: Vec<String>, close: &str, indent: usize) {
    out.push_str(open);
    let flat: usize = parts.iter().map(|p| p.len() + 2).sum();
    if indent + flat <= WIDTH && !parts.iter().any(|p| p.contains('\n')) {
        out.push_str(&parts.join(", "));
    } else {
        for part in parts {
            out.push('\n');
            out.push_str(&" ".repeat(indent + 2));
            out.push_str(&part);
            out.push(',');
        }
        out.push('\n');
        out.push_str(&" ".repeat(indent));
    }
    out.push_str(close);
}

/// Whether a simple string can stand without quotes: a word that starts with a letter.
fn is_bare(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
        && text != b"set"
        && text != b"push"
}

/// `text` in double quotes, with everything escaped that is not printable ASCII, and `<` where
/// it would read as a wildcard.
pub fn quote(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for (i, &byte) in text.iter().enumerate() {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'<' if text[i..].contains(&b'>') => out.push_str("\\x3c"),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

/// The byte that the escape sequence after a backslash stands for, and its length in `rest`
/// (which starts behind the backslash). `None` for an unknown one.
pub fn unescape(rest: &[u8]) -> Option<(u8, usize)> {
    Some(match *rest.first()? {
        b'n' => (b'\n', 1),
        b'r' => (b'\r', 1),
        b't' => (b'\t', 1),
        b'a' => (7, 1),
        b'b' => (8, 1),
        b'x' => {
            let hex = std::str::from_utf8(rest.get(1..3)?).ok()?;
            (u8::from_str_radix(hex, 16).ok()?, 3)
        }
        other @ (b'"' | b'\\' | b'\'') => (other, 1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Reply {
        Reply::Bulk(text.into())
    }

    #[test]
    fn replies_are_written_with_their_types() {
        let cases = [
            (Reply::Simple(b"OK".to_vec()), "OK"),
            (
                Reply::Simple(b"Background saving started".to_vec()),
                "+\"Background saving started\"",
            ),
            (Reply::Error(b"ERR syntax error".to_vec()), "(error) ERR syntax error"),
            (bulk("a\"b\n<int>"), r#""a\"b\n\x3cint>""#),
            (
                Reply::Array(vec![bulk("a"), Reply::Integer(1), Reply::NullBulk]),
                "[\"a\", 1, (nil)]",
            ),
            (Reply::Map(vec![(bulk("k"), Reply::Double("1.5".into()))]), "{\"k\": (double) 1.5}"),
            (Reply::Set(vec![]), "set[]"),
            (Reply::Array(vec![Reply::Error(b"ERR x".to_vec())]), "[(error) \"ERR x\"]"),
        ];
        for (reply, text) in cases {
            assert_eq!(render(&reply), text);
        }
    }

    #[test]
    fn long_aggregates_take_a_line_per_element() {
        let long = Reply::Array(vec![bulk(&"x".repeat(80)), bulk(&"y".repeat(80))]);
        assert_eq!(render(&long).lines().count(), 4);
    }
}
