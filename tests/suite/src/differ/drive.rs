//! Running streams on both servers, and shrinking those that show a difference.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::generate::{Generator, Item};
use super::{compare, dump, grammar, show};
use crate::client::{Client, Got, REPLY_TIMEOUT};
use crate::coverage;
use crate::reply::Reply;
use crate::server::{Program, Server};
use crate::text::render;

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Start of the random numbers.
    pub seed: u64,
    /// How many commands.
    pub commands: usize,
    /// Families, as `COMMAND DOCS` groups them (and `database`).
    pub families: Vec<String>,
    /// Differences after which to stop.
    pub differences_max: usize,
}

/// Families that are generated unless others are named.
pub const FAMILIES: [&str; 11] = [
    "string",
    "generic",
    "database",
    "list",
    "set",
    "hash",
    "sorted_set",
    "stream",
    "bitmap",
    "hyperloglog",
    "geo",
];

/// Commands between two comparisons of the whole data sets, after which both start empty.
const CHECKPOINT: usize = 1500;
/// Replays spent on shrinking one stream.
const SHRINK_REPLAYS_MAX: usize = 400;

/// Both servers and a connection to each.
struct Pair {
    tested: Server,
    reference: Server,
    protocol: u8,
    missing: BTreeSet<String>,
    clients: Option<(Client, Client)>,
}

/// What a stream ran into.
enum Found {
    Nothing,
    /// At this item, the replies of both.
    Reply(usize, Vec<Reply>, Vec<Reply>),
    /// At the end, in the data sets.
    Data(String),
    /// At this item a server stopped answering.
    Died(usize, String),
}

impl Pair {
    /// Empties both servers and connects anew.
    fn reset(&mut self) -> Result<()> {
        for server in [&mut self.tested, &mut self.reference] {
            if !server.alive() {
                *server = Server::start(&server.program().clone(), &[])?;
            }
        }
        if self.missing.contains("flushall") {
            self.tested = Server::start(&self.tested.program().clone(), &[])?;
        }
        let mut tested = Client::connect(self.tested.addr(), self.protocol)?;
        let mut reference = Client::connect(self.reference.addr(), self.protocol)?;
        for client in [&mut tested, &mut reference] {
            client.call(&["FLUSHALL"])?;
            // Each server looks for what has expired in its own time.
            client.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"])?;
        }
        self.clients = Some((tested, reference));
        Ok(())
    }

    fn run(&mut self, item: &Item) -> Result<(Vec<Reply>, Vec<Reply>)> {
        let (tested, reference) = self.clients.as_mut().context("not connected")?;
        let mut replies = (Vec::new(), Vec::new());
        for command in item {
            tested.send(command);
            reference.send(command);
            for (client, out) in
                [(tested as &mut Client, &mut replies.0), (reference, &mut replies.1)]
            {
                match client.reply(REPLY_TIMEOUT + Duration::from_secs(5))? {
                    Got::Reply(reply) => out.push(reply),
                    other => bail!("{other:?} after {}", show(command)),
                }
            }
        }
        Ok(replies)
    }

    /// Runs a whole stream from empty data sets.
    fn replay(&mut self, items: &[Item]) -> Result<Found> {
        self.reset()?;
        for (index, item) in items.iter().enumerate() {
            let (tested, reference) = match self.run(item) {
                Ok(replies) => replies,
                Err(e) => return Ok(Found::Died(index, self.obituary(&e))),
            };
            if !compare::item_equal(item, &tested, &reference) {
                return Ok(Found::Reply(index, tested, reference));
            }
        }
        let differences = self.data_differences()?;
        Ok(if differences.is_empty() {
            Found::Nothing
        } else {
            Found::Data(differences.join("\n"))
        })
    }

    /// Why a server stopped answering, with the end of its log when it is gone.
    fn obituary(&mut self, error: &anyhow::Error) -> String {
        let mut text = format!("{error:#}");
        for (who, server) in [("tested", &mut self.tested), ("reference", &mut self.reference)] {
            if !server.alive() {
                text.push_str(&format!("\n  the {who} server ended:\n{}", server.log_tail()));
            }
        }
        text
    }

    fn data_differences(&mut self) -> Result<Vec<String>> {
        if dump::NEEDED.iter().any(|name| self.missing.contains(*name)) {
            return Ok(Vec::new());
        }
        let (tested, reference) = self.clients.as_mut().context("not connected")?;
        let (left, right) = (dump::read(tested)?, dump::read(reference)?);
        Ok(dump::differences(&left, &right))
    }

