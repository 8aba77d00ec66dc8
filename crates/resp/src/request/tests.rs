use super::*;
use proptest::prelude::*;

/// What a stream holds: its commands, and the error that ended it, if one did.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    commands: Vec<Vec<Vec<u8>>>,
    error: Option<ProtocolError>,
    /// Bytes of the stream that no whole command covers.
    rest: usize,
}

fn words(command: &[u8], spans: &[Span]) -> Vec<Vec<u8>> {
    spans.iter().map(|span| span.of(command).to_vec()).collect()
}

/// Reads `stream` as it arrives up to each of the rising offsets `arrivals`, then whole.
fn read(stream: &[u8], arrivals: &[usize], limits: &Limits) -> Outcome {
    let mut parser = Parser::new();
    let mut outcome = Outcome { commands: Vec::new(), error: None, rest: 0 };
    let mut start = 0;
    for &arrived in arrivals.iter().chain([&stream.len()]) {
        while start < arrived {
            let buf = &stream[start..arrived];
            let mut args = vec![Span { start: 7, len: 7 }];
            let mut plain = args.clone();
            let quick = parser.parse_plain(buf, limits, &mut plain);
            let parsed = parser.parse_closely(buf, limits, &mut args);
            match quick {
                Some(consumed) => {
                    let closely = Ok(Parsed::Command { consumed, canonical: false });
                    assert_eq!((&parsed, &args), (&closely, &plain));
                    assert_eq!(encoded(&words(buf, &plain[1..])), buf[..consumed]);
                }
                None => assert_eq!(plain.len(), 1),
            }
            let own = args.split_off(1);
            assert_eq!(args, [Span { start: 7, len: 7 }]);
            match parsed {
                Ok(Parsed::Command { consumed, .. }) => {
                    assert!(consumed > 0 && consumed <= buf.len());
                    outcome.commands.push(words(buf, &own));
                    start += consumed;
                }
                Ok(Parsed::Inline { consumed, args }) => {
                    assert!(own.is_empty() && !args.is_empty());
                    assert!(consumed > 0 && consumed <= buf.len());
                    outcome.commands.push(args);
                    start += consumed;
                }
                Ok(Parsed::Incomplete { wanted }) => {
                    assert!(own.is_empty());
                    assert!(wanted > buf.len() && wanted <= 2 * buf.len() + HINT_STEP);
                    break;
                }
                Err(error) => {
                    assert!(own.is_empty());
                    outcome.error = Some(error);
                    return outcome;
                }
            }
        }
    }
    outcome.rest = stream.len() - start;
    outcome
}

fn read_whole(stream: &[u8]) -> Outcome {
    read(stream, &[], &Limits::default())
}

fn commands(stream: &[u8]) -> Vec<Vec<String>> {
    let outcome = read_whole(stream);
    assert_eq!((outcome.error, outcome.rest), (None, 0), "{:?}", stream.escape_ascii().to_string());
    let text = |arg: &Vec<u8>| arg.escape_ascii().to_string();
    outcome.commands.iter().map(|args| args.iter().map(text).collect()).collect()
}

