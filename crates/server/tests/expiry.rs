//! Many keys that expire in the same instant.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use command::{MemoryFigures, Shutdown};
use config::Config;
use server::{ProcessMemory, Server};

const KEYS: usize = 200_000;

struct NoMemory;

impl ProcessMemory for NoMemory {
    fn figures(&self) -> MemoryFigures {
        MemoryFigures::default()
    }

    fn allocator(&self) -> &'static str {
        "none"
    }

    fn purge(&self) {}

    fn report(&self) -> String {
        String::new()
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
    now.as_millis() as i64
}

/// Sends `requests` and reads `expected` in answer.
fn exchange(stream: &mut TcpStream, requests: &[u8], expected: &[u8]) {
    let mut writer = stream.try_clone().expect("a socket can be cloned");
    thread::scope(|scope| {
        scope.spawn(move || writer.write_all(requests).expect("the server reads"));
        let mut answer = vec![0; expected.len()];
        stream.read_exact(&mut answer).expect("the server answers");
        assert!(answer == expected, "an unexpected reply");
    });
}

/// Sends a request for every key in one go; `reply` is the answer to each.
fn for_all_keys(stream: &mut TcpStream, request: impl Fn(usize) -> String, reply: &[u8]) {
    let requests: String = (0..KEYS).map(request).collect();
    exchange(stream, requests.as_bytes(), &reply.repeat(KEYS));
}

fn ask(stream: &mut TcpStream, request: &[u8]) -> Vec<u8> {
    stream.write_all(request).expect("the server reads");
    let mut answer = [0; 64];
    let len = stream.read(&mut answer).expect("the server answers");
    answer[..len].to_vec()
}

/// A port that nobody uses now. Somebody may take it before the server does; the test then fails at its
/// start and says so.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    listener.local_addr().expect("a bound socket has an address").port()
}

#[test]
fn two_hundred_thousand_keys_that_expire_at_once_are_gone_soon_and_disturb_nobody() {
    let port = free_port();
    let config = Config {
        port,
        bind: vec!["127.0.0.1".into()],
        workers: 2,
        save: Vec::new(),
        dbfilename: "there-is-none.rdb".into(),
        ..Config::default()
    };
    let server = Server::start(config, Box::new(NoMemory)).expect("the server starts");
    server.load().expect("there is nothing to load");
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        stream.set_nodelay(true).expect("TCP has this option");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("not zero");
        stream
    };
    let mut loader = connect();
    let start = Instant::now();
    for_all_keys(&mut loader, |number| format!("SET key:{number} value\r\n"), b"+OK\r\n");
    let deadline = now_ms() + 3 * start.elapsed().as_millis() as i64 + 500;
    let expire = |number| format!("PEXPIREAT key:{number} {deadline}\r\n");
    for_all_keys(&mut loader, expire, b":1\r\n");
    let size = ask(&mut loader, b"DBSIZE\r\n");
    assert!(now_ms() < deadline, "this machine is too slow for the test to mean anything");
    assert_eq!(size, format!(":{KEYS}\r\n").as_bytes());
    assert_eq!(ask(&mut loader, b"SET other here\r\n"), b"+OK\r\n");

    let mut reader = connect();
    let mut waits = Vec::new();
    let gone = loop {
        let start = Instant::now();
        assert_eq!(ask(&mut reader, b"GET other\r\n"), b"$4\r\nhere\r\n");
        if now_ms() >= deadline {
            waits.push(start.elapsed());
        }
        if now_ms() >= deadline && ask(&mut loader, b"DBSIZE\r\n") == b":1\r\n" {
            break now_ms();
        }
        assert!(now_ms() < deadline + 30_000, "the keys do not go");
        thread::sleep(Duration::from_micros(500));
    };
    waits.sort_unstable();
    let median = waits[waits.len() / 2];
    let longest = waits[waits.len() - 1];
    println!("gone after {} ms; GET took {median:?}, at most {longest:?}", gone - deadline);
    // On an idle machine a tenth of a second, and a millisecond.
    assert!(gone - deadline < 1000, "it took {} ms", gone - deadline);
    assert!(median < Duration::from_millis(20), "GET took {median:?}");
    assert!(longest < Duration::from_millis(300), "a GET took {longest:?}");

    server.stopper()(Shutdown::default());
    server.wait();
}