    /// The smallest stream found that still shows a difference.
    fn shrink(&mut self, mut items: Vec<Item>) -> Result<Vec<Item>> {
        let mut replays = 0;
        let mut chunk = items.len().div_ceil(2);
        while chunk > 0 && replays < SHRINK_REPLAYS_MAX {
            let mut at = 0;
            while at < items.len() && replays < SHRINK_REPLAYS_MAX {
                let end = (at + chunk).min(items.len());
                let mut fewer = items.clone();
                fewer.drain(at..end);
                replays += 1;
                match self.replay(&fewer)? {
                    Found::Nothing => at = end,
                    Found::Reply(index, ..) | Found::Died(index, _) => {
                        fewer.truncate(index + 1);
                        items = fewer;
                    }
                    Found::Data(_) => items = fewer,
                }
            }
            chunk = if chunk == 1 { 0 } else { chunk.div_ceil(2) };
        }
        Ok(items)
    }

    /// A shrunken stream with both servers' replies at its end.
    fn describe(&mut self, items: &[Item]) -> Result<String> {
        let found = self.replay(items)?;
        let mut lines: Vec<String> = Vec::new();
        for item in items {
            lines.extend(item.iter().map(|command| format!("> {}", show(command))));
        }
        match found {
            Found::Nothing => lines.push("(does not show again)".to_owned()),
            Found::Data(text) | Found::Died(_, text) => lines.push(text),
            Found::Reply(_, tested, reference) => {
                let shown = |replies: &[Reply]| {
                    replies
                        .iter()
                        .map(render)
                        .collect::<Vec<_>>()
                        .join("\n")
                        .replace('\n', "\n    ")
                };
                lines.push(format!("  tested:\n    {}", shown(&tested)));
                lines.push(format!("  reference:\n    {}", shown(&reference)));
            }
        }
        Ok(lines.join("\n"))
    }
}

/// What a run showed.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Commands sent to each server.
    pub commands: usize,
    /// Different commands among the specifications.
    pub specs: usize,
    /// Replies of the reference that were errors.
    pub errors: usize,
    /// Each difference, shrunken.
    pub differences: Vec<String>,
}

/// Runs `plan` on both servers.
///
/// # Errors
/// When a server does not start, stops answering, or talks nonsense.
pub fn run(plan: &Plan, tested: &Program, reference: &Program) -> Result<Outcome> {
    let mut pair = Pair {
        tested: Server::start(tested, &[])?,
        reference: Server::start(reference, &[])?,
        protocol: if plan.seed.is_multiple_of(2) { 2 } else { 3 },
        missing: coverage::missing_for(tested)?,
        clients: None,
    };
    let mut both: BTreeSet<String> = coverage::commands_served(&mut pair.reference.client()?)?
        .difference(&pair.missing)
        .cloned()
        .collect();
    if tested.foreign {
        let served = coverage::commands_served(&mut pair.tested.client()?)?;
        both.retain(|name| served.contains(name));
    }
    if pair.missing.contains("hello") {
        pair.protocol = 2;
    }
    let transactions = both.contains("multi") && both.contains("exec");
    let specs = grammar::read(&mut Client::connect(pair.reference.addr(), 3)?)?;
    let specs = grammar::select(specs, &plan.families, &both);
    if specs.is_empty() {
        bail!("no command of {:?} is served by both", plan.families);
    }
    let mut outcome = Outcome { specs: specs.len(), ..Outcome::default() };
    let mut generator = Generator::new(plan.seed, specs, transactions);
    while outcome.commands < plan.commands && outcome.differences.len() < plan.differences_max {
        let mut items = Vec::new();
        pair.reset()?;
        let mut differs = false;
        while items.len() < CHECKPOINT.min(plan.commands) && !differs {
            let item = generator.item();
            outcome.commands += item.len();
            items.push(item);
            let item = &items[items.len() - 1];
            let Ok((left, right)) = pair.run(item) else {
                differs = true;
                continue;
            };
            outcome.errors += right.iter().filter(|r| matches!(r, Reply::Error(_))).count();
            differs = !compare::item_equal(item, &left, &right);
        }
        if differs || !pair.data_differences()?.is_empty() {
            let shrunken = pair.shrink(items)?;
            outcome.differences.push(pair.describe(&shrunken)?);
            // What is known to differ would hide what comes behind it.
            if differs && let Some(culprit) = shrunken.last() {
                generator.forbid(culprit);
            }
        }
    }
    Ok(outcome)
}
