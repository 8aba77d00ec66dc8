//! For eyes: types named, elements numbered, nested ones indented under their parent.

use crate::quoting::quote_into;
use resp::Value;

/// Appends `reply` with a final line feed. `indent` is the column at which it starts: the first line
/// is there already, the following ones are padded to it.
pub fn value(out: &mut Vec<u8>, reply: &Value, indent: usize) {
    match reply {
        Value::Error(text) => line(out, &[b"(error) ", text]),
        Value::Simple(text) | Value::Verbatim { text, .. } => line(out, &[text]),
        Value::Integer(number) => line(out, &[b"(integer) ", number.to_string().as_bytes()]),
        Value::Double(text) => line(out, &[b"(double) ", text.as_bytes()]),
        Value::BigNumber(text) => line(out, &[b"(big number) ", text.as_bytes()]),
        Value::Bulk(text) => {
            quote_into(out, text);
            out.push(b'\n');
        }
        Value::Null | Value::NullBulk | Value::NullArray => line(out, &[b"(nil)"]),
        Value::Boolean(truth) => line(out, &[if *truth { b"(true)" } else { b"(false)" }]),
        Value::Array(items) => elements(out, items, indent, ')', "(empty array)"),
        Value::Set(items) => elements(out, items, indent, '~', "(empty set)"),
        Value::Push(items) => elements(out, items, indent, ')', "(empty push)"),
        Value::Map(pairs) => map(out, pairs, indent),
        Value::Attributed { value: inner, .. } => value(out, inner, indent),
    }
}

/// Prints the push message of client-side caching on one line of its own kind; false when `reply`
/// is something else.
pub fn invalidation(out: &mut Vec<u8>, reply: &Value) -> bool {
    let Value::Push(items) = reply else { return false };
    let [Value::Bulk(kind), Value::Array(keys)] = items.as_slice() else { return false };
    if !kind.starts_with(b"invalidate") {
        return false;
    }
    out.extend(b"-> invalidate: ");
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            out.extend(b", ");
        }
        let Value::Bulk(key) = key else { continue };
        out.push(b'\'');
        out.extend(key);
        out.push(b'\'');
    }
    out.push(b'\n');
    true
}

fn line(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend(*part);
    }
    out.push(b'\n');
}

fn elements(out: &mut Vec<u8>, items: &[Value], indent: usize, mark: char, empty: &str) {
    if items.is_empty() {
        return line(out, &[empty.as_bytes()]);
    }
    let width = digits(items.len());
    for (index, item) in items.iter().enumerate() {
        number(out, index, width, indent, mark);
        value(out, item, indent + width + 2);
    }
}

fn map(out: &mut Vec<u8>, pairs: &[(Value, Value)], indent: usize) {
    if pairs.is_empty() {
        return line(out, &[b"(empty hash)"]);
    }
    let width = digits(pairs.len());
    let inner = indent + width + 2;
    for (index, (key, item)) in pairs.iter().enumerate() {
        number(out, index, width, indent, '#');
        value(out, key, inner);
        out.pop();
        out.extend(b" => ");
        if is_multiline(item) {
            out.push(b'\n');
            pad(out, inner);
        }
        value(out, item, inner);
    }
}

/// The element's number from 1, right-aligned to `width`. The first one follows its parent's.
fn number(out: &mut Vec<u8>, index: usize, width: usize, indent: usize, mark: char) {
    if index > 0 {
        pad(out, indent);
    }
    out.extend(format!("{:>width$}{mark} ", index.saturating_add(1)).bytes());
}

fn pad(out: &mut Vec<u8>, columns: usize) {
    out.resize(out.len() + columns, b' ');
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

/// Whether [`value`] prints more than one line.
fn is_multiline(reply: &Value) -> bool {
    match reply {
        Value::Array(items) | Value::Set(items) | Value::Push(items) => match items.as_slice() {
            [] => false,
            [only] => is_multiline(only),
            _ => true,
        },
        Value::Map(pairs) => match pairs.as_slice() {
            [] => false,
            [(_, only)] => is_multiline(only),
            _ => true,
        },
        Value::Attributed { value, .. } => is_multiline(value),
        _ => false,
    }
}
