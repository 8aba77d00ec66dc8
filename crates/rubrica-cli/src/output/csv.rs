//! One line of comma-separated literals; nesting is flattened.

use crate::quoting::quote_into;
use resp::Value;

/// Appends `reply` without a line feed.
pub fn value(out: &mut Vec<u8>, reply: &Value) {
    match reply {
        Value::Error(text) => {
            out.extend(b"ERROR,");
            quote_into(out, text);
        }
        Value::Simple(text) | Value::Bulk(text) | Value::Verbatim { text, .. } => {
            quote_into(out, text)
        }
        Value::Integer(number) => out.extend(number.to_string().bytes()),
        Value::Double(text) | Value::BigNumber(text) => out.extend(text.bytes()),
        Value::Null | Value::NullBulk | Value::NullArray => out.extend(b"NULL"),
        Value::Boolean(truth) => out.extend(truth.to_string().bytes()),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => list(out, items.iter()),
        Value::Attributed { value: inner, .. } => value(out, inner),
        Value::Map(pairs) => list(out, pairs.iter().flat_map(|(key, item)| [key, item])),
    }
}

fn list<'a>(out: &mut Vec<u8>, items: impl Iterator<Item = &'a Value>) {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        value(out, item);
    }
}
