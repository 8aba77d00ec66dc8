use std::sync::Arc;

use config::Config;
use env::Random;
use resp::Writer;

use crate::blocked::Wait;
use crate::database::Database;
use crate::effects::Effects;
use crate::services::Services;
use crate::session::Session;

/// What a command runs in. The fields are apart so that a command can hold an entry of `db` while it
/// writes to `reply`.
pub struct Ctx<'a> {
    /// The keys.
    pub db: Database<'a>,
    /// Where the reply goes.
    pub reply: Writer<'a>,
    /// What goes into the log of effects, where that is not the command itself.
    pub effects: Effects,
    /// The connection's state.
    pub session: &'a mut Session,
    /// The parts of the server that commands may ask.
    pub services: &'a Arc<Services>,
    /// The configuration as it was when the turn began.
    pub config: &'a Config,
    /// Randomness; seeded, so that a run can be repeated.
    pub random: &'a mut Random,
    /// The command's time, microseconds since the epoch.
    pub now_us: i64,
    /// Whether the command may wait; inside a transaction or a script it may not.
    pub may_wait: bool,
    /// Whether the command may give up with [`crate::Error::LEAVES`], for a helper to run it.
    pub may_leave: bool,
    /// Whether the client has waited, and this is done on its behalf.
    pub waited: bool,
    /// What the command waits for, when it does.
    pub waits_for: Option<Box<Wait>>,
    /// What the worker does while a script keeps it busy.
    pub idle: Option<&'a dyn Idle>,
}

/// What a worker can do for its other clients while a command runs for long.
pub trait Idle {
    /// Serves them, as far as that is possible now.
    fn serve(&self);
}

impl Ctx<'_> {
    /// The command's time, milliseconds since the epoch.
    pub fn now_ms(&self) -> i64 {
        self.db.now_ms()
    }

    /// Lets the client wait until one of some keys changes, and then runs the command again. Where
    /// waiting is not possible the command answers that there is nothing.
    pub fn wait(&mut self, wait: Wait) {
        if self.may_wait {
            self.waits_for = Some(Box::new(wait));
        } else {
            wait.nothing.write(&mut self.reply);
        }
    }
}
