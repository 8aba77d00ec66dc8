//! Workers, event source, connections, sessions: joins the parts into a server.
//!
//! Reading order: [`Server`] starts everything; a [`worker`] is one thread's loop over its connections;
//! a `batch` is what it has read in one go and not yet executed; [`execute`] runs one command.

#![forbid(unsafe_code)]

mod accept;
mod admission;
mod append_only;
mod batch;
mod blocked;
mod buffers;
mod conditions;
mod connection;
mod cron;
mod descriptors;
mod evict;
mod execute;
mod helper;
mod host;
mod keys;
mod listen;
mod mailbox;
mod migrate;
mod notify;
mod oom;
mod persistence;
mod server;
mod source;
mod stream;
mod tls;
mod tracked;
mod transaction;
mod users;
mod worker;

pub use host::ProcessMemory;
pub use server::{Server, StartError};
