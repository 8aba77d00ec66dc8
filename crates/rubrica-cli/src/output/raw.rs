//! The payload and nothing else.

use resp::Value;

/// Appends `reply`, its elements separated by `delimiter`. Only an error ends with a line feed.
pub fn value(out: &mut Vec<u8>, reply: &Value, delimiter: &[u8]) {
    match reply {
        Value::Null | Value::NullBulk | Value::NullArray => {}
        Value::Error(text) => {
            out.extend(text);
            out.push(b'\n');
        }
        Value::Simple(text) | Value::Bulk(text) | Value::Verbatim { text, .. } => out.extend(text),
        Value::Double(text) | Value::BigNumber(text) => out.extend(text.bytes()),
        Value::Attributed { value: inner, .. } => value(out, inner, delimiter),
        Value::Boolean(truth) => out.extend(if *truth { "(true)" } else { "(false)" }.bytes()),
        Value::Integer(number) => out.extend(number.to_string().bytes()),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.extend(delimiter);
                }
                value(out, item, delimiter);
            }
        }
        Value::Map(pairs) => {
            for (index, (key, item)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.extend(delimiter);
                }
                value(out, key, delimiter);
                out.push(b' ');
                value(out, item, delimiter);
            }
        }
    }
}
