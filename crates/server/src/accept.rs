use std::fmt;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::Arc;

use command::clients::{Client, Origin};
use command::{Mailbox, Services};
use observe::Counters;

use crate::mailbox::Inbox;
use crate::source::Socket;
use crate::stream::Stream;

/// A connection that has just been accepted.
pub struct Caller {
    /// Its socket.
    pub stream: Stream,
    /// Who is at the other end.
    pub peer: Peer,
    /// The socket's file descriptor, for CLIENT LIST.
    pub fd: RawFd,
    /// The user that its certificate names.
    pub user: Option<Vec<u8>>,
}

/// A connection that has been admitted, on its way to its worker.
pub struct Arrival<S> {
    /// Its socket.
    pub stream: S,
    /// What others see of it.
    pub client: Arc<Client>,
    /// The user that its certificate names.
    pub user: Option<Vec<u8>>,
}

/// Who is at the other end of a connection.
pub enum Peer {
    /// Somebody over TCP.
    Tcp {
        /// Their address.
        peer: SocketAddr,
        /// Ours.
        local: Option<SocketAddr>,
    },
    /// Somebody on this machine.
    Unix {
        /// The socket's path.
        path: String,
    },
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { peer, .. } => peer.fmt(f),
            Self::Unix { path } => path.fmt(f),
        }
    }
}

impl Peer {
    /// Whether the other end is on this machine.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp { peer, .. } => peer.ip().to_canonical().is_loopback(),
            Self::Unix { .. } => true,
        }
    }

    /// The addresses as CLIENT LIST shows them.
    pub fn origin(&self, fd: RawFd) -> Origin {
        match self {
            Self::Tcp { peer, local } => Origin {
                addr: peer.to_string(),
                laddr: local.map(|local| local.to_string()).unwrap_or_default(),
                fd,
                unix: false,
            },
            Self::Unix { path } => {
                Origin { addr: format!("{path}:0"), laddr: format!("{path}:0"), fd, unix: true }
            }
        }
    }
}

const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";

const PROTECTED: &[u8] = b"-DENIED Rubrica is running in protected mode because no password is set for the \
default user. In this mode connections are only accepted from the loopback interface. To connect from \
other machines, either set a password (requirepass in the configuration file, or CONFIG SET requirepass \
from a local client), or turn the protection off with 'protected-mode no' if nobody unwanted can reach \
this port.\r\n";

/// Decides about new connections and spreads those admitted over the workers.
pub struct Admission {
    services: Arc<Services>,
    inboxes: Vec<Arc<Inbox<Stream>>>,
    counters: Arc<Counters>,
    last: usize,
}

impl Admission {
    /// Spreads over the workers behind `inboxes`.
    pub fn new(services: Arc<Services>, inboxes: Vec<Arc<Inbox<Stream>>>) -> Self {
        let counters = services.statistics.register();
        Self { services, inboxes, counters, last: 0 }
    }

    /// Admits a connection, or tells it why not.
    pub fn admit(&mut self, mut caller: Caller) {
        let config = self.services.config.load();
        let refusal = if self.services.clients.len() >= config.maxclients as usize {
            Some(TOO_MANY)
        } else if config.protected_mode
            && self.services.acl.default_is_open()
            && !caller.peer.is_local()
        {
            Some(PROTECTED)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            // Best effort: whoever does not read at once learns it from the closed connection.
            let _ = caller.stream.send(refusal);
            return self.reject();
        }
        let worker = self.least_loaded();
        let Some(inbox) = self.inboxes.get(worker) else { return };
        let mailbox: Arc<dyn Mailbox> = inbox.clone();
        let now_ms = self.services.clock.unix_ms();
        let origin = caller.peer.origin(caller.fd);
        let client = self.services.clients.connect(origin, worker, mailbox, now_ms);
        inbox.hand_over(Arrival { stream: caller.stream, client, user: caller.user });
    }

    /// Counts a connection that is not admitted.
    pub fn reject(&self) {
        self.counters.rejected_connections.add(1);
    }

    /// The worker with the fewest connections; of several, the next in turn.
    fn least_loaded(&mut self) -> usize {
        let count = self.inboxes.len().max(1);
        let in_turn = (1..=count).map(|step| (self.last + step) % count);
        let load = |worker: &usize| self.inboxes.get(*worker).map_or(usize::MAX, |one| one.load());
        self.last = in_turn.min_by_key(load).unwrap_or_default();
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_mode_admits_this_machine_only() {
        let over_tcp =
            |addr: &str| Peer::Tcp { peer: addr.parse().expect("an address"), local: None };
        for local in ["127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(over_tcp(local).is_local(), "{local}");
        }
        for other in ["10.0.0.1:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1", "0.0.0.0:1"] {
            assert!(!over_tcp(other).is_local(), "{other}");
        }
        assert!(Peer::Unix { path: "/tmp/s".into() }.is_local());
    }
}