/// Words in the canonical form.
fn encoded(words: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Whether the first command of a stream is a whole one, and known to be canonical.
fn is_canonical(stream: &[u8]) -> Option<bool> {
    match Parser::new().parse(stream, &Limits::default(), &mut Vec::new()) {
        Ok(Parsed::Command { canonical, .. }) => Some(canonical),
        _ => None,
    }
}

#[test]
fn a_command_in_the_one_form_that_logs_have_is_known_to_be() {
    let words = |count: usize, len: usize| encoded(&vec![vec![b'x'; len]; count]);
    for (count, len) in [(1, 0), (3, 9), (9, 10), (10, 99), (12, 100), (99, 12_345)] {
        assert_eq!(is_canonical(&words(count, len)), Some(true), "{count} of {len}");
        let and_more = [words(count, len), words(1, 4)].concat();
        assert_eq!(is_canonical(&and_more), Some(true), "{count} of {len}");
    }
    assert_eq!(is_canonical(b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$2\r\n\r\n\r\n"), Some(true));
    // Longer ones are not looked at so closely.
    assert_eq!(is_canonical(&words(100, 1)), Some(false));
    for strange in [
        &b"*1\rx$4\r\nPING\r\n"[..],
        b"*1\r\n$4\rxPING\r\n",
        b"*1\r\n$4\r\nPINGxx",
        b"*2\r\n$4\r\nPINGxx$1\r\na\r\n",
        b"*1\r\n$100\rx0123456789012345678901234567890123456789012345678901234567890123456789\
          01234567890123456789012345678901\r\n",
        b"PING\r\n",
    ] {
        assert_eq!(is_canonical(strange), Some(false), "{}", strange.escape_ascii());
    }
}

#[test]
fn pipelined_commands_come_out_in_order() {
    assert_eq!(
        commands(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nPING\r\n*1\r\n$12\r\nhello\r\nworld\r\n"),
        [vec!["GET", "a"], vec!["PING"], vec!["hello\\r\\nworld"]]
    );
    let long = "x".repeat(123_456);
    let stream = format!("*11\r\n{}$123456\r\n{long}\r\n", "$0\r\n\r\n".repeat(10));
    assert_eq!(commands(stream.as_bytes())[0][10], long);
}

#[test]
fn plain_commands_take_the_short_way() {
    let consumed =
        |stream: &[u8]| Parser::new().parse_plain(stream, &Limits::default(), &mut Vec::new());
    let long = format!("*2\r\n$4\r\nECHO\r\n$100\r\n{}\r\n", "x".repeat(100));
    assert_eq!(consumed(b"*2\r\n$3\r\nGET\r\n$10\r\n0123456789\r\n*1"), Some(30));
    assert_eq!(consumed(long.as_bytes()), Some(long.len()));
    assert_eq!(consumed(&long.as_bytes()[..long.len() - 1]), None);
    assert_eq!(consumed(b"*1\r\n$-1\r\n"), None);
    assert_eq!(consumed(b"*1\r\n$04\r\nPING\r\n"), None);
    assert_eq!(consumed(b"PING\r\n"), None);
}

#[test]
fn empty_commands_are_skipped_over() {
    for stream in ["*0\r\n", "*-1\r\n", "*-9223372036854775808\r\n", "\r\n", "\n", "  \t\x0b\r\n"] {
        assert_eq!(commands(stream.as_bytes()), [Vec::<String>::new()], "{stream:?}");
    }
}

#[test]
fn inline_commands_split_like_a_shell() {
    assert_eq!(
        commands(b"SET  a\tb\\n\r\nget x\n"),
        [vec!["SET", "a", "b\\\\n"], vec!["get", "x"]]
    );
    assert_eq!(commands(b"set \"a b\" 'c\\'d' \"\\x00\"\r\n"), [["set", "a b", "c\\'d", "\\x00"]]);
    assert_eq!(commands(b"a\x0bb\x0c c\rd\r\n"), [["a\\x0bb\\x0c", "c", "d"]]);
}

/// The texts were compared with redis-server 7.0.15.
#[test]
fn malformed_streams_get_redis_s_own_errors() {
    let long = "1".repeat(70_000);
    let table: &[(&str, &str)] = &[
        ("*x\r\n", "invalid multibulk length"),
        ("*\r\n", "invalid multibulk length"),
        ("*01\r\n", "invalid multibulk length"),
        ("*+1\r\n", "invalid multibulk length"),
        ("*-0\r\n", "invalid multibulk length"),
        ("* 1\r\n", "invalid multibulk length"),
        ("*2147483648\r\n", "invalid multibulk length"),
        ("*99999999999999999999\r\n", "invalid multibulk length"),
        ("*1\r\nfoo\r\n", "expected '$', got 'f'"),
        ("*1\r\n\r\n", "expected '$', got ' '"),
        ("*1\r\n\nab\r\n", "expected '$', got ' '"),
        ("*2\r\n$1\r\na\r\n*1\r\n", "expected '$', got '*'"),
        ("*1\r\n$x\r\n", "invalid bulk length"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$\r\n", "invalid bulk length"),
        ("*1\r\n$03\r\nfoo\r\n", "invalid bulk length"),
        ("*1\r\n$536870913\r\n", "invalid bulk length"),
        ("*1\r\n$4 \r\n", "invalid bulk length"),
        ("\"a\r\n", "unbalanced quotes in request"),
        ("'a' 'b'c\r\n", "unbalanced quotes in request"),
        (&long, "too big inline request"),
        (&format!("*{long}"), "too big mbulk count string"),
        (&format!("*1\r\n${long}"), "too big bulk count string"),
    ];
    for (stream, text) in table {
        let error = read_whole(stream.as_bytes()).error;
        let line = error.map(|error| {
            let mut out = Vec::new();
            crate::Writer::new(&mut out, crate::Protocol::Resp2).error_bytes(&error.to_line());
            String::from_utf8_lossy(&out).into_owned()
        });
        assert_eq!(line, Some(format!("-ERR Protocol error: {text}\r\n")));
    }
}

#[test]
fn unauthenticated_clients_may_send_little() {
    let limits = Limits { authenticated: false, ..Limits::default() };
    let error = |stream: &str| read(stream.as_bytes(), &[], &limits).error;
    assert_eq!(error("*10\r\n$16384\r\n"), None);
    assert_eq!(error("*11\r\n"), Some(ProtocolError::UnauthenticatedMultibulkLength));
    assert_eq!(error("*1\r\n$16385\r\n"), Some(ProtocolError::UnauthenticatedBulkLength));
    let whole = format!("*1\r\n$16385\r\n{}\r\n", "x".repeat(16385));
    assert_eq!(error(&whole), Some(ProtocolError::UnauthenticatedBulkLength));
    assert_eq!(
        ProtocolError::UnauthenticatedBulkLength.to_string(),
        "Protocol error: unauthenticated bulk length"
    );
}

#[test]
fn lines_up_to_the_limit_are_read() {
    let limits = Limits { inline_len: 8, ..Limits::default() };
    assert_eq!(read(b"12345678\n", &[], &limits).error, None);
    assert_eq!(read(b"123456789\n", &[], &limits).error, Some(ProtocolError::TooBigInline));
    assert_eq!(read(b"12345678", &[], &limits).error, None);
    assert_eq!(read(b"123456789", &[], &limits).error, Some(ProtocolError::TooBigInline));
}

#[test]
fn a_nul_hides_the_end_of_a_line() {
    for stream in [&b"PI\0NG\r\n"[..], b"*1\0\r\n", b"*1\r\n$1\0\r\na\r\n"] {
        let outcome = read_whole(stream);
        assert_eq!((outcome.commands.len(), outcome.error, outcome.rest), (0, None, stream.len()));
    }
}

#[test]
fn announced_sizes_allocate_nothing() {
    let mut parser = Parser::new();
    let mut args = Vec::new();
    let stream = b"*2147483647\r\n$536870912\r\n";
    let parsed = parser.parse(stream, &Limits::default(), &mut args);
    assert_eq!(parsed, Ok(Parsed::Incomplete { wanted: stream.len() + HINT_STEP }));
    assert_eq!((args.capacity(), parser.spans.capacity()), (0, 0));
}

#[test]
fn a_command_past_four_gigabytes_is_refused() {
    let limits = Limits { bulk_len: usize::MAX, ..Limits::default() };
    let error = read(b"*1\r\n$4294967296\r\n", &[], &limits).error;
    assert_eq!(error, Some(ProtocolError::InvalidBulkLength));
    assert_eq!(read(b"*1\r\n$4294967000\r\n", &[], &limits).error, None);
}

#[test]
fn a_parser_is_at_rest_between_commands() {
    let mut parser = Parser::new();
    let mut args = Vec::new();
    let stream = b"*1\r\n$4\r\nPING\r\n";
    for end in 0..stream.len() {
        let parsed = parser.parse(&stream[..end], &Limits::default(), &mut args);
        assert!(matches!(parsed, Ok(Parsed::Incomplete { .. })));
        assert_eq!(parser.is_partial(), end > 0);
    }
    let parsed = parser.parse(stream, &Limits::default(), &mut args);
    assert_eq!(parsed, Ok(Parsed::Command { consumed: stream.len(), canonical: false }));
    assert!(!parser.is_partial());
    parser.parse(b"PI", &Limits::default(), &mut args).unwrap();
    assert!(parser.is_partial());
    parser.reset();
    assert!(!parser.is_partial());
}

/// Streams of plausible pieces, so that most of the grammar is reached and often just missed.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..14)
            .prop_map(|args| {
                let mut out = format!("*{}\r\n", args.len()).into_bytes();
                for arg in args {
                    out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
                    out.extend_from_slice(&arg);
                    out.extend_from_slice(b"\r\n");
                }
                out
            }),
        2 => "[a-z\"' \\\\]{0,12}\r?\n".prop_map(String::into_bytes),
        1 => "[*$]-?[0-9]{0,11}\r\n".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_of_a_stream_reads_the_same(
        stream in streams(),
        mut arrivals in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
        authenticated: bool,
        inline_len in 4usize..40,
    ) {
        let limits = Limits { authenticated, inline_len, ..Limits::default() };
        arrivals.sort_by_key(|index| index.index(stream.len() + 1));
        let arrivals: Vec<usize> = arrivals.iter().map(|i| i.index(stream.len() + 1)).collect();
        let every: Vec<usize> = (0..stream.len()).collect();
        let whole = read(&stream, &[], &limits);
        prop_assert_eq!(&read(&stream, &arrivals, &limits), &whole);
        prop_assert_eq!(&read(&stream, &every, &limits), &whole);
    }
}
