//! What the configuration says of TLS, and handshakes in progress.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use config::{Config, TlsAuthClients, TlsUser};
use tls::{ClientCertificates, Field, ServerConfig, Settings};

use crate::accept::Caller;
use crate::source::{Epoll, Source, Token};
use crate::stream::Stream;

/// How long a client has for its handshake. The number of those at it counts against `maxclients`.
const HANDSHAKE_MS: i64 = 10_000;

/// What new connections are accepted with, when there is a port for them.
///
/// # Errors
/// Says what is wrong with the options or the files that they name.
pub fn accepting(config: &Config) -> Result<Option<Arc<ServerConfig>>, String> {
    if config.tls_port == 0 {
        return Ok(None);
    }
    let settings = Settings {
        cert_file: config.tls_cert_file.clone(),
        key_file: config.tls_key_file.clone(),
        key_password: config.tls_key_file_pass.clone(),
        ca_file: config.tls_ca_cert_file.clone(),
        ca_dir: config.tls_ca_cert_dir.clone(),
        clients: match config.tls_auth_clients {
            TlsAuthClients::Yes => ClientCertificates::Required,
            TlsAuthClients::No => ClientCertificates::Ignored,
            TlsAuthClients::Optional => ClientCertificates::Optional,
        },
        protocols: config.tls_protocols.clone(),
        ciphers: config.tls_ciphers.clone(),
        suites: config.tls_ciphersuites.clone(),
        own_order: config.tls_prefer_server_ciphers,
        resumption: config.tls_session_caching,
        sessions_max: config.tls_session_cache_size as usize,
        session_lifetime_s: config.tls_session_cache_timeout_s,
    };
    tls::accepting(&settings).map(Some).map_err(|error| error.to_string())
}

/// The user that a client's certificate names.
fn user(stream: &Stream, config: &Config) -> Option<Vec<u8>> {
    let Stream::Tls(stream) = stream else { return None };
    match config.tls_auth_clients_user {
        TlsUser::Off => None,
        TlsUser::CommonName => stream.client_name(Field::CommonName),
        TlsUser::Uri => stream.client_name(Field::Uri),
    }
}

/// Connections whose handshakes are under way. They are done here, apart from the workers: whoever is slow,
/// speaks nonsense, or makes the server compute, costs those nothing who are being served.
pub struct Handshakes {
    /// The first token that these connections may have in the event source.
    first: Token,
    callers: Vec<Option<(u64, Caller)>>,
    free: Vec<usize>,
    /// When each has to be over, milliseconds since the epoch, by the number of the handshake.
    deadlines: VecDeque<(i64, usize, u64)>,
    begun: u64,
}

impl Handshakes {
    /// None yet; their tokens begin with `first`.
    pub fn new(first: Token) -> Self {
        Self { first, callers: Vec::new(), free: Vec::new(), deadlines: VecDeque::new(), begun: 0 }
    }

    /// The number of handshakes under way.
    pub fn len(&self) -> usize {
        self.callers.len() - self.free.len()
    }

    /// Begins a handshake; it goes on when the event source says that the client has sent something.
    pub fn begin(&mut self, mut caller: Caller, source: &mut Epoll, now_ms: i64) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.callers.push(None);
            self.callers.len() - 1
        });
        if source.add(&mut caller.stream, self.first + place).is_err() {
            self.free.push(place);
            return;
        }
        self.begun += 1;
        self.deadlines.push_back((now_ms + HANDSHAKE_MS, place, self.begun));
        if let Some(slot) = self.callers.get_mut(place) {
            *slot = Some((self.begun, caller));
        }
    }

    /// Goes on with a handshake; gives back the connection when it is over.
    pub fn go_on(&mut self, token: Token, source: &mut Epoll, config: &Config) -> Option<Caller> {
        let place = token.checked_sub(self.first)?;
        let (_, caller) = self.callers.get_mut(place)?.as_mut()?;
        let Stream::Tls(stream) = &mut caller.stream else { return None };
        match stream.handshake() {
            Ok(false) => None,
            Ok(true) => {
                let mut caller = self.take(place, source)?;
                caller.user = user(&caller.stream, config);
                Some(caller)
            }
            Err(error) => {
                let caller = self.take(place, source)?;
                tracing::debug!("Error accepting a client connection: {error} ({})", caller.peer);
                None
            }
        }
    }

    fn take(&mut self, place: usize, source: &mut Epoll) -> Option<Caller> {
        let (_, mut caller) = self.callers.get_mut(place)?.take()?;
        source.remove(&mut caller.stream);
        self.free.push(place);
        Some(caller)
    }

    /// Ends those that have taken too long; says when to look again.
    pub fn expire(&mut self, source: &mut Epoll, now_ms: i64) -> Option<Duration> {
        while let Some((deadline_ms, place, number)) = self.deadlines.front().copied() {
            let slot = self.callers.get(place).and_then(Option::as_ref);
            let is_over = slot.is_none_or(|(current, _)| *current != number);
            if !is_over && deadline_ms > now_ms {
                return Some(Duration::from_millis((deadline_ms - now_ms) as u64));
            }
            self.deadlines.pop_front();
            if !is_over && let Some(caller) = self.take(place, source) {
                tracing::debug!("A client took too long for its TLS handshake ({})", caller.peer);
            }
        }
        None
    }
}
