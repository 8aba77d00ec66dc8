//! Saving the data set and loading it: what commands, the cron, the start and the end ask for.

pub mod backup;
mod cut;
mod load;
mod points;
mod save;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use aof::State;
use command::{Error, Services, Shutdown};
use config::Config;
use config::MaxmemoryPolicy as Policy;
use keyspace::{Held, Lent};
use rdb::{Encoder, Records};
use snapshot::Uses;

use crate::conditions::lfu_scale;

pub use cut::{Wrapped, cut, note_whole};
pub use load::{Watcher, add_libraries, load_at_start, load_file, reload, rules};
pub use points::tick;
pub use save::{give_up, give_up_base, save, save_in_background};

/// How records are written.
pub fn records(config: &Config) -> Records {
    Records { encoder: Encoder { compress: config.rdbcompression } }
}

fn counts_uses(config: &Config) -> bool {
    matches!(config.maxmemory_policy, Policy::AllkeysLfu | Policy::VolatileLfu)
}

/// What snapshots say of how keys are used: what the policy goes by.
pub fn uses(config: &Config) -> Uses {
    match config.maxmemory_policy {
        Policy::AllkeysLru | Policy::VolatileLru => Uses::Idle,
        Policy::AllkeysLfu | Policy::VolatileLfu => Uses::Frequency(lfu_scale(config)),
        _ => Uses::None,
    }
}

/// Works while everything is held. The calling thread is outside of the gate with all its slots.
pub fn with_all<T>(services: &Services, work: impl FnOnce(&mut Lent<'_>) -> T) -> T {
    let closed = services.keyspace.gate().close();
    work(&mut Held::all(&services.keyspace, &closed).lend())
}

/// Saves where the configuration or whoever ends the server asks for it.
///
/// # Errors
/// When that fails, unless the end is forced.
pub fn prepare_shutdown(
    services: &Arc<Services>,
    held: &mut Lent<'_>,
    how: Shutdown,
) -> Result<(), Error> {
    let config = services.config.snapshot();
    if services.persistence.saves().current.is_some() {
        tracing::warn!("A snapshot is being saved. Giving it up!");
        give_up(services, held);
    }
    if services.persistence.base().is_some() {
        let is_first = services.aof.state() == State::Starting;
        if is_first && !how.force {
            tracing::warn!("Writing initial AOF. Can't exit.");
            return Err(Error::fixed("ERR Errors trying to SHUTDOWN. Check logs."));
        }
        tracing::warn!("There is a base of the append-only files being written. Giving it up!");
        give_up_base(services, held);
        services.aof.scheduled.store(false, Ordering::Relaxed);
    }
    let saves = how.save.unwrap_or(!config.save.is_empty());
    if !saves || services.persistence.is_loading() {
        return Ok(());
    }
    tracing::info!("Saving the final RDB snapshot before exiting.");
    match save(services, held) {
        Ok(()) => Ok(()),
        Err(_) if how.force => {
            tracing::warn!("Error trying to save the DB, but exiting all the same since asked to.");
            Ok(())
        }
        Err(_) => {
            tracing::warn!("Error trying to save the DB, can't exit.");
            Err(Error::fixed("ERR Errors trying to SHUTDOWN. Check logs."))
        }
    }
}
