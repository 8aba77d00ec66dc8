//! The rules of `codec` and `resp` compared with a redis-server that each test starts. Without one on the search
//! path the tests say so and compare nothing.

#![allow(clippy::unwrap_used, reason = "a test may stop where its server does")]

use codec::{crc64, glob, long_double::LongDouble, lzf, number};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use resp::{Protocol, ReplyLimits, ReplyParser, Value, Writer};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Time until a started server must answer.
const START_MAX: Duration = Duration::from_secs(10);

struct Redis {
    stream: TcpStream,
    server: Child,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Redis {
    fn start() -> Option<RefCell<Self>> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        let server = match command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(server) => server,
            Err(error) => {
                eprintln!("compared with nothing: redis-server: {error}");
                return None;
            }
        };
        let start = Instant::now();
        loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => return Some(RefCell::new(Self { stream, server })),
                Err(_) if start.elapsed() < START_MAX => thread::sleep(Duration::from_millis(20)),
                Err(error) => panic!("redis-server does not answer: {error}"),
            }
        }
    }

    fn run(&mut self, args: &[&[u8]]) -> Value {
        let mut request = Vec::new();
        let mut writer = Writer::new(&mut request, Protocol::Resp2);
        writer.array(args.len());
        args.iter().for_each(|arg| writer.bulk(arg));
        self.stream.write_all(&request).unwrap();
        let (mut parser, mut received) = (ReplyParser::new(), Vec::new());
        loop {
            if let Some((value, _)) = parser.parse(&received, &ReplyLimits::default()).unwrap() {
                return value;
            }
            let mut piece = [0; 4096];
            let len = self.stream.read(&mut piece).unwrap();
            assert!(len > 0, "connection closed");
            received.extend_from_slice(&piece[..len]);
        }
    }
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

/// Number-like text: mostly valid, in range and out of it.
fn numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[+-]?[0-9]{0,20}(\\.[0-9]{0,22})?",
        3 => "[+-]?[0-9]{1,4}(\\.[0-9]{0,18})?[eE][+-]?[0-9]{1,2}",
        2 => "[+-]?[0-9](\\.[0-9]{0,18})?e[+-]?[0-9]{2,4}",
        2 => "[+-]?0[xX][0-9a-fA-F]{0,20}(\\.[0-9a-fA-F]{0,20})?([pP][+-]?[0-9]{1,4})?",
        1 => "[+-]?(inf|INFINITY|nan|infinit|Inf )",
        1 => "[0-9.eExXpP+ -]{0,8}",
        2 => any::<f64>().prop_map(|value| value.to_string()),
        2 => any::<i64>().prop_map(|value| value.to_string()),
    ]
}

#[test]
fn globs_match_as_keys_does() {
    let Some(redis) = Redis::start() else { return };
    let texts =
        proptest::collection::vec("[ab\\[\\]^AB\\\\*?-]{0,6}|[a\\x00\\xc3\\xa9]{1,3}", 1..20);
    let patterns = proptest::collection::vec("[abAB*?\\[\\]^\\\\-]{0,8}|[aé\\[\\]*-]{1,8}", 1..30);
    let strategy = (texts, patterns);
    let result = runner(1500).run(&strategy, |(texts, patterns)| {
        let mut redis = redis.borrow_mut();
        redis.run(&[b"FLUSHALL"]);
        texts.iter().for_each(|text| drop(redis.run(&[b"SET", text.as_bytes(), b""])));
        for pattern in patterns.iter().map(String::as_bytes).filter(|&pattern| pattern != b"*") {
            let mut theirs: Vec<Vec<u8>> = match redis.run(&[b"KEYS", pattern]) {
                Value::Array(keys) => {
                    keys.iter().filter_map(|key| key.as_bytes().map(<[u8]>::to_vec)).collect()
                }
                other => panic!("{other:?}"),
            };
            let mut ours: Vec<Vec<u8>> = texts
                .iter()
                .filter(|text| glob::matches(pattern, text.as_bytes(), false))
                .map(|text| text.clone().into_bytes())
                .collect();
            theirs.sort();
            ours.sort();
            ours.dedup();
            prop_assert_eq!(ours, theirs, "pattern {}", pattern.escape_ascii());
        }
        Ok(())
    });
    result.unwrap();
}

