//! The connection and its client.

mod auth;
mod client;
mod echo;
mod hello;
mod ping;
mod quit;
mod reset;
mod select;
mod waitaof;

use command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &auth::AUTH,
    &client::CLIENT,
    &echo::ECHO,
    &hello::HELLO,
    &ping::PING,
    &quit::QUIT,
    &reset::RESET,
    &select::SELECT,
    &waitaof::WAITAOF,
];
