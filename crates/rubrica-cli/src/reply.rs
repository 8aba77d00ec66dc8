//! The seam to the reply parser: the only file that names it.

/// A parsed reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    Null,
    Double(Vec<u8>),
    Boolean(bool),
    BigNumber(Vec<u8>),
    Verbatim(Vec<u8>),
    Array(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Set(Vec<Value>),
    Push(Vec<Value>),
}

/// Parses one reply from the start of `input`: the value and how many bytes it took, `None` when
/// more bytes are needed, or what is wrong with the bytes.
pub fn parse(input: &[u8]) -> Result<Option<(Value, usize)>, String> {
    let mut at = 0;
    Ok(value(input, &mut at)?.map(|value| (value, at)))
}

fn line<'a>(input: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let rest = input.get(*at..)?;
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    *at += end + 2;
    rest.get(..end)
}

fn many(n: i64, input: &[u8], at: &mut usize) -> Result<Option<Vec<Value>>, String> {
    let mut out = Vec::new();
    for _ in 0..n {
        match value(input, at)? {
            Some(value) => out.push(value),
            None => return Ok(None),
        }
    }
    Ok(Some(out))
}

fn value(input: &[u8], at: &mut usize) -> Result<Option<Value>, String> {
    let Some(text) = line(input, at) else { return Ok(None) };
    let Some((kind, text)) = text.split_first() else { return Err("Protocol error".into()) };
    let number = || {
        std::str::from_utf8(text)
            .ok()
            .and_then(|t| t.parse::<i64>().ok())
            .ok_or_else(|| "Bad integer value".to_string())
    };
    Ok(Some(match kind {
        b'+' => Value::Simple(text.to_vec()),
        b'-' => Value::Error(text.to_vec()),
        b':' => Value::Integer(number()?),
        b',' => Value::Double(text.to_vec()),
        b'(' => Value::BigNumber(text.to_vec()),
        b'_' => Value::Null,
        b'#' => Value::Boolean(text == b"t"),
        b'$' | b'=' => {
            let n = number()?;
            let Ok(n) = usize::try_from(n) else { return Ok(Some(Value::Null)) };
            let Some(body) = input.get(*at..*at + n) else { return Ok(None) };
            if input.len() < *at + n + 2 {
                return Ok(None);
            }
            *at += n + 2;
            if *kind == b'=' {
                Value::Verbatim(body.get(4..).unwrap_or_default().to_vec())
            } else {
                Value::Bulk(body.to_vec())
            }
        }
        b'*' | b'~' | b'>' | b'%' => {
            let n = number()?;
            if n < 0 {
                return Ok(Some(Value::Null));
            }
            let n = if *kind == b'%' { n * 2 } else { n };
            let Some(items) = many(n, input, at)? else { return Ok(None) };
            match kind {
                b'*' => Value::Array(items),
                b'~' => Value::Set(items),
                b'>' => Value::Push(items),
                _ => {
                    let mut pairs = Vec::new();
                    let mut items = items.into_iter();
                    while let (Some(key), Some(value)) = (items.next(), items.next()) {
                        pairs.push((key, value));
                    }
                    Value::Map(pairs)
                }
            }
        }
        _ => return Err("Protocol error".into()),
    }))
}
