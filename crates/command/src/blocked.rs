//! Clients that wait in a blocking command.
//!
//! A blocking command that finds nothing asks to wait ([`crate::Ctx::wait`]). Its client's ticket then
//! stands in the queues of its keys (`keyspace::Marks`), entered while their shards are still locked, so
//! no change can slip by. Whoever changes such a key runs the commands of those that wait for it, longest
//! first, on their behalf and before anybody else gets at the key.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use parking_lot::Mutex;
use resp::{Protocol, Writer};

use crate::args::OwnedArgs;
use crate::clients::Client;
use crate::table::Command;

/// What a blocking command asks for when it finds nothing.
pub struct Wait {
    /// The keys, one of which has to change.
    pub keys: Vec<Box<[u8]>>,
    /// When to give up, milliseconds since the epoch.
    pub deadline_ms: Option<i64>,
    /// What giving up answers.
    pub nothing: Nothing,
    /// The words to try again with, where they are not those of the client (XREAD's `$`).
    pub retry: Option<OwnedArgs>,
}

/// What a command answers that has nothing to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// The null of a single value.
    Null,
    /// The null of an array.
    NullArray,
}

impl Nothing {
    /// Writes it.
    pub fn write(self, reply: &mut Writer<'_>) {
        match self {
            Self::Null => reply.null(),
            Self::NullArray => reply.null_array(),
        }
    }
}

const WAITING: u8 = 0;
const CLAIMED: u8 = 1;
const OVER: u8 = 2;
const ENDING: u8 = 3;

/// A client that waits, with all that is needed to run its command for it.
pub struct Parked {
    /// Names it in the queues of its keys; never used twice.
    pub ticket: u64,
    /// The client.
    pub client: Arc<Client>,
    /// The command.
    pub command: Command,
    /// Its words.
    pub args: OwnedArgs,
    /// The client's database.
    pub database: usize,
    /// The client's protocol.
    pub protocol: Protocol,
    /// The keys that it waits for.
    pub keys: Vec<Box<[u8]>>,
    /// When it gives up, milliseconds since the epoch.
    pub deadline_ms: Option<i64>,
    /// What giving up answers.
    pub nothing: Nothing,
    state: AtomicU8,
}

impl Parked {
    /// Takes the client for oneself: to serve it, or to end its wait. Only one can.
    pub fn claim(&self) -> bool {
        self.state.compare_exchange(WAITING, CLAIMED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Takes the client for ending its wait, which CLIENT UNBLOCK may have announced.
    pub fn claim_to_end(&self) -> bool {
        let announced =
            self.state.compare_exchange(ENDING, CLAIMED, Ordering::AcqRel, Ordering::Acquire);
        announced.is_ok() || self.claim()
    }

    /// Announces the end of the wait: nobody serves the client from now on, and its worker, once told,
    /// ends the wait. False when it is over, or about to be.
    pub fn announce_end(&self) -> bool {
        self.state.compare_exchange(WAITING, ENDING, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Gives a claimed client back: it goes on waiting.
    pub fn unclaim(&self) {
        self.state.store(WAITING, Ordering::Release);
    }

    /// Marks a claimed client as served, or its wait as ended.
    pub fn finish(&self) {
        self.state.store(OVER, Ordering::Release);
    }

    /// Whether the wait is over.
    pub fn is_over(&self) -> bool {
        self.state.load(Ordering::Acquire) == OVER
    }
}

/// All clients that wait.
#[derive(Default)]
pub struct Lot {
    parked: Mutex<HashMap<u64, Arc<Parked>>>,
    last_ticket: AtomicU64,
}

/// A client that is about to wait.
pub struct Arrival {
    /// The client.
    pub client: Arc<Client>,
    /// The command.
    pub command: Command,
    /// Its words.
    pub args: OwnedArgs,
    /// The client's database.
    pub database: usize,
    /// The client's protocol.
    pub protocol: Protocol,
}

impl Lot {
    /// Enters a client; the caller puts its ticket into the queues of its keys.
    pub fn park(&self, arrival: Arrival, wait: Wait) -> Arc<Parked> {
        let ticket = self.last_ticket.fetch_add(1, Ordering::Relaxed) + 1;
        let parked = Arc::new(Parked {
            ticket,
            client: arrival.client,
            command: arrival.command,
            args: wait.retry.unwrap_or(arrival.args),
            database: arrival.database,
            protocol: arrival.protocol,
            keys: wait.keys,
            deadline_ms: wait.deadline_ms,
            nothing: wait.nothing,
            state: AtomicU8::new(WAITING),
        });
        self.parked.lock().insert(ticket, Arc::clone(&parked));
        parked
    }

    /// A client by its ticket.
    pub fn get(&self, ticket: u64) -> Option<Arc<Parked>> {
        self.parked.lock().get(&ticket).cloned()
    }

    /// The wait of a client by the client's id.
    pub fn of_client(&self, id: u64) -> Option<Arc<Parked>> {
        self.parked.lock().values().find(|parked| parked.client.id == id).cloned()
    }

    /// Strikes a client.
    pub fn leave(&self, ticket: u64) {
        self.parked.lock().remove(&ticket);
    }

    /// The number of clients that wait.
    pub fn len(&self) -> usize {
        self.parked.lock().len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
