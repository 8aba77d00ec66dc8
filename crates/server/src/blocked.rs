//! Clients that wait: how a wait begins, and how it is served. How it ends otherwise is the matter of
//! `command::blocked::Lot`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use command::blocked::{Arrival, Parked, Wait};
use command::clients::Kill;
use command::{Command, Group, Letter, ReadyKey, Session};
use keyspace::{Held, Key, KeyHash};
use value::Kind;

use crate::execute::{Bench, Call, Scope, keys_of};

impl Bench<'_> {
    /// Lets a client wait: its ticket enters the queues of its keys while they are still locked.
    pub fn park(
        &mut self,
        session: &Session,
        call: &Call<'_>,
        wait: Wait,
        held: &mut Held<'_>,
    ) -> Arc<Parked> {
        let arrival = Arrival {
            client: Arc::clone(&session.client),
            user: Arc::clone(&session.user),
            command: call.command,
            args: session.keep_words(call.args),
            database: session.database,
            protocol: session.protocol,
        };
        let parked = self.services.parked.park(arrival, wait);
        for key in &parked.keys {
            let marks = &mut held.shard_mut(KeyHash::of(key)).marks;
            marks.wait(parked.database, key, parked.ticket, awaited_kind(call.command));
        }
        session.client.figures.blocked.store(true, Ordering::Relaxed);
        parked
    }

    /// Serves everybody who waits for one of these keys, as far as there is something for them, and in the
    /// order in which they came.
    ///
    /// Whoever waits for keys of other shards too has to be served under more locks: then these are given
    /// back and all that is needed is locked anew.
    pub fn serve_all(&mut self, ready: Vec<ReadyKey>, mut held: Held<'_>) {
        let mut queues: VecDeque<Queue> = ready.into_iter().map(Queue::new).collect();
        let mut missing = self.serve(&mut queues, &mut held);
        drop(held);
        while let Some(hashes) = missing {
            let served = self.with_held(Scope::Keys(hashes), |bench, mut held| {
                bench.serve(&mut queues, &mut held)
            });
            missing = served.flatten();
        }
    }

    /// Serves the queues until they are done, or until the next waiter needs locks that are not held; gives
    /// back which are needed to go on.
    fn serve(&mut self, queues: &mut VecDeque<Queue>, held: &mut Held<'_>) -> Option<Vec<KeyHash>> {
        while let Some(mut queue) = queues.pop_front() {
            let hash = KeyHash::of(&queue.key);
            let covered = held.covers(hash);
            while covered && let Some(parked) = self.next_in(&queue, held) {
                let args = parked.args.view();
                let keys = keys_of(parked.command, args);
                let mut hashes = keys.iter().map(|(word, _)| KeyHash::of(args.at(*word)));
                if !hashes.clone().all(|hash| held.covers(hash)) {
                    queues.push_front(queue);
                    let rest = queues.iter().map(|queue| KeyHash::of(&queue.key));
                    return Some(hashes.by_ref().chain(rest).collect());
                }
                queue.after = parked.ticket;
                queues.extend(self.serve_one(&parked, held).into_iter().map(Queue::new));
            }
            if !covered {
                queues.push_front(queue);
                return Some(queues.iter().map(|queue| KeyHash::of(&queue.key)).collect());
            }
        }
        None
    }

    /// Who is next in a queue.
    fn next_in(&self, queue: &Queue, held: &mut Held<'_>) -> Option<Arc<Parked>> {
        let physical = held.keyspace().resolve(queue.database);
        let key = Key::new(&queue.key);
        let shard = held.shard_mut(key.hash());
        let kind = shard.db_mut(physical).get(key).map(|entry| entry.kind());
        let mut after = queue.after;
        loop {
            after = shard.marks.next_waiter(queue.database, &queue.key, kind, after)?;
            // One that gives up or was killed at this moment may still stand here.
            let parked = self.services.parked.get(after);
            if let Some(parked) = parked.filter(|parked| parked.client.killed() == Kill::No) {
                return Some(parked);
            }
        }
    }

    /// Runs a waiting client's command for it. When there is still nothing for it, it goes on waiting.
    fn serve_one(&mut self, parked: &Arc<Parked>, held: &mut Held<'_>) -> Vec<ReadyKey> {
        if parked.is_over() {
            return Vec::new();
        }
        let user = Arc::clone(&parked.user);
        let mut session = Session::new(Arc::clone(&parked.client), user, true);
        (session.database, session.protocol) = (parked.database, parked.protocol);
        let now_us = self.now_us();
        let (command, args) = (parked.command, parked.args.view());
        let call = Call { command, args, now_us, may_wait: true, waited: true, alone: true };
        let mut reply = Vec::new();
        // It was counted when it began to wait.
        self.lap_ns();
        let wait = match self.permit(&session, &call) {
            Ok(()) => self.run_and_answer(&mut session, &call, &mut reply, held),
            // The rules have changed since.
            Err(error) => {
                self.answer_denied(&session, &error, &mut reply);
                None
            }
        };
        self.record(now_us);
        let took_ns = self.lap_ns();
        if let Some(wait) = wait {
            if let Some(at_ms) = wait.again_ms {
                parked.client.post(Letter::Again { client: parked.client.id, at_ms });
            }
            self.tell_readers();
            return std::mem::take(&mut self.aftermath.ready);
        }
        self.log(&session, &call, took_ns, reply.len());
        for key in &parked.keys {
            let marks = &mut held.shard_mut(KeyHash::of(key)).marks;
            marks.stop_waiting(parked.database, key, parked.ticket);
        }
        parked.finish();
        self.services.parked.leave(parked.ticket);
        let (client, ticket) = (parked.client.id, parked.ticket);
        parked.client.post(Letter::Served { client, ticket, reply });
        // Behind the reply, if it is for the same client.
        self.tell_readers();
        std::mem::take(&mut self.aftermath.ready)
    }
}

/// A key that changed, and how far those have been served who wait for it.
struct Queue {
    database: usize,
    key: Box<[u8]>,
    /// The ticket of the last one.
    after: u64,
}

impl Queue {
    fn new((database, key): ReadyKey) -> Self {
        Self { database, key, after: 0 }
    }
}

/// What a key has to hold for a blocking command to run again. Who reads as a member of a group is also told
/// when the group is gone.
fn awaited_kind(command: Command) -> Option<Kind> {
    match command.group {
        Group::List => Some(Kind::List),
        Group::SortedSet => Some(Kind::SortedSet),
        _ if command.name == "xreadgroup" => None,
        _ => Some(Kind::Stream),
    }
}
