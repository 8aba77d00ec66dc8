//! Writers that know what they have been promised, for servers that are ended at random moments.
//!
//! What goes wrong here ends the test: failures are panics that say what was expected.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::client::{Client, Got};
use crate::durable::Durable;
use crate::reply::{Parts, Reply};

/// Writers side by side.
const WRITERS: usize = 6;
/// Commands that a writer has under way at most.
const PIPELINE_MAX: usize = 8;

/// A number from the environment.
pub fn number_from(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What one writer knows of its keys.
#[derive(Clone, Copy, Debug, Default)]
struct Journal {
    /// Steps that have been acknowledged.
    acknowledged: i64,
    /// Steps that have been sent.
    sent: i64,
}

/// One step of writer `number`: each touches one of its keys, and step `n` leaves in it what only that step can.
fn step(number: usize, step: i64) -> Vec<Vec<String>> {
    let words = |line: String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    match step % 4 {
        0 => vec![words(format!("RPUSH list{number} {step}"))],
        1 => vec![words(format!("SET last{number} {step}"))],
        2 => vec![words(format!("HSET hash{number} f{} {step}", step % 16))],
        _ => vec![
            words("MULTI".into()),
            words(format!("INCR one{number}")),
            words("INCRBY total 1".into()),
            words(format!("INCR two{number}")),
            words("EXEC".into()),
        ],
    }
}

/// Whether an error says that nothing can be written any more.
fn is_refusal(error: &[u8]) -> bool {
    error.windows(7).any(|word| word == b"MISCONF")
}

/// Writes until the server is gone.
fn write(mut client: Client, number: usize, mut journal: Journal, seed: u64) -> Journal {
    let mut random = SmallRng::seed_from_u64(seed);
    // What came in between was sent, and may have happened.
    journal.acknowledged = journal.sent;
    loop {
        let count = random.random_range(1..=PIPELINE_MAX);
        let mut replies = Vec::new();
        for _ in 0..count {
            for words in step(number, journal.sent) {
                client.send(&words.into_iter().map(String::into_bytes).collect::<Vec<_>>());
                replies.push(false);
            }
            *replies.last_mut().expect("it has replies") = true;
            journal.sent += 1;
        }
        for ends_step in replies {
            match client.reply(Duration::from_secs(10)) {
                // The disk has gone before the server.
                Ok(Got::Reply(Reply::Error(error))) if is_refusal(&error) => return journal,
                Ok(Got::Reply(Reply::Error(error))) => panic!("{}", error.escape_ascii()),
                Ok(Got::Reply(_)) => journal.acknowledged += i64::from(ends_step),
                _ => return journal,
            }
        }
    }
}

/// Says which step is the last that the data set has of a writer; all before it are there as well, and none
/// behind it.
fn check(client: &mut Client, number: usize, journal: Journal) -> i64 {
    let mut text = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        client.call(&words).expect("it answers")
    };
    let items = |reply: Reply| match reply {
        Reply::Array(items) => items.iter().filter_map(Parts::as_text).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let integer =
        |reply: Reply| reply.as_text().map_or(0, |text| text.parse::<i64>().expect("one"));
    let list = items(text(format!("LRANGE list{number} 0 -1")));
    let set = integer(text(format!("GET last{number}")));
    let fields = items(text(format!("HGETALL hash{number}")));
    let (one, two) =
        (integer(text(format!("GET one{number}"))), integer(text(format!("GET two{number}"))));
    assert_eq!(one, two, "half a transaction of writer {number}");
    let hash: BTreeMap<String, i64> = fields
        .chunks(2)
        .map(|pair| (pair[0].clone(), pair[1].parse().expect("a number")))
        .collect();
    // The number of steps, from what each kind of step has left.
    let pushes = list.len() as i64;
    let steps = [
        (pushes - 1) * 4,
        if set == 0 { -1 } else { set },
        hash.values().copied().max().unwrap_or(-1),
        one * 4 - 1,
    ];
    let count = steps.iter().copied().max().unwrap_or(-1) + 1;
    let expected: Vec<String> = (0..count).step_by(4).map(|step| step.to_string()).collect();
    assert_eq!(list, expected, "the list of writer {number}");
    let last = |kind: i64| (0..count).rev().find(|step| step % 4 == kind);
    assert_eq!(set, last(1).unwrap_or(0), "the string of writer {number}");
    assert_eq!(one, count / 4, "the transactions of writer {number}");
    let mut fields = BTreeMap::new();
    for step in (2..count).step_by(4) {
        fields.insert(format!("f{}", step % 16), step);
    }
    assert_eq!(hash, fields, "the hash of writer {number}");
    assert!(
        (journal.acknowledged..=journal.sent).contains(&count),
        "writer {number}: {count} steps, {journal:?}"
    );
    count
}

/// All writers' journals.
#[derive(Debug, Default)]
pub struct Journals([Journal; WRITERS]);

impl Journals {
    /// Compares a server that has just been started with what the writers know.
    ///
    /// # Panics
    /// When something that was acknowledged is not there, or something is that nobody wrote.
    pub fn check(&mut self, server: &Durable) {
        let mut client = server.client();
        let mut transactions = 0;
        for (number, journal) in self.0.iter_mut().enumerate() {
            journal.sent = check(&mut client, number, *journal);
            transactions += journal.sent / 4;
        }
        let total = client.call(&["GET", "total"]).expect("it answers").as_text();
        assert_eq!(total.map_or(0, |text| text.parse().expect("a number")), transactions);
    }

    /// Writes for a random time, perhaps with a rewrite or a snapshot beside it, until `end` ends the server.
    ///
    /// # Panics
    /// When a write is answered with an error.
    pub fn write(&mut self, server: Durable, random: &mut SmallRng, end: impl FnOnce(Durable)) {
        let until = Instant::now() + Duration::from_millis(random.random_range(20..300));
        // A disk that fails may end the server at the first write.
        let clients: Vec<Client> = self.0.iter().map(|_| server.client()).collect();
        let writers: Vec<_> = self
            .0
            .into_iter()
            .zip(clients)
            .enumerate()
            .map(|(number, (journal, client))| {
                let seed = random.random();
                std::thread::spawn(move || write(client, number, journal, seed))
            })
            .collect();
        let beside = match random.random_range(0..10) {
            0..3 => Some("BGREWRITEAOF"),
            3..5 => Some("BGSAVE"),
            _ => None,
        };
        if let (Some(command), Some(mut client)) = (beside, server.try_client()) {
            let _ = client.call(&[command]);
        }
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
        end(server);
        for (journal, writer) in self.0.iter_mut().zip(writers) {
            *journal = writer.join().expect("it ends");
        }
    }
}

/// The options of a round: some are ended in the middle of rewrites, some begin with a base of commands.
pub fn options(round: u64, random: &mut SmallRng) -> Vec<&'static str> {
    let percentage = if round % 2 == 1 { "20" } else { "0" };
    let preamble = if random.random_bool(0.5) { "yes" } else { "no" };
    vec![
        "--appendfsync",
        "always",
        "--workers",
        "2",
        "--auto-aof-rewrite-min-size",
        "20000",
        "--auto-aof-rewrite-percentage",
        percentage,
        "--aof-use-rdb-preamble",
        preamble,
    ]
}
