/// Takes messages for the connections of one worker, from any thread, and wakes the worker.
pub trait Mailbox: Send + Sync {
    /// Leaves a letter; the worker reads it in its next turn.
    fn post(&self, letter: Letter);
}

/// A message to a worker about one of its connections.
#[derive(Clone, Debug)]
pub enum Letter {
    /// Look at the client's kill mark.
    Check {
        /// The client's id.
        client: u64,
    },
    /// A line of MONITOR's stream, for a client if it still reads it.
    Monitor {
        /// The client's id.
        client: u64,
        /// A status reply.
        line: std::sync::Arc<[u8]>,
    },
    /// Bytes to be sent to a client, apart from any reply (messages, invalidations).
    Push {
        /// The client's id.
        client: u64,
        /// Encoded for the client's protocol.
        bytes: std::sync::Arc<[u8]>,
    },
    /// The wait of a client is over, with this reply.
    Served {
        /// The client's id.
        client: u64,
        /// The wait's ticket.
        ticket: u64,
        /// The reply.
        reply: Vec<u8>,
    },
    /// What a client has sent of a long command, in a larger buffer.
    Grown {
        /// The client's id.
        client: u64,
        /// The buffer.
        input: Vec<u8>,
    },
    /// A client that waits is to try again at a time.
    Again {
        /// The client's id.
        client: u64,
        /// When, milliseconds since the epoch.
        at_ms: i64,
    },
    /// Commands that were held back may go on (CLIENT UNPAUSE); for every worker.
    Resume,
}
