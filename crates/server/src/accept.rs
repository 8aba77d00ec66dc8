use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::Arc;

use command::Services;
use command::clients::Origin;

use crate::mailbox::Inbox;
use crate::source::Socket;
use crate::stream::Stream;

/// A new connection.
pub struct Arrival {
    /// Its socket.
    pub stream: Stream,
    /// Who is at the other end.
    pub peer: Peer,
    /// The socket's file descriptor, for CLIENT LIST.
    pub fd: RawFd,
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
    inboxes: Vec<Arc<Inbox>>,
    next: usize,
}

impl Admission {
    /// Spreads over the workers behind `inboxes`.
    pub fn new(services: Arc<Services>, inboxes: Vec<Arc<Inbox>>) -> Self {
        Self { services, inboxes, next: 0 }
    }

    /// Admits a connection, or tells it why not. True when it was handed to a worker.
    pub fn admit(&mut self, mut arrival: Arrival) -> bool {
        let config = self.services.config.load();
        let refusal = if self.services.clients.len() >= config.maxclients as usize {
            Some(TOO_MANY)
        } else if config.protected_mode && config.requirepass.is_empty() && !arrival.peer.is_local()
        {
            Some(PROTECTED)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            // Best effort: whoever does not read at once learns it from the closed connection.
            let _ = arrival.stream.send(refusal);
            return false;
        }
        self.next = (self.next + 1) % self.inboxes.len();
        self.inboxes[self.next].hand_over(arrival);
        true
    }
}
