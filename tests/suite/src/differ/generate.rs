//! Writing random commands.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::grammar::{Arg, Kind, Spec};
use super::{Command, values};

/// One item of a stream: a command, or several in a transaction.
pub type Item = Vec<Command>;

/// A source of commands.
pub struct Generator {
    rng: SmallRng,
    specs: Vec<Spec>,
    transactions: bool,
}

impl Generator {
    /// A generator of commands of `specs`, some of them in transactions where those are served;
    /// the same seed gives the same stream.
    pub fn new(seed: u64, specs: Vec<Spec>, transactions: bool) -> Self {
        Self { rng: SmallRng::seed_from_u64(seed), specs, transactions }
    }

    /// The next item.
    pub fn item(&mut self) -> Item {
        if self.rng.random_bool(0.02) && self.transactions {
            let inside = self.rng.random_range(1..5);
            let mut item = vec![vec![b"MULTI".to_vec()]];
            item.extend((0..inside).map(|_| self.command()));
            item.push(vec![b"EXEC".to_vec()]);
            return item;
        }
        vec![self.command()]
    }

    /// Leaves out the command of `item` (or those of its transaction) from now on.
    pub fn forbid(&mut self, item: &Item) {
        let word = |c: &Command, at: usize| {
            c.get(at).map(|w| String::from_utf8_lossy(w).to_lowercase()).unwrap_or_default()
        };
        self.specs.retain(|spec| {
            !item.iter().any(|c| {
                spec.name == word(c, 0) || spec.name == format!("{}|{}", word(c, 0), word(c, 1))
            })
        });
    }

    fn command(&mut self) -> Command {
        loop {
            let Some(spec) = self.specs.choose(&mut self.rng).cloned() else {
                return vec![b"PING".to_vec()];
            };
            // Emptying everything too often leaves nothing to meet, and waiting takes its time.
            let rare = spec.name == "flushdb" || BLOCKING.contains(&spec.name.as_str());
            if rare && self.rng.random_bool(0.9) {
                continue;
            }
            let mut writer =
                Writer { rng: &mut self.rng, spec: &spec, out: Vec::new(), numkeys: None };
            let name = writer.spec.name.split('|').map(|w| w.to_uppercase().into_bytes());
            writer.out.extend(name);
            let names = writer.out.len();
            for arg in &spec.args {
                writer.arg(arg);
            }
            let mut command = writer.out;
            self.spoil(&mut command, names);
            if by_name(&command) {
                command = self.on_equal_scores(command);
            }
            if !undefined(&spec.name, &command) {
                return command;
            }
        }
    }

    /// Ranges by name are defined where all scores are equal: in keys that only get such members.
    fn on_equal_scores(&mut self, mut command: Command) -> Command {
        let key = format!("y{}", self.rng.random_range(0..4)).into_bytes();
        if self.rng.random_bool(0.4) {
            let mut add = vec![b"ZADD".to_vec(), key];
            for _ in 0..self.rng.random_range(1..4) {
                let name = ["a", "b", "c", "d", "e", "f", "g", ""].choose(&mut self.rng);
                add.extend([b"0".to_vec(), name.copied().unwrap_or("a").into()]);
            }
            return add;
        }
        let keys = if command[0] == b"ZRANGESTORE" { 3 } else { 2 };
        for word in command.iter_mut().take(keys).skip(1) {
            word.clone_from(&key);
        }
        command
    }

    /// Now and then an argument is wrong, missing or too many.
    fn spoil(&mut self, command: &mut Command, names: usize) {
        let args = command.len() - names;
        match self.rng.random_range(0..60) {
            0 if args > 0 => {
                command.pop();
            }
            1 => command.push(values::garbage(&mut self.rng)),
            2 if args > 0 => {
                let at = names + self.rng.random_range(0..args);
                command[at] = values::garbage(&mut self.rng);
            }
            3 if args > 0 => {
                let at = names + self.rng.random_range(0..args);
                command.remove(at);
            }
            _ => {}
        }
    }
}

/// Commands that wait when there is nothing.
const BLOCKING: [&str; 8] =
    ["blmove", "blmpop", "blpop", "brpop", "brpoplpush", "bzmpop", "bzpopmax", "bzpopmin"];

/// Whether a command goes by the names of members alone.
fn by_name(command: &Command) -> bool {
    let is_sorted_set = command.first().is_some_and(|name| name.starts_with(b"Z"));
    let name = command.first().map(|name| String::from_utf8_lossy(name).into_owned());
    is_sorted_set
        && (name.is_some_and(|name| name.contains("LEX"))
            || command.iter().any(|word| word.eq_ignore_ascii_case(b"BYLEX")))
}

