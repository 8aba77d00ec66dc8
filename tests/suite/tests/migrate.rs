//! MIGRATE between two servers, one of which may be a real `redis-server`: what arrives, what is left, what is
//! answered when it goes wrong, and that nobody else waits for it.
#![forbid(unsafe_code)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use suite::client::Client;
use suite::durable::{Durable, Folder};
use suite::reply::{Parts, Reply};
use suite::server::Program;

/// Two servers with their folders.
struct Pair {
    from: Durable,
    to: Durable,
    folder: Folder,
    _other: Folder,
}

fn pair(from: &Program, to: &Program) -> Pair {
    let (folder, other) = (Folder::new(), Folder::new());
    Pair {
        from: Durable::start(from, &folder, &[]),
        to: Durable::try_start(to, &other, &[]).expect("it starts"),
        folder,
        _other: other,
    }
}

fn both_tested() -> Pair {
    let program = Program::tested().expect("a server");
    pair(&program, &program)
}

fn text(reply: &Reply) -> String {
    match reply {
        Reply::Error(text) => format!("-{}", String::from_utf8_lossy(text)),
        Reply::Integer(number) => number.to_string(),
        other => other.as_text().unwrap_or_default(),
    }
}

impl Pair {
    /// Sends MIGRATE with the words behind the port.
    fn migrate(&self, words: &str) -> String {
        let port = self.to.port().to_string();
        let words = words.split(' ').map(|word| if word == "''" { "" } else { word });
        let words: Vec<&str> = ["MIGRATE", "127.0.0.1", &port].into_iter().chain(words).collect();
        text(&self.from.client().call(&words).expect("it answers"))
    }

    fn to(&self, line: &str) -> String {
        text(&self.to.ask(line))
    }

    fn from(&self, line: &str) -> String {
        text(&self.from.ask(line))
    }
}

/// Makes keys of all types; gives back their names.
fn fill(client: &mut Client) -> Vec<String> {
    let mut send = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        client.call(&words).expect("it answers")
    };
    send("SET text value".to_owned());
    send("SET number 12345".to_owned());
    send(format!("SET long {}", "x".repeat(100_000)));
    for number in 0..2000 {
        send(format!("RPUSH list {number}"));
        send(format!("SADD set member{number}"));
        send(format!("SADD numbers {number}"));
        send(format!("HSET hash field{number} {number}"));
        send(format!("ZADD zset {number}.5 member{number}"));
        send(format!("XADD stream 1-{} field {number}", number + 1));
        send(format!("PFADD hll {number}"));
    }
    send("XGROUP CREATE stream group 0".to_owned());
    send("XREADGROUP GROUP group me COUNT 10 STREAMS stream >".to_owned());
    let keys = "text number long list set numbers hash zset stream hll";
    keys.split(' ').map(str::to_owned).collect()
}

fn everything_arrives(pair: &Pair) {
    let keys = fill(&mut pair.from.client());
    assert_eq!(pair.from("PEXPIRE text 100000"), "1");
    let digests: Vec<String> = keys.iter().map(|key| text_of_digest(&pair.from, key)).collect();
    assert_eq!(pair.migrate("text 3 5000 COPY"), "OK");
    assert_eq!(pair.from("EXISTS text"), "1");
    let list = format!("'' 3 5000 REPLACE KEYS missing {}", keys.join(" "));
    assert_eq!(pair.migrate(&list), "OK");
    assert_eq!(pair.from("DBSIZE"), "0");
    let mut client = pair.to.client();
    client.call(&["SELECT", "3"]).expect("it answers");
    for (key, digest) in keys.iter().zip(digests) {
        let found = client.call(&["DEBUG", "DIGEST-VALUE", key]).expect("it answers");
        assert_eq!(format!("{found:?}"), digest, "{key}");
    }
    let Reply::Integer(left_ms) = client.call(&["PTTL", "text"]).expect("it answers") else {
        panic!("no time to live")
    };
    assert!((50_000..=100_000).contains(&left_ms), "{left_ms}");
    assert!(matches!(client.call(&["PTTL", "list"]), Ok(Reply::Integer(-1))));
}

fn text_of_digest(server: &Durable, key: &str) -> String {
    format!("{:?}", server.ask(&format!("DEBUG DIGEST-VALUE {key}")))
}

#[test]
fn keys_of_all_types_move_to_another_rubrica() {
    everything_arrives(&both_tested());
}

#[test]
fn keys_of_all_types_move_to_redis_and_back() {
    let (tested, Some(reference)) = (Program::tested().expect("a server"), Program::reference())
    else {
        return;
    };
    everything_arrives(&pair(&tested, &reference));
    everything_arrives(&pair(&reference, &tested));
}

#[test]
fn what_the_other_server_refuses_stays() {
    let pair = both_tested();
    for (name, value) in [("a", "1"), ("b", "2"), ("c", "3")] {
        pair.from(&format!("SET {name} {value}"));
    }
    pair.to("SET b other");
    let busy = "-ERR Target instance replied with error: BUSYKEY Target key name already exists.";
    assert_eq!(pair.migrate("'' 0 5000 KEYS a b c"), busy);
    assert_eq!(pair.from("EXISTS a b c"), "1");
    assert_eq!(
        (pair.to("GET a"), pair.to("GET b"), pair.to("GET c")),
        ("1".into(), "other".into(), "3".into())
    );
    assert_eq!(pair.migrate("b 0 5000 REPLACE"), "OK");
    assert_eq!(pair.to("GET b"), "2");
    pair.from("SET d 4");
    let range = "-ERR Target instance replied with error: ERR DB index is out of range";
    assert_eq!(pair.migrate("d 99 5000"), range);
    pair.to("CONFIG SET requirepass secret");
    // The connection is the one from before, and has its rights from then.
    assert_eq!(
        pair.migrate("d 1 5000 AUTH wrong").split(':').next_back(),
        Some(" WRONGPASS invalid username-password pair or user is disabled.")
    );
    assert_eq!(pair.from("EXISTS d"), "1");
    assert_eq!(pair.migrate("d 1 5000 AUTH2 default secret REPLACE"), "OK");
    assert_eq!(pair.from("EXISTS d"), "0");
}

