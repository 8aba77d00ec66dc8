//! Telling a supervisor that the server is ready: systemd by its notification socket
//! (sd_notify(3)), Upstart by stopping for a moment (`expect stop`).

use std::ffi::OsString;
use std::os::unix::net::UnixDatagram;

use config::Supervised;

/// Who waits to be told.
pub enum Supervisor {
    /// Nobody.
    Nobody,
    /// systemd, at this address.
    Systemd(OsString),
    /// Upstart.
    Upstart,
}

impl Supervisor {
    /// The supervisor that the configuration names and the environment shows to be there.
    pub fn find(wanted: Supervised) -> Self {
        let systemd = || std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty());
        let upstart = || std::env::var_os("UPSTART_JOB").is_some();
        match wanted {
            Supervised::Systemd | Supervised::Auto if systemd().is_some() => {
                systemd().map_or(Self::Nobody, Self::Systemd)
            }
            Supervised::Upstart | Supervised::Auto if upstart() => Self::Upstart,
            Supervised::Systemd => {
                tracing::warn!(
                    "systemd supervision requested or auto-detected, but NOTIFY_SOCKET not found"
                );
                Self::Nobody
            }
            Supervised::Upstart => {
                tracing::warn!("upstart supervision requested, but UPSTART_JOB not found");
                Self::Nobody
            }
            _ => Self::Nobody,
        }
    }

    /// Whether there is one.
    pub fn is_there(&self) -> bool {
        !matches!(self, Self::Nobody)
    }

    /// The name that INFO gives.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Nobody => "no",
            Self::Systemd(_) => "systemd",
            Self::Upstart => "upstart",
        }
    }

    /// Says that connections are accepted.
    pub fn ready(&self) {
        match self {
            Self::Nobody => {}
            Self::Systemd(socket) => {
                notify(socket, "STATUS=Ready to accept connections\nREADY=1\n");
            }
            Self::Upstart => {
                let own = rustix::process::getpid();
                let _ = rustix::process::kill_process(own, rustix::process::Signal::STOP);
            }
        }
    }

    /// Says that the server ends.
    pub fn stopping(&self) {
        if let Self::Systemd(socket) = self {
            notify(socket, "STATUS=Shutting down\nSTOPPING=1\n");
        }
    }
}

/// Sends systemd a message; a name that begins with `@` is one of the abstract namespace.
fn notify(socket: &OsString, message: &str) {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::SocketAddr;
    let send = || {
        let address = match socket.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(socket)?,
        };
        UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address)
    };
    if let Err(error) = send() {
        tracing::warn!("Can't notify systemd: {error}");
    }
}