/// CONFIG GET folds case; its parameter names are the texts.
#[test]
fn globs_fold_case_as_config_get_does() {
    let Some(redis) = Redis::start() else { return };
    let names = ["port", "save", "timeout", "databases", "hz", "loglevel"];
    let strategy = "\\*?[A-Zp-t\\\\^-]{0,2}(\\[[\\^]?[A-Za-z\\\\-]{1,5}\\]?)?[*?a-tA-T]{0,5}";
    let result = runner(5000).run(&strategy, |pattern| {
        // Text without metacharacters is looked up by name there.
        prop_assume!(pattern.contains(['*', '?', '[']));
        let reply = redis.borrow_mut().run(&[b"CONFIG", b"GET", pattern.as_bytes()]);
        let found = reply.as_elements().unwrap_or_default();
        for name in names {
            let theirs = found.iter().step_by(2).any(|it| it.as_bytes() == Some(name.as_bytes()));
            let ours = glob::matches(pattern.as_bytes(), name.as_bytes(), true);
            prop_assert_eq!(ours, theirs, "{} {}", pattern, name);
        }
        Ok(())
    });
    result.unwrap();
}

#[test]
fn doubles_read_as_zadd_reads_them() {
    let Some(redis) = Redis::start() else { return };
    let result = runner(20_000).run(&numbers(), |text| {
        let mut redis = redis.borrow_mut();
        redis.run(&[b"DEL", b"z"]);
        let added = redis.run(&[b"ZADD", b"z", text.as_bytes(), b"m"]);
        let theirs = added.as_i64().map(|_| {
            let score = redis.run(&[b"ZSCORE", b"z", b"m"]);
            number::parse_f64(score.as_bytes().unwrap_or_default()).map(|score| score + 0.0)
        });
        // A small sorted set drops the sign of zero, and so does the sum.
        let ours = number::parse_f64(text.as_bytes()).map(|value| Some(value + 0.0));
        prop_assert_eq!(ours, theirs, "{:?}", text);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn long_doubles_add_as_incrbyfloat_does() {
    let Some(redis) = Redis::start() else { return };
    let result = runner(20_000).run(&(numbers(), numbers()), |(a, b)| {
        let mut redis = redis.borrow_mut();
        redis.run(&[b"SET", b"f", a.as_bytes()]);
        let reply = redis.run(&[b"INCRBYFLOAT", b"f", b.as_bytes()]);
        let theirs = reply.as_bytes().map(|text| String::from_utf8_lossy(text).into_owned());
        let sum = LongDouble::parse(a.as_bytes()).zip(LongDouble::parse(b.as_bytes()));
        let ours = sum
            .map(|(a, b)| a + b)
            .filter(|sum| !sum.is_nan() && !sum.is_infinite())
            .map(LongDouble::to_text);
        prop_assert_eq!(ours, theirs, "{:?} + {:?}", a, b);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn integers_read_as_incrby_reads_them() {
    let Some(redis) = Redis::start() else { return };
    let result = runner(5000).run(&"[+-]?0{0,1}[0-9]{0,20} ?", |text| {
        let mut redis = redis.borrow_mut();
        redis.run(&[b"SET", b"i", b"0"]);
        let reply = redis.run(&[b"INCRBY", b"i", text.as_bytes()]);
        prop_assert_eq!(number::parse_i64(text.as_bytes()), reply.as_i64(), "{:?}", text);
        Ok(())
    });
    result.unwrap();
}

/// A DUMP payload: a string type byte, an LZF-compressed string, version and checksum.
#[test]
fn compressed_strings_load_in_redis() {
    fn length(len: usize) -> [u8; 5] {
        let [a, b, c, d] = (len as u32).to_be_bytes();
        [0x80, a, b, c, d]
    }
    let Some(redis) = Redis::start() else { return };
    let words = proptest::collection::vec("[ab]{1,40}|[a-z]{1,9}|\\PC{0,70}", 1..400);
    let result = runner(1000).run(&words, |words| {
        let text = words.concat().into_bytes();
        let Some(packed) = lzf::compress(&text, 4) else { return Ok(()) };
        let mut payload = vec![0, 0xc3];
        payload.extend_from_slice(&length(packed.len()));
        payload.extend_from_slice(&length(text.len()));
        payload.extend_from_slice(&packed);
        payload.extend_from_slice(&[9, 0]);
        let checksum = crc64::crc64(&payload);
        payload.extend_from_slice(&checksum.to_le_bytes());
        let mut redis = redis.borrow_mut();
        redis.run(&[b"RESTORE", b"s", b"0", &payload, b"REPLACE"]);
        let loaded = redis.run(&[b"GET", b"s"]);
        prop_assert_eq!(loaded, Value::Bulk(text.clone()));
        Ok(())
    });
    result.unwrap();
}
