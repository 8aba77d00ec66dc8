//! Encrypted connections: certificates and options of TLS, and the stream between a socket and whoever
//! reads plain bytes. What is said over it is not known here.
#![forbid(unsafe_code)]

mod ciphers;
mod client;
mod files;
mod identity;
mod server;
mod sessions;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;

pub use client::{ClientSettings, ClientStream, connect};
pub use identity::{Field, name_of};
pub use rustls::ServerConfig;
pub use server::{ClientCertificates, Settings, accepting};
pub use stream::Stream;

/// Why TLS cannot be set up or a handshake fails, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<rustls::Error> for Error {
    fn from(error: rustls::Error) -> Self {
        Self(error.to_string())
    }
}
