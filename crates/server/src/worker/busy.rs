//! Scripts: while one runs for long, its worker goes on serving its other clients as far as that is possible.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use command::Idle;

use super::{Worker, touch};
use crate::batch::Batch;
use crate::conditions::Conditions;
use crate::execute::{Bench, Done};
use crate::source::Source;

/// How often the worker looks at its other clients.
const PERIOD_NS: u64 = 1_000_000;

/// The worker of a script that runs.
struct Idler<'w, 'b, S: Source> {
    worker: RefCell<&'w mut Worker<S>>,
    /// The batch, and the place of the script's command in it.
    batch: &'b Batch,
    index: usize,
    /// The stop watch when it last served.
    served_ns: Cell<u64>,
}

impl<S: Source> Idle for Idler<'_, '_, S> {
    fn serve(&self) {
        // A script that runs within what is served here has no idler.
        let Ok(mut worker) = self.worker.try_borrow_mut() else { return };
        let now_ns = worker.services.clock.monotonic_ns();
        if self.served_ns.get() == 0 {
            worker.parse_anew(self.batch, self.index + 1);
            worker.look_at_all();
        } else if now_ns.saturating_sub(self.served_ns.get()) < PERIOD_NS {
            return;
        }
        worker.serve_others();
        self.served_ns.set(worker.services.clock.monotonic_ns());
    }
}

impl<S: Source> Worker<S> {
    /// Executes the command at `index` of the batch, which may run a script. Its connection is taken out
    /// meanwhile, so that everything else is free for the others.
    pub(super) fn run_script(&mut self, index: usize) {
        let token = self.batch.get(index).token;
        if self.hall().admit(token).is_none() {
            return;
        }
        let Some(mut connection) = self.connections.get_mut(token).and_then(Option::take) else {
            return;
        };
        let batch = std::mem::take(&mut self.batch);
        let (services, config) = (Arc::clone(&self.services), Arc::clone(&self.config));
        let (counters, gate) = (Arc::clone(&self.counters), Rc::clone(&self.gate));
        let log = Rc::clone(&self.log);
        let mut random = self.random.clone();
        let mut evictor = std::mem::take(&mut self.evictor);
        let notes = RefCell::default();
        let (epoch_us, epoch_ns) = (self.epoch_us, self.epoch_ns);
        let worker = RefCell::new(self);
        let idler = Idler { worker, batch: &batch, index, served_ns: Cell::new(0) };
        let mut bench = Bench {
            services: &services,
            config: &config,
            counters: &counters,
            random: &mut random,
            log: &log,
            effects: Default::default(),
            gate: &gate,
            epoch_us,
            epoch_ns,
            clock_ns: services.clock.monotonic_ns(),
            evictor: &mut evictor,
            helpers: None,
            idle: Some(&idler),
            aftermath: Default::default(),
            conditions: Conditions::of(&services, &config, epoch_us / 1000),
            notes: &notes,
        };
        let pending = batch.get(index);
        let args = batch.args(pending, &connection.input);
        let before = log.last();
        let done =
            bench.execute(&mut connection.session, pending.command, args, &mut connection.output);
        connection.note_change(pending.command, before, log.last());
        bench.tell_everybody();
        let has_served = idler.served_ns.get() > 0;
        let worker = idler.worker.into_inner();
        match done {
            Done::HeldUntil(until) => {
                connection.hold_until(until);
                worker.cron.wake_at(until);
            }
            // Scripts do not wait.
            Done::Yes | Done::Parked(_) => connection.executed = pending.end,
        }
        worker.random = random;
        worker.evictor = evictor;
        worker.batch = batch;
        if has_served {
            worker.batch.skip_others(index + 1, token);
            // What arrived meanwhile was not noted.
            connection.touched = false;
            if !connection.readable {
                connection.readable = true;
                worker.unread.push(token);
            }
            touch(&mut worker.touched, token, &mut connection);
        }
        if let Some(place) = worker.connections.get_mut(token) {
            *place = Some(connection);
        }
    }

    /// Serves the commands of a batch from `from` on anew, but for those of connections that are taken out:
    /// what others have sent must not wait for the script, nor be taken for served.
    fn parse_anew(&mut self, batch: &Batch, from: usize) {
        for index in from..batch.len() {
            let token = batch.get(index).token;
            if let Some(Some(connection)) = self.connections.get_mut(token) {
                connection.rewind();
            }
        }
        for index in from..batch.len() {
            let token = batch.get(index).token;
            // Those with several commands are through after the first.
            if let Some(Some(connection)) = self.connections.get(token)
                && connection.parsed == connection.executed
            {
                self.parse(token);
            }
        }
        self.run_batch();
    }

    /// Makes sure that what was ready before the script began is looked at.
    fn look_at_all(&mut self) {
        for (token, connection) in self.connections.iter().enumerate() {
            if connection.as_ref().is_some_and(|connection| connection.readable) {
                self.unread.push(token);
            }
        }
    }

    /// A turn without what needs keys.
    fn serve_others(&mut self) {
        // An error of the event source shows itself again in the next turn.
        if self.wait(Duration::ZERO).is_err() {
            return;
        }
        self.read_mail();
        self.note_all_ready();
        self.read_and_execute();
        self.flush_touched();
        self.go_round();
    }
}