#[test]
fn what_has_moved_does_not_come_back_after_a_restart() {
    let pair = both_tested();
    pair.from("MSET a 1 b 2 c 3 stays 4");
    assert_eq!(pair.migrate("'' 0 5000 KEYS a b nothing"), "OK");
    assert_eq!(pair.migrate("c 0 5000 COPY"), "OK");
    let Pair { from, folder, .. } = pair;
    from.shut_down();
    let files = folder.path().join("appendonlydir");
    let written: Vec<u8> = std::fs::read_dir(files)
        .expect("files")
        .flat_map(|file| std::fs::read(file.expect("a file").path()).expect("it can be read"))
        .collect();
    let written = String::from_utf8_lossy(&written);
    assert!(written.contains("*3\r\n$3\r\nDEL\r\n$1\r\na\r\n$1\r\nb\r\n"), "{written}");
    assert!(!written.contains("MIGRATE"));
    let from = Durable::start(&Program::tested().expect("a server"), &folder, &[]);
    assert_eq!(text(&from.ask("EXISTS a b c stays")), "2");
}

#[test]
fn a_server_that_does_not_answer_is_waited_for_no_longer_than_asked_and_by_nobody_else() {
    let program = Program::tested().expect("a server");
    let folder = Folder::new();
    let from = Durable::start(&program, &folder, &["--workers", "1"]);
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port().to_string();
    from.ask("SET k v");
    let mut mover = from.client();
    let start = Instant::now();
    let answer = std::thread::scope(|scope| {
        let moving = scope.spawn(|| {
            text(
                &mover.call(&["MIGRATE", "127.0.0.1", &port, "k", "0", "1500"]).expect("an answer"),
            )
        });
        std::thread::sleep(Duration::from_millis(100));
        let mut others = from.client();
        let mut slowest = Duration::ZERO;
        while start.elapsed() < Duration::from_millis(1200) {
            let asked = Instant::now();
            for line in ["GET k", "SET other 1", "PING"] {
                let words: Vec<&str> = line.split(' ').collect();
                others.call(&words).expect("it answers");
            }
            slowest = slowest.max(asked.elapsed());
        }
        assert!(slowest < Duration::from_millis(500), "{slowest:?}");
        // Closing the gate too.
        others.call(&["FLUSHDB"]).expect("it answers");
        others.call(&["SET", "k", "v"]).expect("it answers");
        moving.join().expect("it ends")
    });
    assert_eq!(answer, "-IOERR error or timeout reading to target instance");
    assert!(start.elapsed() > Duration::from_millis(1400));
    assert_eq!(text(&from.ask("GET k")), "v");
}

#[test]
fn a_connection_that_breaks_is_made_anew_once() {
    let folder = Folder::new();
    let from = Durable::start(&Program::tested().expect("a server"), &folder, &[]);
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port().to_string();
    from.ask("SET k v");
    let served = std::thread::spawn(move || {
        // The first is closed without an answer, the second says what the other server would.
        drop(other.accept().expect("a connection"));
        let (mut link, _) = other.accept().expect("another connection");
        let mut read = [0; 4096];
        let count = link.read(&mut read).expect("a request");
        link.write_all(b"+OK\r\n+OK\r\n").expect("it reads");
        String::from_utf8_lossy(&read[..count]).into_owned()
    });
    let moved = from.ask(&format!("MIGRATE 127.0.0.1 {port} k 0 2000"));
    assert_eq!(text(&moved), "OK");
    assert!(served.join().expect("it ends").contains("RESTORE\r\n$1\r\nk"));
    assert_eq!(text(&from.ask("EXISTS k")), "0");
}

#[test]
fn no_write_is_lost_to_a_key_that_is_written_while_it_moves() {
    let pair = both_tested();
    let done = AtomicBool::new(false);
    let mut acknowledged = 0;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut client = pair.from.client();
            let mut writes = 0u64;
            while !done.load(Ordering::Relaxed) {
                client.call(&["RPUSH", "hot", "x"]).expect("it answers");
                writes += 1;
                std::thread::sleep(Duration::from_micros(writes % 5 * 300));
            }
            writes
        });
        for _ in 0..40 {
            let answer = pair.migrate("hot 0 5000");
            // It may be there already: what arrived before is counted and makes room.
            assert!(
                ["OK", "NOKEY"].contains(&&*answer) || answer.contains("changes faster"),
                "{answer}"
            );
            if answer == "OK" {
                acknowledged += pair.to("LLEN hot").parse::<u64>().expect("a number");
            }
            pair.to("DEL hot");
        }
        done.store(true, Ordering::Relaxed);
        let written = writer.join().expect("it ends");
        acknowledged += pair.from("LLEN hot").parse::<u64>().expect("a number");
        assert_eq!(acknowledged, written, "elements are lost, or twice there");
    });
}
