//! JSON. Strings pass through byte for byte, so a binary payload gives JSON only with
//! [`Strings::Quoted`].

use crate::quoting::quoted;
use resp::Value;

/// How strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strings {
    /// Escaped as JSON demands and otherwise unchanged.
    Plain,
    /// As an ASCII literal with `\xHH`, its backslashes doubled.
    Quoted,
}

/// Appends `reply` without a line feed.
pub fn value(out: &mut Vec<u8>, reply: &Value, strings: Strings) {
    match reply {
        Value::Error(text) => {
            out.extend(b"error:");
            string(out, text, strings);
        }
        Value::Simple(text) | Value::Bulk(text) | Value::Verbatim { text, .. } => {
            string(out, text, strings);
        }
        Value::Integer(number) => out.extend(number.to_string().bytes()),
        Value::Double(text) | Value::BigNumber(text) => out.extend(text.bytes()),
        Value::Null | Value::NullBulk | Value::NullArray => out.extend(b"null"),
        Value::Boolean(truth) => out.extend(truth.to_string().bytes()),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                value(out, item, strings);
            }
            out.push(b']');
        }
        Value::Attributed { value: inner, .. } => value(out, inner, strings),
        Value::Map(pairs) => {
            out.push(b'{');
            for (index, (key, item)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                map_key(out, key, strings);
                out.push(b':');
                value(out, item, strings);
            }
            out.push(b'}');
        }
    }
}

/// JSON's keys are strings, RESP3's may be anything: what is not a string is put in quotes.
fn map_key(out: &mut Vec<u8>, key: &Value, strings: Strings) {
    let bare = !matches!(
        key,
        Value::Error(_) | Value::Simple(_) | Value::Bulk(_) | Value::Verbatim { .. }
    );
    if bare {
        out.push(b'"');
    }
    value(out, key, strings);
    if bare {
        out.push(b'"');
    }
}

fn string(out: &mut Vec<u8>, bytes: &[u8], strings: Strings) {
    if strings == Strings::Quoted {
        out.extend(quoted(bytes).replace('\\', "\\\\").bytes());
        return;
    }
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0x08 => out.extend(b"\\b"),
            0x0c => out.extend(b"\\f"),
            0..=0x1f => out.extend(format!("\\u{byte:04x}").bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
