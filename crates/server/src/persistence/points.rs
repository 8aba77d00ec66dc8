use std::sync::Arc;
use std::sync::atomic::Ordering;

use command::Services;
use config::Config;

use super::{save_in_background, with_all};

/// Seconds to wait after a snapshot that failed.
const RETRY_DELAY_S: i64 = 5;

/// Begins a snapshot when a save point is reached or one was asked for. The calling thread is outside of the
/// gate.
pub fn tick(services: &Arc<Services>, config: &Config, now_ms: i64) {
    super::backup::tick(services, config, now_ms);
    if !is_due(services, config, now_ms / 1000) {
        return;
    }
    with_all(services, |held| {
        // Whoever closed the gate before may have begun one.
        let persistence = &services.persistence;
        if persistence.base().is_none() && persistence.saves().current.is_none() {
            services.persistence.saves().scheduled = false;
            // The log says why not.
            let _ = save_in_background(services, held);
        }
    });
}

fn is_due(services: &Services, config: &Config, now_s: i64) -> bool {
    if services.persistence.is_loading() {
        return false;
    }
    if services.aof.rewriting.load(Ordering::Relaxed) {
        return false;
    }
    let saves = services.persistence.saves();
    if saves.current.is_some() || (!saves.ok && now_s - saves.tried_s <= RETRY_DELAY_S) {
        return false;
    }
    if saves.scheduled {
        return true;
    }
    if config.save.is_empty() {
        return false;
    }
    let changes = services.statistics.changes().saturating_sub(saves.changes);
    let elapsed_s = u64::try_from(now_s - saves.last_s).unwrap_or(0);
    let reached =
        config.save.iter().find(|point| changes >= point.changes && elapsed_s > point.seconds);
    if let Some(point) = reached {
        tracing::info!("{} changes in {} seconds. Saving...", point.changes, point.seconds);
    }
    reached.is_some()
}
