//! MIGRATE, on threads of its own: nobody else waits for the other server.
//!
//! A step of the command runs under the locks of its keys and says what to send; between steps the thread talks
//! with the other server, and nothing is locked.

mod link;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use command::blocked::Parked;
use command::migration::Migration;
use command::{Error, Services, Session};
use commands::MigrateRequest;
use parking_lot::{Condvar, Mutex};
use resp::Writer;

use crate::execute::{Bench, Call, scope_of};
use crate::helper::{Hand, answer, shards_of};
use link::Link;

/// Keys that move at the same time to servers that are slow to answer; further ones wait for them.
const THREADS: usize = 4;
/// How long a connection is kept for the next MIGRATE to the same server.
const KEPT: Duration = Duration::from_secs(10);

/// The threads, as workers see them.
pub struct Migrator {
    hall: Arc<Hall>,
}

/// What the threads share.
struct Hall {
    services: Arc<Services>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<Parked>>,
    threads: usize,
    idle: usize,
    links: Vec<Kept>,
    closed: bool,
}

/// A connection that nobody uses.
struct Kept {
    host: Vec<u8>,
    port: Vec<u8>,
    link: Link,
    since: Instant,
}

impl Migrator {
    /// Threads are started when they are needed.
    pub fn new(services: &Arc<Services>) -> Self {
        let services = Arc::clone(services);
        Self { hall: Arc::new(Hall { services, state: Mutex::default(), changed: Condvar::new() }) }
    }

    /// Runs a client's MIGRATE.
    pub fn take_over(&self, parked: Arc<Parked>) -> Arc<Parked> {
        let mut state = self.hall.state.lock();
        state.queue.push_back(Arc::clone(&parked));
        if state.idle < state.queue.len() && state.threads < THREADS {
            let hall = Arc::clone(&self.hall);
            let run = move || {
                let services = Arc::clone(&hall.services);
                let mut hand = Hand::new(&services);
                hall.serve(&mut hand);
            };
            let name = format!("migrator-{}", state.threads);
            match thread::Builder::new().name(name).spawn(run) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    state.queue.clear();
                    let mut reply = Vec::new();
                    let error = format!("ERR MIGRATE cannot start: {error}");
                    Writer::new(&mut reply, parked.protocol).error(&error);
                    answer(&self.hall.services, &parked, reply);
                }
                Err(_) => {}
            }
        }
        self.hall.changed.notify_one();
        parked
    }
}

impl Drop for Migrator {
    fn drop(&mut self) {
        self.hall.state.lock().closed = true;
        self.hall.changed.notify_all();
    }
}

impl Hall {
    fn serve(&self, hand: &mut Hand<'_>) {
        loop {
            let mut state = self.state.lock();
            let parked = loop {
                if state.closed {
                    return;
                }
                if let Some(parked) = state.queue.pop_front() {
                    break parked;
                }
                state.idle += 1;
                // Also wakes to close connections that nobody has used.
                self.changed.wait_for(&mut state, KEPT / 5);
                state.idle -= 1;
                state.links.retain(|kept| kept.since.elapsed() < KEPT);
                self.count(&state);
            };
            drop(state);
            self.migrate(hand, &parked);
        }
    }

    fn count(&self, state: &State) {
        self.services.migration_links.store(state.links.len(), Ordering::Relaxed);
    }

    fn migrate(&self, hand: &mut Hand<'_>, parked: &Parked) {
        let mut session = Session::new(Arc::clone(&parked.client), Arc::clone(&parked.user), true);
        (session.database, session.protocol) = (parked.database, parked.protocol);
        session.migration = Some(Box::default());
        let mut reply = Vec::new();
        loop {
            hand.work(|bench| bench.migrate_step(&mut session, parked, &mut reply));
            let Some(migration) = &mut session.migration else { break };
            migration.failure = self.talk(parked, migration).err();
        }
        answer(&self.services, parked, reply);
    }

    /// Tells the other server what a step has found; an answer that is lost on a connection which was kept is
    /// asked for once more on a new one.
    fn talk(&self, parked: &Parked, migration: &mut Migration) -> Result<(), Error> {
        let args = parked.args.view();
        let request = MigrateRequest::parse(args)?;
        let mut again = true;
        loop {
            let mut link = match self.kept(&request) {
                Some(link) => link,
                None => Link::connect(&request)
                    .map_err(|doing| Error::new(format!("IOERR error or timeout {doing}")))?,
            };
            let said = link.tell(&request, args, migration, self.services.clock.unix_ms());
            let told = match said {
                Ok(()) => Ok(()),
                Err(link::Trouble::Refused(line)) => {
                    Err(Error::new(format!("ERR Target instance replied with error: {line}")))
                }
                Err(link::Trouble::Broken { may_retry: true, .. }) if again => {
                    again = false;
                    continue;
                }
                Err(link::Trouble::Broken { doing, .. }) => {
                    let error = format!("IOERR error or timeout {doing} to target instance");
                    return Err(Error::new(error));
                }
            };
            self.keep(&request, link);
            return told;
        }
    }

    fn kept(&self, request: &MigrateRequest<'_>) -> Option<Link> {
        let mut state = self.state.lock();
        let found = state
            .links
            .iter()
            .position(|kept| kept.host == request.host && kept.port == request.port)?;
        Some(state.links.swap_remove(found).link)
    }

    fn keep(&self, request: &MigrateRequest<'_>, link: Link) {
        let mut state = self.state.lock();
        let (host, port) = (request.host.to_vec(), request.port.to_vec());
        state.links.push(Kept { host, port, link, since: Instant::now() });
        self.count(&state);
    }
}

impl Bench<'_> {
    /// A step of MIGRATE: the command itself, counted and logged when it answers.
    fn migrate_step(&mut self, session: &mut Session, parked: &Parked, reply: &mut Vec<u8>) {
        let call = Call {
            command: parked.command,
            args: parked.args.view(),
            now_us: self.now_us(),
            may_wait: false,
            waited: false,
            alone: true,
        };
        let services = self.services;
        let scope = scope_of(call.command, call.args);
        let shards = if self.is_large(session, &call) { shards_of(&scope) } else { Vec::new() };
        let occupied = services.keyspace.occupy(shards);
        self.with_held(scope, |bench, mut held| {
            bench.run_and_answer(session, &call, reply, &mut held);
            bench.record(call.now_us);
            if session.migration.is_none() {
                bench.account(session, &call, reply.len());
            }
            let ready = std::mem::take(&mut bench.aftermath.ready);
            if !ready.is_empty() {
                bench.serve_all(ready, held);
            }
        });
        drop(occupied);
        self.tell_readers();
        self.tell_everybody();
    }
}
