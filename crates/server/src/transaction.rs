//! EXEC: the commands since MULTI, under all their locks at once.

use command::{Args, Error, Flags, Session, Transaction, Watched, permission};
use commands::Condition;
use keyspace::{Held, Key, KeyHash};
use resp::Writer;

use crate::execute::{Bench, Call, Scope, keys_of};

impl Bench<'_> {
    /// Runs the queued commands, or says why not.
    pub fn exec(&mut self, session: &mut Session, call: &Call<'_>, output: &mut Vec<u8>) {
        let transaction = session.transaction.take().unwrap_or_default();
        let watched = std::mem::take(&mut session.watched);
        session.client.figures.queued.set(0);
        session.client.figures.watched.set(0);
        let conditions = Condition::all(call.args);
        let scope = scope(&transaction, &watched, call.args, conditions.as_deref().unwrap_or(&[]));
        let start = output.len();
        let done = self.with_held(scope, |bench, mut held| {
            let unchanged = bench.end_watches(session, &watched, call, &mut held);
            if transaction.broken {
                let error =
                    Error::fixed("EXECABORT Transaction discarded because of previous errors.");
                Writer::new(output, session.protocol).error(error.line());
                bench.counters.errors.add(1);
                bench.services.statistics.count_error(error.prefix());
                bench.counters.command(call.command.id()).failed.add(1);
            } else {
                match &conditions {
                    Err(error) => bench.refuse(session, Some(call.command), error, output),
                    Ok(all) if unchanged && bench.allows(session, all, call, &mut held) => {
                        bench.run_queued(session, &transaction, call, output, held);
                    }
                    Ok(_) => Writer::new(output, session.protocol).null_array(),
                }
            }
        });
        if done.is_none() {
            let text = "EXECABORT Transaction discarded because of: a script that runs";
            Writer::new(output, session.protocol).error(text);
            self.counters.errors.add(1);
        }
        self.account(session, call, output.len() - start);
    }

    /// Ends all watches, and says whether none of their keys has changed.
    fn end_watches(
        &mut self,
        session: &mut Session,
        watched: &[Watched],
        call: &Call<'_>,
        held: &mut Held<'_>,
    ) -> bool {
        let setting = self.setting(session, call, held);
        let mut db = command::Database::new(setting, &mut self.aftermath);
        let mut unchanged = true;
        for watch in watched {
            let key = Key::new(&watch.key);
            let broken = db.within(watch.database, |db| db.watch_broken(key, watch.version));
            unchanged &= !broken;
            db.shard_of(key.hash()).marks.unwatch(watch.database, &watch.key);
        }
        self.publish_events();
        self.log.record(&mut self.aftermath.expired, call.now_us / 1000);
        unchanged
    }

    /// Whether what EXEC asks for is so.
    fn allows(
        &mut self,
        session: &mut Session,
        conditions: &[Condition],
        call: &Call<'_>,
        held: &mut Held<'_>,
    ) -> bool {
        let setting = self.setting(session, call, held);
        let mut db = command::Database::new(setting, &mut self.aftermath);
        let all = conditions.iter().all(|condition| condition.holds(&mut db, call.args));
        self.publish_events();
        self.log.record(&mut self.aftermath.expired, call.now_us / 1000);
        all
    }

    fn run_queued(
        &mut self,
        session: &mut Session,
        transaction: &Transaction,
        exec: &Call<'_>,
        output: &mut Vec<u8>,
        mut held: Held<'_>,
    ) {
        Writer::new(output, session.protocol).array(transaction.queued.len());
        for (command, args) in &transaction.queued {
            let (command, args) = (*command, args.view());
            let call = Call { command, args, may_wait: false, alone: false, ..*exec };
            if let Err(denied) = session.check(call.command, call.args) {
                let context = acl::Context::Multi;
                permission::note(self.services, session, context, denied, call.command, call.args);
                let error = permission::error_in_transaction(denied);
                self.answer_denied(session, &error, output);
                continue;
            }
            self.run_and_account(session, &call, output, &mut held);
        }
        self.record(exec.now_us);
        let ready = std::mem::take(&mut self.aftermath.ready);
        if !ready.is_empty() {
            self.serve_all(ready, held);
        }
    }
}

/// The locks of a transaction: those of all its commands, of its watched keys and of its conditions.
fn scope(
    transaction: &Transaction,
    watched: &[Watched],
    args: Args<'_>,
    conditions: &[Condition],
) -> Scope {
    let mut hashes: Vec<KeyHash> = watched.iter().map(|watch| KeyHash::of(&watch.key)).collect();
    hashes.extend(conditions.iter().map(|condition| KeyHash::of(args.at(condition.key))));
    if !transaction.broken {
        for (command, args) in &transaction.queued {
            let args = args.view();
            if command.flags.contains(Flags::WALK) || command.is_exclusive(args) {
                return Scope::All;
            }
            hashes.extend(
                keys_of(*command, args).iter().map(|(word, _)| KeyHash::of(args.at(*word))),
            );
        }
    }
    if hashes.is_empty() { Scope::Nothing } else { Scope::Keys(hashes) }
}

/// Ends the watches of a client that has gone. The caller is inside the gate.
pub fn forget_watches(services: &command::Services, watched: &[Watched]) {
    for watch in watched {
        let mut guard = services.keyspace.lock(KeyHash::of(&watch.key).shard());
        guard.get_mut().marks.unwatch(watch.database, &watch.key);
    }
}
