use super::*;
use crate::{Protocol, Writer};
use proptest::prelude::*;

fn whole(reply: &str) -> Result<Option<Value>, ReplyError> {
    let limits = ReplyLimits::default();
    let parsed = parse_reply(reply.as_bytes(), &limits)?;
    Ok(parsed.map(|(value, len)| {
        assert_eq!(len, reply.len(), "{reply:?}");
        value
    }))
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.into())
}

#[test]
fn every_type_of_both_protocols_is_read() {
    let int = Value::Integer;
    for (reply, value) in [
        ("+OK\r\n", Value::Simple("OK".into())),
        ("+\r\n", Value::Simple(vec![])),
        ("-ERR no\r\n", Value::Error("ERR no".into())),
        ("!6\r\nERR\r\n!\r\n", Value::Error("ERR\r\n!".into())),
        (":-7\r\n", int(-7)),
        (":+7\r\n", int(7)),
        ("$3\r\na\r\n\r\n", bulk("a\r\n")),
        ("$0\r\n\r\n", bulk("")),
        ("$-1\r\n", Value::NullBulk),
        ("*-1\r\n", Value::NullArray),
        ("_\r\n", Value::Null),
        ("#t\r\n", Value::Boolean(true)),
        ("#f\r\n", Value::Boolean(false)),
        (",1.5e-9\r\n", Value::Double("1.5e-9".into())),
        (",-inf\r\n", Value::Double("-inf".into())),
        ("(-3492890328409238509324850943850943825024385\r\n", {
            Value::BigNumber("-3492890328409238509324850943850943825024385".into())
        }),
        ("=6\r\ntxt:hi\r\n", Value::Verbatim { format: *b"txt", text: "hi".into() }),
        ("*0\r\n", Value::Array(vec![])),
        ("*2\r\n:1\r\n*1\r\n:2\r\n", Value::Array(vec![int(1), Value::Array(vec![int(2)])])),
        ("~1\r\n#t\r\n", Value::Set(vec![Value::Boolean(true)])),
        (">1\r\n+x\r\n", Value::Push(vec![Value::Simple("x".into())])),
        ("%1\r\n:1\r\n:2\r\n", Value::Map(vec![(int(1), int(2))])),
        ("|1\r\n:1\r\n:2\r\n:3\r\n", {
            Value::Attributed { attributes: vec![(int(1), int(2))], value: Box::new(int(3)) }
        }),
        ("*1\r\n|0\r\n:3\r\n", {
            let value = Box::new(int(3));
            Value::Array(vec![Value::Attributed { attributes: vec![], value }])
        }),
        ("*?\r\n:1\r\n*?\r\n.\r\n.\r\n", Value::Array(vec![int(1), Value::Array(vec![])])),
        ("~?\r\n:1\r\n.\r\n", Value::Set(vec![int(1)])),
        ("%?\r\n:1\r\n:2\r\n.\r\n", Value::Map(vec![(int(1), int(2))])),
        ("$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n", bulk("abc")),
    ] {
        assert_eq!(whole(reply), Ok(Some(value)), "{reply:?}");
    }
}

#[test]
fn malformed_replies_are_refused() {
    use ReplyError::*;
    for (reply, error) in [
        ("x\r\n", UnknownType(b'x')),
        (".\r\n", UnknownType(b'.')),
        ("*1\r\n.\r\n", UnknownType(b'.')),
        ("*?\r\n|0\r\n.\r\n", UnknownType(b'.')),
        ("$?\r\n:1\r\n", UnknownType(b':')),
        (":1.5\r\n", InvalidNumber),
        (":\r\n", InvalidNumber),
        ("$-2\r\n", InvalidNumber),
        ("~-1\r\n", InvalidNumber),
        ("*x\r\n", InvalidNumber),
        ("$1\r\nab\r\n", MissingLineEnd),
        ("+a\rb\r\n", MissingLineEnd),
        ("+a\nb\r\n", InvalidContent),
        ("#x\r\n", InvalidContent),
        ("_x\r\n", InvalidContent),
        (",x\r\n", InvalidContent),
        ("(x\r\n", InvalidNumber),
        ("=3\r\ntxt\r\n", InvalidContent),
        ("%?\r\n:1\r\n.\r\n", OddMap),
        ("*4294967297\r\n", TooManyElements),
        ("%2147483649\r\n", TooManyElements),
        ("$4294967297\r\n", TooLong),
    ] {
        assert_eq!(whole(reply), Err(error), "{reply:?}");
    }
}

