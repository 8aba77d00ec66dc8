//! Every command: a folder per family, a file per command or per handful that share one shape.
#![forbid(unsafe_code)]

mod acl;
mod bitmap;
mod connection;
mod draw;
mod function;
mod generic;
mod geo;
mod hash;
mod help;
mod hyperloglog;
mod lifetime;
mod list;
mod logged;
pub mod logs;
pub mod monitor;
mod pubsub;
mod reach;
mod redact;
mod reply;
mod scan;
mod script;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;
mod timeout;
mod transactions;

pub use acl::cannot_open_users;
pub use function::add_library;
pub use generic::migrate::Request as MigrateRequest;
pub use script::{busy_error, call_flags};
pub use transactions::Condition;

use command::Spec;
use config::Config;

/// The options that decide the encodings of values.
pub fn limits(config: &Config) -> rdb::Limits {
    rdb::Limits {
        list: list::limits(config),
        set: set::limits(config),
        hash: hash::limits(config),
        zset: sorted_set::limits(config),
        stream: stream::limits(config),
    }
}

/// The commands of all families.
pub const FAMILIES: &[&[&Spec]] = &[
    acl::COMMANDS,
    bitmap::COMMANDS,
    connection::COMMANDS,
    function::COMMANDS,
    generic::COMMANDS,
    geo::COMMANDS,
    hash::COMMANDS,
    hyperloglog::COMMANDS,
    list::COMMANDS,
    pubsub::COMMANDS,
    script::COMMANDS,
    server::COMMANDS,
    set::COMMANDS,
    sorted_set::COMMANDS,
    stream::COMMANDS,
    string::COMMANDS,
    transactions::COMMANDS,
];
