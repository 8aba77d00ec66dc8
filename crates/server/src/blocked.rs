//! Clients that wait: how a wait begins, how it is served, how it ends otherwise.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use command::blocked::{Arrival, Parked, Wait};
use command::clients::Kill;
use command::{Command, Group, Letter, OwnedArgs, ReadyKey, Services, Session};
use keyspace::{Held, Key, KeyHash};
use value::Kind;

use crate::execute::{Bench, Call, Scope, keys_of};

impl Bench<'_> {
    /// Lets a client wait: its ticket enters the queues of its keys while they are still locked.
    pub fn park(
        &mut self,
        session: &Session,
        call: Call<'_>,
        wait: Wait,
        held: &mut Held<'_>,
    ) -> Arc<Parked> {
        let arrival = Arrival {
            client: Arc::clone(&session.client),
            command: call.command,
            args: OwnedArgs::new(call.args.iter()),
            database: session.database,
            protocol: session.protocol,
        };
        let parked = self.services.parked.park(arrival, wait);
        for key in &parked.keys {
            let marks = &mut held.shard_mut(KeyHash::of(key)).marks;
            marks.wait(parked.database, key, parked.ticket);
        }
        session.client.figures.blocked.store(true, Ordering::Relaxed);
        parked
    }

    /// Serves everybody who waits for one of these keys, as far as there is something for them: first those
    /// whose keys are all locked already, so that nobody can come in between, then the others.
    pub fn serve_all(&mut self, ready: Vec<ReadyKey>, mut held: Held<'_>) {
        let mut late = self.serve(ready, &mut held);
        drop(held);
        while !late.is_empty() {
            for parked in std::mem::take(&mut late) {
                let args = parked.args.view();
                let keys = keys_of(parked.command, args);
                let hashes = keys.iter().map(|(word, _)| KeyHash::of(args.at(*word))).collect();
                late.extend(self.with_held(Scope::Keys(hashes), |bench, mut held| {
                    let ready = bench.serve_one(&parked, &mut held);
                    bench.serve(ready, &mut held)
                }));
            }
        }
    }

    /// Serves who waits for these keys; gives back those who need locks that are not held.
    fn serve(&mut self, ready: Vec<ReadyKey>, held: &mut Held<'_>) -> Vec<Arc<Parked>> {
        let mut late: Vec<Arc<Parked>> = Vec::new();
        let mut ready = std::collections::VecDeque::from(ready);
        while let Some((database, key)) = ready.pop_front() {
            let tickets = held.shard_mut(KeyHash::of(&key)).marks.waiters(database, &key);
            for parked in tickets.into_iter().filter_map(|ticket| self.services.parked.get(ticket))
            {
                let args = parked.args.view();
                let keys = keys_of(parked.command, args);
                let covered = keys.iter().all(|(word, _)| held.covers(KeyHash::of(args.at(*word))));
                if !has_kind(parked.command, held, database, &key) {
                    continue;
                }
                // Nobody overtakes who came before.
                if !covered || !late.is_empty() {
                    late.push(parked);
                    continue;
                }
                ready.extend(self.serve_one(&parked, held));
            }
        }
        late
    }

    /// Runs a waiting client's command for it. When there is still nothing for it, it goes on waiting.
    fn serve_one(&mut self, parked: &Arc<Parked>, held: &mut Held<'_>) -> Vec<ReadyKey> {
        // What a killed client was given would be lost.
        if parked.client.killed() == Kill::Now || !parked.claim() {
            return Vec::new();
        }
        let mut session = Session::new(Arc::clone(&parked.client), true);
        (session.database, session.protocol) = (parked.database, parked.protocol);
        let now_us = self.epoch_us + (self.clock_ns.saturating_sub(self.epoch_ns) / 1000) as i64;
        let call =
            Call { command: parked.command, args: parked.args.view(), now_us, may_wait: true };
        let mut reply = Vec::new();
        let ran = self.run_and_account(&mut session, call, &mut reply, held);
        if ran.wait.is_some() {
            parked.unclaim();
            return ran.ready;
        }
        for key in &parked.keys {
            let marks = &mut held.shard_mut(KeyHash::of(key)).marks;
            marks.stop_waiting(parked.database, key, parked.ticket);
        }
        parked.finish();
        self.services.parked.leave(parked.ticket);
        parked.client.post(Letter::Served {
            client: parked.client.id,
            ticket: parked.ticket,
            reply,
        });
        ran.ready
    }
}

/// Whether a key holds what the waiting command works on. Lists and sorted sets are waited for until they
/// are there, whatever else the key becomes meanwhile; readers of streams are told.
fn has_kind(command: Command, held: &mut Held<'_>, database: usize, key: &[u8]) -> bool {
    let wanted = match command.group {
        Group::List => Kind::List,
        Group::SortedSet => Kind::SortedSet,
        _ => return true,
    };
    let physical = held.keyspace().resolve(database);
    let key = Key::new(key);
    let db = held.shard_mut(key.hash()).db_mut(physical);
    db.get(key).is_some_and(|entry| entry.kind() == wanted)
}

/// Ends a wait without serving it: at a timeout, by CLIENT UNBLOCK, or because the client has gone. False
/// when somebody is serving it right now: then its reply is under way. The caller is inside the gate.
pub fn end_wait(services: &Services, parked: &Parked) -> bool {
    if !parked.claim_to_end() {
        return false;
    }
    for key in &parked.keys {
        let mut guard = services.keyspace.lock(KeyHash::of(key).shard());
        guard.get_mut().marks.stop_waiting(parked.database, key, parked.ticket);
    }
    parked.finish();
    services.parked.leave(parked.ticket);
    true
}
