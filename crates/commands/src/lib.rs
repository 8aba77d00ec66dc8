//! Every command: a folder per family, a file per command or per handful that share one shape.
#![forbid(unsafe_code)]

mod bitmap;
mod connection;
mod draw;
mod generic;
mod geo;
mod hash;
mod help;
mod hyperloglog;
mod list;
mod logged;
mod pubsub;
mod reply;
mod scan;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;
mod timeout;
mod transactions;

use command::Spec;

/// The commands of all families.
pub const FAMILIES: &[&[&Spec]] = &[
    bitmap::COMMANDS,
    connection::COMMANDS,
    generic::COMMANDS,
    geo::COMMANDS,
    hash::COMMANDS,
    hyperloglog::COMMANDS,
    list::COMMANDS,
    pubsub::COMMANDS,
    server::COMMANDS,
    set::COMMANDS,
    sorted_set::COMMANDS,
    stream::COMMANDS,
    string::COMMANDS,
    transactions::COMMANDS,
];
