//! Clients that work at the same keys at the same time, and note what they see.
use std::net::SocketAddr;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::{Call, Step};
use crate::client::{Client, Got};
use crate::reply::Reply;

/// How much is done, by how many, to how many keys.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Clients, each a thread with a connection.
    pub clients: usize,
    /// Batches that each sends.
    pub batches: usize,
    /// Groups of keys: two counters, two texts and two lists each.
    pub groups: usize,
    /// The seed of what is called.
    pub seed: u64,
}

/// Runs the commands in its second argument and later, which are lists of words with their number in front, and
/// returns their replies.
const SCRIPT: &str = "local replies, at = {}, 1 \
    while at <= #ARGV do \
      local count = tonumber(ARGV[at]) \
      replies[#replies + 1] = redis.call(unpack(ARGV, at + 1, at + count)) \
      at = at + 1 + count \
    end \
    return replies";

/// How steps are made one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// One step as it is.
    Alone,
    /// MULTI and EXEC.
    Transaction,
    /// A script that runs them.
    Script,
}

/// Lets the clients work, and gives back all that they called.
///
/// # Errors
/// When the server does not answer as it should.
pub fn record(addr: SocketAddr, load: Load) -> Result<Vec<Call>> {
    let start = Instant::now();
    let barrier = Barrier::new(load.clients);
    let mut history = Vec::new();
    std::thread::scope(|scope| {
        let (barrier, start) = (&barrier, &start);
        let threads: Vec<_> = (0..load.clients)
            .map(|number| {
                scope.spawn(move || {
                    let connected = Client::connect(addr, 2);
                    barrier.wait();
                    Caller::new(number, connected?, load, *start).run()
                })
            })
            .collect();
        for thread in threads {
            match thread.join() {
                Ok(calls) => history.extend(calls?),
                Err(_) => bail!("a client panicked"),
            }
        }
        Ok(())
    })?;
    Ok(history)
}

struct Caller {
    number: usize,
    client: Client,
    load: Load,
    start: Instant,
    random: SmallRng,
    written: u64,
}

impl Caller {
    fn new(number: usize, client: Client, load: Load, start: Instant) -> Self {
        let random = SmallRng::seed_from_u64(load.seed.wrapping_mul(1000) + number as u64);
        Self { number, client, load, start, random, written: 0 }
    }

    fn run(mut self) -> Result<Vec<Call>> {
        let mut calls = Vec::new();
        for _ in 0..self.load.batches {
            let batch: Vec<(How, Vec<Step>)> =
                (0..self.random.random_range(1..=3)).map(|_| self.choose()).collect();
            let mut bytes = Vec::new();
            batch.iter().for_each(|(how, steps)| encode(*how, steps, &mut bytes));
            let called_ns = self.now_ns();
            self.client.send_raw(&bytes);
            for (how, steps) in batch {
                let replies = self.replies(how, steps.len())?;
                let returned_ns = self.now_ns();
                calls.push(Call { client: self.number, called_ns, returned_ns, steps, replies });
            }
        }
        Ok(calls)
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// A value that nobody else writes.
    fn value(&mut self) -> String {
        self.written += 1;
        format!("{}.{};", self.number, self.written)
    }

    fn choose(&mut self) -> (How, Vec<Step>) {
        let how = [How::Alone, How::Alone, How::Alone, How::Transaction, How::Script];
        let how = how.choose(&mut self.random).copied().unwrap_or(How::Alone);
        let group = self.random.random_range(0..self.load.groups);
        let count = if how == How::Alone { 1 } else { self.random.random_range(2..=4) };
        (how, (0..count).map(|_| self.step(group)).collect())
    }

    fn step(&mut self, group: usize) -> Step {
        let side = self.random.random_range(0..2);
        let key = |kind: &str, side: usize| format!("{kind}{group}.{side}");
        match self.random.random_range(0..10) {
            0 | 1 => Step::Incr(key("n", side)),
            2 => Step::Get(key("n", side)),
            3 => Step::Set(key("t", side), self.value()),
            4 | 5 => Step::Append(key("t", side), self.value()),
            6 => Step::Get(key("t", side)),
            7 => Step::Push(key("l", side), self.value()),
            8 => Step::Move(key("l", side), key("l", 1 - side)),
            _ => Step::Items(key("l", side)),
        }
    }

    fn reply(&mut self) -> Result<Reply> {
        match self.client.reply(Duration::from_secs(20))? {
            Got::Reply(reply) => Ok(reply),
            other => bail!("{other:?} in place of a reply"),
        }
    }

    fn replies(&mut self, how: How, steps: usize) -> Result<Vec<Reply>> {
        if how == How::Transaction {
            for _ in 0..=steps {
                self.reply()?;
            }
        }
        match (how, self.reply()?) {
            (How::Alone, reply) => Ok(vec![reply]),
            (_, Reply::Array(replies)) => Ok(replies),
            (_, other) => bail!("{how:?} was answered {other:?}"),
        }
    }
}

fn encode(how: How, steps: &[Step], out: &mut Vec<u8>) {
    let mut add = |words: &[&str]| {
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        out.extend(crate::reply::encode(&words));
    };
    match how {
        How::Alone => steps.iter().for_each(|step| add(&step.words())),
        How::Transaction => {
            add(&["MULTI"]);
            steps.iter().for_each(|step| add(&step.words()));
            add(&["EXEC"]);
        }
        How::Script => {
            let keys: Vec<&str> = steps.iter().flat_map(Step::keys).collect();
            let count = keys.len().to_string();
            let lengths: Vec<String> =
                steps.iter().map(|step| step.words().len().to_string()).collect();
            let mut words = vec!["EVAL", SCRIPT, &count];
            words.extend(keys);
            for (step, length) in steps.iter().zip(&lengths) {
                words.push(length);
                words.extend(step.words());
            }
            add(&words);
        }
    }
}
