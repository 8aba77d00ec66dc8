//! Clients that wait in a blocking command.
//!
//! A blocking command that finds nothing asks to wait ([`crate::Ctx::wait`]). Its client's ticket then
//! stands in the queues of its keys (`keyspace::Marks`), entered while their shards are still locked, so
//! no change can slip by. Whoever changes such a key runs the commands of those that wait for it, longest
//! first, on their behalf and before anybody else gets at the key.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use acl::User;
use keyspace::{KeyHash, Lent};
use parking_lot::Mutex;
use resp::{Protocol, Writer};

use crate::args::OwnedArgs;
use crate::clients::Client;
use crate::error::Error;
use crate::mailbox::Letter;
use crate::table::Command;

/// What a blocking command asks for when it finds nothing.
pub struct Wait {
    /// The keys, one of which has to change.
    pub keys: Vec<Box<[u8]>>,
    /// When to give up, milliseconds since the epoch.
    pub deadline_ms: Option<i64>,
    /// When to try again even if no key changes, milliseconds since the epoch: time alone may bring something.
    pub again_ms: Option<i64>,
    /// What giving up answers.
    pub nothing: Nothing,
    /// The words to try again with, where they are not those of the client (XREAD's `$`).
    pub retry: Option<OwnedArgs>,
}

impl Wait {
    /// For a helper to run the command.
    pub fn for_help() -> Self {
        let (deadline_ms, again_ms, retry) = (None, None, None);
        Self { keys: Vec::new(), deadline_ms, again_ms, nothing: Nothing::Helped, retry }
    }

    /// Whether it is for that: then the command has not run yet.
    pub fn is_for_help(&self) -> bool {
        self.nothing == Nothing::Helped
    }
}

/// What a command answers that has nothing to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// The null of a single value.
    Null,
    /// The null of an array.
    NullArray,
    /// Neither here nor at replicas is anything durable.
    NoneAcknowledged,
    /// The command takes too long for its client's own worker: a helper runs it, and its end alone ends the wait.
    Helped,
}

impl Nothing {
    /// Writes it.
    pub fn write(self, reply: &mut Writer<'_>) {
        match self {
            Self::Null | Self::Helped => reply.null(),
            Self::NullArray => reply.null_array(),
            Self::NoneAcknowledged => {
                reply.array(2);
                reply.integer(0);
                reply.integer(0);
            }
        }
    }
}

/// A client that waits, with all that is needed to run its command for it.
pub struct Parked {
    /// Names it in the queues of its keys; never used twice.
    pub ticket: u64,
    /// The client.
    pub client: Arc<Client>,
    /// Who it is.
    pub user: Arc<User>,
    /// The command.
    pub command: Command,
    /// Its words.
    pub args: Arc<OwnedArgs>,
    /// The client's database.
    pub database: usize,
    /// The client's protocol.
    pub protocol: Protocol,
    /// The keys that it waits for.
    pub keys: Vec<Box<[u8]>>,
    /// When it gives up, milliseconds since the epoch.
    pub deadline_ms: Option<i64>,
    /// When it was to try again, when it began to wait.
    pub again_ms: Option<i64>,
    /// What giving up answers.
    pub nothing: Nothing,
    /// Changes under the locks of the keys: of all of them when the client is served, of the first when the
    /// wait is given up.
    over: AtomicBool,
}

impl Parked {
    /// Ends the wait; false when somebody else has ended it before. The caller holds the lock of the first
    /// key at least.
    pub fn finish(&self) -> bool {
        !self.over.swap(true, Ordering::AcqRel)
    }

    /// Whether the wait is over.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
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
    /// Who it is.
    pub user: Arc<User>,
    /// The command.
    pub command: Command,
    /// Its words.
    pub args: Arc<OwnedArgs>,
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
            user: arrival.user,
            command: arrival.command,
            args: wait.retry.map_or(arrival.args, Arc::new),
            database: arrival.database,
            protocol: arrival.protocol,
            keys: wait.keys,
            deadline_ms: wait.deadline_ms,
            again_ms: wait.again_ms,
            nothing: wait.nothing,
            over: AtomicBool::new(false),
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

    /// Ends a wait without serving it; false when it is over already, and its reply under way. `held` is all
    /// or nothing, since the keys are visited one after the other.
    pub fn give_up(&self, parked: &Parked, held: &mut Lent<'_>) -> bool {
        let mut ended = false;
        for (place, key) in parked.keys.iter().enumerate() {
            held.visit(KeyHash::of(key).shard(), |shard| {
                // Whoever serves the client holds this lock, so it is served before this or not at all.
                if place == 0 {
                    ended = parked.finish();
                }
                if ended {
                    shard.marks.stop_waiting(parked.database, key, parked.ticket);
                }
            });
            if !ended {
                return false;
            }
        }
        self.leave(parked.ticket);
        true
    }

    /// CLIENT UNBLOCK: ends a client's wait as its timeout would, or with an error; gives back the command that
    /// waited, if one did. As for [`Lot::give_up`], `held` is all or nothing.
    pub fn unblock(&self, client: u64, with_error: bool, held: &mut Lent<'_>) -> Option<Command> {
        let parked = self.of_client(client).filter(|parked| self.give_up(parked, held))?;
        let mut reply = Vec::new();
        let mut writer = Writer::new(&mut reply, parked.protocol);
        if with_error {
            writer.error(Error::UNBLOCKED.line());
        } else {
            parked.nothing.write(&mut writer);
        }
        parked.client.post(Letter::Served { client, ticket: parked.ticket, reply });
        Some(parked.command)
    }

    /// The number of keys that clients wait for, and of those whose vanishing somebody is told, too
    /// (XREADGROUP).
    pub fn keys(&self) -> (usize, usize) {
        let parked = self.parked.lock();
        let keys = |groups_only: bool| {
            let of = parked.values().filter(|one| !groups_only || one.command.name == "xreadgroup");
            let keys = of.flat_map(|one| one.keys.iter().map(|key| (one.database, key)));
            keys.collect::<HashSet<_>>().len()
        };
        (keys(false), keys(true))
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