/// Whether the outcome is left open by the documentation, so that servers may part.
fn undefined(name: &str, command: &Command) -> bool {
    let has = |word: &str| command.iter().skip(1).any(|a| a.eq_ignore_ascii_case(word.as_bytes()));
    match name {
        // Order among elements whose weights are equal or missing texts, and of a set that is not sorted.
        "sort" | "sort_ro" => command.windows(2).any(|pair| {
            let [by, pattern] = pair else { return false };
            by.eq_ignore_ascii_case(b"BY") && (has("ALPHA") || !pattern.contains(&b'*'))
        }),
        // Refused since 7.2 and 7.4; cases show it.
        "lpos" | "lrem" => has("-9223372036854775808"),
        // A third argument, since Valkey 9.
        "move" | "sismember" => command.len() == 4,
        // A small sorted set of Redis forgets the sign of zero, and SORT of all things makes it a large one, which does not.
        n if n.starts_with('z') && has("-0") => true,
        // WITHSCORE since 7.2.
        "zrank" | "zrevrank" => command.len() == 4,
        // The last entry, since 7.4.
        "xread" if has("+") => true,
        // How much an approximate trim leaves; ids from the clock.
        "xadd" | "xtrim" => has("~") || has("*"),
        // Which of the matches.
        n if n.starts_with("geo") => has("ANY"),
        // Huge strings, and seconds of work to make them.
        "setrange" | "setbit" | "bitfield" => command.iter().any(|a| {
            let digits = a.strip_prefix(b"#").unwrap_or(a);
            let number = std::str::from_utf8(digits).ok().and_then(|t| t.parse::<i64>().ok());
            number.is_some_and(|n| (100_000..4_294_967_296).contains(&n))
        }),
        // A large negative count is a large reply.
        "srandmember" | "hrandfield" | "zrandmember" => command.iter().any(|a| {
            let number = std::str::from_utf8(a).ok().and_then(|t| t.parse::<i64>().ok());
            number.is_some_and(|n| n < -1000 && n > -4_611_686_018_427_387_904)
        }),
        // A wait that is long or has no end; times that come while the stream runs.
        "blmpop" | "bzmpop" => command.get(1).is_none_or(|a| a == b"0" || !a.starts_with(b"0.0")),
        "blpop" | "brpop" | "bzpopmin" | "bzpopmax" | "brpoplpush" | "blmove" => {
            command.last().is_none_or(|a| !a.starts_with(b"0.0"))
        }
        "xread" | "xreadgroup" => has("BLOCK") && has("0"),
        "expire" | "pexpire" | "setex" | "psetex" => {
            let number =
                command.get(2).and_then(|a| std::str::from_utf8(a).ok()?.parse::<i64>().ok());
            number.is_some_and(|n| {
                (1..100).contains(&n) || (n < 100_000 && n > 0 && name.starts_with('p'))
            })
        }
        _ => false,
    }
}

struct Writer<'a> {
    rng: &'a mut SmallRng,
    spec: &'a Spec,
    out: Command,
    numkeys: Option<usize>,
}

impl Writer<'_> {
    fn arg(&mut self, arg: &Arg) {
        if arg.optional && !self.rng.random_bool(0.35) {
            return;
        }
        let times = if arg.multiple { self.rng.random_range(1..4) } else { 1 };
        for round in 0..times {
            if let Some(token) = &arg.token
                && (round == 0 || arg.multiple_token)
                && arg.kind != Kind::OneOf
            {
                self.out.push(token.as_bytes().to_vec());
            }
            self.one(arg);
        }
        if arg.multiple
            && arg.kind == Kind::Key
            && let Some(at) = self.numkeys.take()
        {
            self.out[at] = times.to_string().into_bytes();
        }
    }

    fn one(&mut self, arg: &Arg) {
        match arg.kind {
            Kind::Token => {}
            Kind::OneOf => {
                if let Some(child) = arg.children.choose(self.rng) {
                    // A chosen alternative stands, whatever it is alone.
                    let chosen = Arg { optional: false, ..child.clone() };
                    self.arg(&chosen);
                }
            }
            Kind::Block => {
                for child in &arg.children {
                    self.arg(child);
                }
            }
            _ => {
                if arg.name == "numkeys" && self.rng.random_bool(0.95) {
                    self.numkeys = Some(self.out.len());
                }
                let value = values::value(self.rng, &self.spec.group, &self.spec.name, arg);
                self.out.push(value);
            }
        }
    }
}