#[test]
fn limits_hold_for_every_kind_of_nesting() {
    let limits = ReplyLimits { depth: 3, bulk_len: 5, elements: 4 };
    let read = |reply: &str| parse_reply(reply.as_bytes(), &limits).map(|_| ());
    for opener in ["*1\r\n", "%1\r\n", "*?\r\n", "%?\r\n:1\r\n", "|0\r\n", "|1\r\n", ">1\r\n"] {
        assert_eq!(read(&opener.repeat(3)), Ok(()), "{opener:?}");
        assert_eq!(read(&opener.repeat(4)), Err(ReplyError::TooDeep), "{opener:?}");
    }
    assert_eq!(read("$5\r\n"), Ok(()));
    assert_eq!(read("$6\r\n"), Err(ReplyError::TooLong));
    assert_eq!(read("+12345"), Ok(()));
    assert_eq!(read("+123456"), Err(ReplyError::TooLong));
    assert_eq!(read("$?\r\n;3\r\nabc\r\n;3\r\n"), Err(ReplyError::TooLong));
    assert_eq!(read("*5\r\n"), Err(ReplyError::TooManyElements));
    assert_eq!(read("%3\r\n"), Err(ReplyError::TooManyElements));
}

#[test]
fn chains_of_attributes_do_not_exhaust_the_stack() {
    let chain = "|0\r\n".repeat(1_000_000);
    assert_eq!(whole(&chain), Err(ReplyError::TooDeep));
}

/// Any value, with the bytes that spell it.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[ -~]{0,9}".prop_map(|text| Value::Simple(text.into())),
        "[ -~]{0,9}".prop_map(|text| Value::Error(text.into())),
        any::<i64>().prop_map(Value::Integer),
        proptest::collection::vec(any::<u8>(), 0..200).prop_map(Value::Bulk),
        any::<bool>().prop_map(Value::Boolean),
        Just(Value::Null),
        any::<u128>().prop_map(|number| Value::BigNumber(number.to_string())),
        "[ -~]{0,9}".prop_map(|text| Value::Verbatim { format: *b"mkd", text: text.into() }),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let many = || proptest::collection::vec(inner.clone(), 0..12);
        let pairs = proptest::collection::vec((inner.clone(), inner.clone()), 0..12);
        prop_oneof![
            many().prop_map(Value::Array),
            many().prop_map(Value::Set),
            many().prop_map(Value::Push),
            pairs.prop_map(Value::Map),
        ]
    })
}

/// Writes `value` in RESP3, its aggregates with deferred headers when `deferred`.
fn write(writer: &mut Writer<'_>, value: &Value, deferred: bool) {
    let each = |writer: &mut Writer<'_>, values: &[Value]| {
        values.iter().for_each(|value| write(writer, value, deferred));
    };
    match value {
        Value::Simple(text) => writer.simple_bytes(text),
        Value::Error(text) => writer.error_bytes(text),
        Value::Integer(number) => writer.integer(*number),
        Value::Bulk(bytes) => writer.bulk(bytes),
        Value::Null => writer.null(),
        Value::Boolean(truth) => writer.boolean(*truth),
        Value::BigNumber(digits) => writer.big_number(digits),
        Value::Verbatim { text, .. } => writer.verbatim("mkd", text),
        Value::Array(values) if deferred => {
            let header = writer.deferred();
            each(writer, values);
            writer.finish_array(header, values.len());
        }
        Value::Set(values) if deferred => {
            let header = writer.deferred();
            each(writer, values);
            writer.finish_set(header, values.len());
        }
        Value::Array(values) => {
            writer.array(values.len());
            each(writer, values);
        }
        Value::Set(values) => {
            writer.set(values.len());
            each(writer, values);
        }
        Value::Push(values) => {
            writer.push(values.len());
            each(writer, values);
        }
        Value::Map(pairs) => {
            let header = deferred.then(|| writer.deferred());
            if header.is_none() {
                writer.map(pairs.len());
            }
            for (key, value) in pairs {
                write(writer, key, deferred);
                write(writer, value, deferred);
            }
            if let Some(header) = header {
                writer.finish_map(header, pairs.len());
            }
        }
        other => unreachable!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn what_the_writer_writes_is_read_back_from_any_pieces(
        value in values(),
        deferred: bool,
        step in 1usize..50,
    ) {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out, Protocol::Resp3), &value, deferred);
        let limits = ReplyLimits::default();
        let mut parser = ReplyParser::new();
        let mut end = 0;
        let read = loop {
            match parser.parse(&out[..end], &limits) {
                Ok(Some(read)) => break read,
                Ok(None) => prop_assert!(end < out.len()),
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
            end = (end + step).min(out.len());
        };
        prop_assert_eq!(read, (value, out.len()));
    }
}
