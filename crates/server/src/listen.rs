use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use config::Config;
use mio::event::Source;
use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use crate::accept::{Caller, Peer};
use crate::stream::Stream;

/// A socket that connections arrive at.
pub enum Listener {
    /// TCP on one address.
    Tcp(TcpListener),
    /// TCP on one address, for TLS.
    Tls(TcpListener),
    /// A Unix socket, with its path.
    Unix(UnixListener, String),
}

impl Listener {
    /// Takes the next connection that waits.
    ///
    /// # Errors
    /// `WouldBlock` when there is none.
    pub fn accept(
        &self,
        keepalive_s: u64,
        tls: Option<&Arc<tls::ServerConfig>>,
    ) -> io::Result<Caller> {
        match self {
            Self::Tcp(listener) | Self::Tls(listener) => {
                let (stream, peer) = listener.accept()?;
                // Without these a connection still works, only slower or longer than it should.
                let _ = stream.set_nodelay(true);
                let _ = keep_alive(&stream, keepalive_s);
                let local = stream.local_addr().ok();
                let fd = stream.as_raw_fd();
                let peer = Peer::Tcp { peer, local };
                let stream = match (self, tls) {
                    (Self::Tls(_), Some(config)) => {
                        let stream = tls::Stream::new(stream, Arc::clone(config));
                        Stream::Tls(Box::new(stream.map_err(io::Error::other)?))
                    }
                    (Self::Tls(_), None) => return Err(io::ErrorKind::ConnectionAborted.into()),
                    _ => Stream::Tcp(stream),
                };
                Ok(Caller { stream, peer, fd, user: None })
            }
            Self::Unix(listener, path) => {
                let (stream, _) = listener.accept()?;
                let fd = stream.as_raw_fd();
                Ok(Caller {
                    stream: Stream::Unix(stream),
                    peer: Peer::Unix { path: path.clone() },
                    fd,
                    user: None,
                })
            }
        }
    }
}

impl Source for Listener {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        match self {
            Self::Tcp(listener) | Self::Tls(listener) => {
                listener.register(registry, token, interests)
            }
            Self::Unix(listener, _) => listener.register(registry, token, interests),
        }
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        match self {
            Self::Tcp(listener) | Self::Tls(listener) => {
                listener.reregister(registry, token, interests)
            }
            Self::Unix(listener, _) => listener.reregister(registry, token, interests),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Self::Tcp(listener) | Self::Tls(listener) => listener.deregister(registry),
            Self::Unix(listener, _) => listener.deregister(registry),
        }
    }
}

/// Opens every address that the configuration names.
///
/// # Errors
/// The texts that operators know from Redis: which port or path could not be opened, and why.
pub fn listen(config: &Config) -> Result<Vec<Listener>, String> {
    let mut listeners = Vec::new();
    if config.port != 0 {
        listen_tcp(config, config.port, Listener::Tcp, &mut listeners)?;
    }
    if config.tls_port != 0 {
        listen_tcp(config, config.tls_port, Listener::Tls, &mut listeners)?;
    }
    if !config.unixsocket.is_empty() {
        let failed = |error: io::Error| format!("Failed opening Unix socket: bind: {error}");
        listeners.push(listen_unix(config).map_err(failed)?);
    }
    Ok(listeners)
}

fn listen_tcp(
    config: &Config,
    port: u16,
    kind: fn(TcpListener) -> Listener,
    listeners: &mut Vec<Listener>,
) -> Result<(), String> {
    let before = listeners.len();
    for name in &config.bind {
        let (optional, name) = match name.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, name.as_str()),
        };
        let opened =
            resolve(name).and_then(|ip| open(SocketAddr::new(ip, port), config.tcp_backlog));
        match opened {
            Ok(listener) => listeners.push(kind(listener)),
            Err(error) => {
                tracing::warn!(
                    "Warning: Could not create server TCP listening socket {name}:{port}: bind: {error}"
                );
                let absent = [io::ErrorKind::AddrNotAvailable, io::ErrorKind::Unsupported];
                let forgiven =
                    (optional && absent.contains(&error.kind())) || is_missing_family(&error);
                if !forgiven {
                    return Err(format!("Failed listening on port {port} (TCP), aborting."));
                }
            }
        }
    }
    if listeners.len() == before && !config.bind.is_empty() {
        return Err(format!("Failed listening on port {port} (TCP), aborting."));
    }
    Ok(())
}

/// A kernel without IPv6 is no reason not to serve IPv4.
fn is_missing_family(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

fn resolve(name: &str) -> io::Result<IpAddr> {
    match name {
        "*" => Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        "::*" => Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        _ => match name.parse() {
            Ok(ip) => Ok(ip),
            Err(_) => {
                use std::net::ToSocketAddrs;
                let mut found = (name, 0).to_socket_addrs()?;
                found
                    .next()
                    .map(|addr| addr.ip())
                    .ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
            }
        },
    }
}

fn open(addr: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// The socket file is made under a name that nobody knows, gets its mode, and only then its place, where
/// it replaces what a server that ended badly has left.
fn listen_unix(config: &Config) -> io::Result<Listener> {
    let path = &config.unixsocket;
    // No longer than most names that are chosen: the system allows little more than 100 bytes.
    let hidden = Path::new(path).with_file_name(format!(".{}", std::process::id()));
    let _ = std::fs::remove_file(&hidden);
    let listener = UnixListener::bind(&hidden)?;
    let mode = config.unixsocketperm;
    let placed = if mode == 0 {
        Ok(())
    } else {
        std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(mode))
    };
    if let Err(error) = placed.and_then(|()| std::fs::rename(&hidden, path)) {
        let _ = std::fs::remove_file(&hidden);
        return Err(error);
    }
    Ok(Listener::Unix(listener, path.clone()))
}

fn keep_alive(stream: &mio::net::TcpStream, seconds: u64) -> io::Result<()> {
    if seconds == 0 {
        return Ok(());
    }
    let socket = socket2::SockRef::from(stream);
    let time = std::time::Duration::from_secs(seconds);
    // As Redis: the first probe after the interval, then three more in the time of one.
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(time)
        .with_interval((time / 3).max(std::time::Duration::from_secs(1)));
    socket.set_tcp_keepalive(&keepalive.with_retries(3))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use socket2::SockRef;

    use super::*;

    #[test]
    fn an_accepted_connection_is_kept_alive_and_not_delayed() {
        for seconds in [0, 100] {
            let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
            let socket = open(addr, 16).expect("a listener");
            let addr = socket.local_addr().expect("an address");
            let _client = std::net::TcpStream::connect(addr).expect("a connection");
            let caller = Listener::Tcp(socket).accept(seconds, None).expect("the connection");
            let accepted = SockRef::from(&caller.stream);
            assert!(accepted.tcp_nodelay().expect("an option"));
            assert_eq!(accepted.keepalive().expect("an option"), seconds > 0);
            if seconds > 0 {
                let time = accepted.tcp_keepalive_time().expect("an option");
                assert_eq!(time, Duration::from_secs(seconds));
            }
        }
    }
}
