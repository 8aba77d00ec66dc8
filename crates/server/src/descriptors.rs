//! How many file descriptors the process may have: the limit of clients that it can serve.

use config::Config;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for what is no client: listening sockets, event sources, logs, files.
const OTHERS: u64 = 96;

/// Raises the process's limit so that `maxclients` can be connected, or else lowers that to what is possible.
pub fn limit_clients(config: &mut Config) {
    let possible = provide_for(config.maxclients);
    if possible < config.maxclients {
        tracing::warn!(
            "maxclients is {possible} instead of {}: the limit of open files allows no more",
            config.maxclients
        );
        config.maxclients = possible;
    }
}

/// Raises the process's limit so that `clients` can be connected, as far as the system lets it; returns
/// how many can.
pub fn provide_for(clients: u32) -> u32 {
    let needed = u64::from(clients) + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    // No limit at all is written as none.
    let Some(current) = limit.current else { return clients };
    if current >= needed {
        return clients;
    }
    let reachable = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = Rlimit { current: Some(reachable), maximum: limit.maximum };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { reachable } else { current };
    u32::try_from(now.saturating_sub(OTHERS).max(1)).unwrap_or(u32::MAX).min(clients)
}
