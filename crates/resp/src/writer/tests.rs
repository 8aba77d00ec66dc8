use super::*;

/// What `write` appends in RESP2 and in RESP3.
fn both(write: impl Fn(&mut Writer<'_>)) -> (String, String) {
    let one = |protocol| {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out, protocol));
        String::from_utf8_lossy(&out).into_owned()
    };
    (one(Protocol::Resp2), one(Protocol::Resp3))
}

#[test]
fn each_reply_takes_the_protocol_s_own_form() {
    type Write = fn(&mut Writer<'_>);
    let table: &[(Write, &str, &str)] = &[
        (|w| w.ok(), "+OK\r\n", "+OK\r\n"),
        (|w| w.simple("PONG"), "+PONG\r\n", "+PONG\r\n"),
        (|w| w.error("ERR no"), "-ERR no\r\n", "-ERR no\r\n"),
        (|w| w.integer(7), ":7\r\n", ":7\r\n"),
        (|w| w.integer(-1), ":-1\r\n", ":-1\r\n"),
        (|w| w.integer(i64::MIN), ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"),
        (|w| w.bulk(b"a\r\n"), "$3\r\na\r\n\r\n", "$3\r\na\r\n\r\n"),
        (|w| w.bulk_int(-12), "$3\r\n-12\r\n", "$3\r\n-12\r\n"),
        (|w| w.null(), "$-1\r\n", "_\r\n"),
        (|w| w.null_array(), "*-1\r\n", "_\r\n"),
        (|w| w.array(10), "*10\r\n", "*10\r\n"),
        (|w| w.array(123), "*123\r\n", "*123\r\n"),
        (|w| w.map(5), "*10\r\n", "%5\r\n"),
        (|w| w.set(3), "*3\r\n", "~3\r\n"),
        (|w| w.push(3), "*3\r\n", ">3\r\n"),
        (|w| w.double(0.1), "$3\r\n0.1\r\n", ",0.1\r\n"),
        (|w| w.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n"),
        (|w| w.double(f64::NAN), "$3\r\nnan\r\n", ",nan\r\n"),
        (|w| w.boolean(true), ":1\r\n", "#t\r\n"),
        (|w| w.boolean(false), ":0\r\n", "#f\r\n"),
        (|w| w.big_number("123"), "$3\r\n123\r\n", "(123\r\n"),
        (|w| w.verbatim("txt", b"hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"),
        (|w| w.verbatim("x", b""), "$0\r\n\r\n", "=4\r\nx  :\r\n"),
    ];
    for (write, resp2, resp3) in table {
        assert_eq!(both(write), ((*resp2).into(), (*resp3).into()));
    }
}

#[test]
fn client_text_in_an_error_cannot_forge_a_reply() {
    let (line, _) = both(|w| w.error_bytes(b"ERR unknown command 'a\r\n+OK\r\n\0'\r\n"));
    assert_eq!(line, "-ERR unknown command 'a  +OK   '\r\n");
    let (line, _) = both(|w| w.simple("a\nb"));
    assert_eq!(line, "+a b\r\n");
}

#[test]
fn deferred_headers_take_the_length_known_at_the_end() {
    let written = |elements: usize| {
        both(|w| {
            w.ok();
            let outer = w.deferred();
            let inner = w.deferred();
            (0..elements).for_each(|_| w.integer(1));
            w.finish_map(inner, elements / 2);
            w.finish_array(outer, 1);
        })
    };
    assert_eq!(written(0), ("+OK\r\n*1\r\n*0\r\n".into(), "+OK\r\n*1\r\n%0\r\n".into()));
    let (resp2, resp3) = written(24);
    assert_eq!(resp2, format!("+OK\r\n*1\r\n*24\r\n{}", ":1\r\n".repeat(24)));
    assert_eq!(resp3, format!("+OK\r\n*1\r\n%12\r\n{}", ":1\r\n".repeat(24)));
}

#[test]
fn a_reply_can_be_taken_back() {
    let mut out = b"+OK\r\n".to_vec();
    let mut writer = Writer::new(&mut out, Protocol::Resp2);
    let len = writer.len();
    let deferred = writer.deferred();
    writer.integer(5);
    writer.truncate(len);
    writer.finish_set(deferred, 3);
    writer.raw(b"+QUEUED\r\n");
    assert_eq!(out, b"+OK\r\n+QUEUED\r\n");
}
