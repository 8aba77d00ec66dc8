//! TLS from outside: certificates of both sides, users from certificates, and options that change at run time.

mod common;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use common::{Client, Running, start};
use config::TlsAuthClients;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

static OLD: &[&SupportedProtocolVersion] = &[&TLS12];
static NEW: &[&SupportedProtocolVersion] = &[&TLS13];
static BOTH: &[&SupportedProtocolVersion] = &[&TLS12, &TLS13];

type Secure = Client<StreamOwned<ClientConnection, TcpStream>>;

/// An authority, and the folder in which its certificates are.
struct Authority {
    folder: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("rubrica-server-tls-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, format!("authority {number}"));
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
        let authority = Self { folder, issuer: issuer.expect("an authority") };
        authority.write("ca.crt", &authority.issuer.pem());
        authority.issue("server");
        authority
    }

    /// Makes a certificate and its key, `name.crt` and `name.key`.
    fn issue(&self, name: &str) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        self.write(&format!("{name}.crt"), &certificate.pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.join(file), text).expect("a file");
    }

    fn path(&self, file: &str) -> String {
        self.folder.join(file).display().to_string()
    }

    /// A server with a certificate of this authority, and its TLS port.
    fn serve(&self, clients: TlsAuthClients) -> (Running, u16) {
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = probe.local_addr().expect("an address").port();
        drop(probe);
        let server = start(|config| {
            config.tls_port = port;
            config.tls_cert_file = self.path("server.crt");
            config.tls_key_file = self.path("server.key");
            config.tls_ca_cert_file = self.path("ca.crt");
            config.tls_auth_clients = clients;
        });
        (server, port)
    }

    /// Someone who trusts this authority's servers.
    fn trusting(&self) -> Visitor<'_> {
        Visitor { trusted: self, shown: None, versions: BOTH }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Who connects how.
#[derive(Clone, Copy)]
struct Visitor<'a> {
    trusted: &'a Authority,
    shown: Option<(&'a Authority, &'a str)>,
    versions: &'static [&'static SupportedProtocolVersion],
}

impl<'a> Visitor<'a> {
    fn showing(self, of: &'a Authority, name: &'a str) -> Self {
        Self { shown: Some((of, name)), ..self }
    }

    fn with(self, versions: &'static [&'static SupportedProtocolVersion]) -> Self {
        Self { versions, ..self }
    }

    fn config(self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.issuer.der().clone()).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(self.versions)
            .expect("versions")
            .with_root_certificates(roots);
        let Some((authority, name)) = self.shown else { return builder.with_no_client_auth() };
        let certificate = CertificateDer::from_pem_file(authority.path(&format!("{name}.crt")));
        let key = PrivateKeyDer::from_pem_file(authority.path(&format!("{name}.key")));
        builder
            .with_client_auth_cert(vec![certificate.expect("a certificate")], key.expect("a key"))
            .expect("a configuration")
    }

    /// Connects and asks for PING's reply: with TLS 1.3 a client learns only then whether it was refused.
    fn connect(self, port: u16) -> std::io::Result<Secure> {
        use std::io::{Read as _, Write as _};
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(Arc::new(self.config()), name);
        let mut stream = StreamOwned::new(session.map_err(std::io::Error::other)?, socket);
        stream.write_all(b"PING\r\n")?;
        let mut reply = [0; 7];
        stream.read_exact(&mut reply)?;
        assert_eq!(&reply, b"+PONG\r\n");
        Ok(Client(stream))
    }
}

/// CONFIG SET over an open connection; the reply.
fn set(server: &Running, options: &[(&str, &str)]) -> String {
    let mut request = format!("*{}\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n", 2 + options.len() * 2);
    for word in options.iter().flat_map(|(name, value)| [name, value]) {
        request += &format!("${}\r\n{word}\r\n", word.len());
    }
    let mut client = server.connect();
    client.send(request);
    client.line()
}

#[test]
fn commands_and_large_values_go_over_the_tls_port() {
    let authority = Authority::new();
    let (server, port) = authority.serve(TlsAuthClients::No);
    let mut client = authority.trusting().connect(port).expect("a connection");
    assert_eq!(client.ask("SET k v"), "+OK");
    assert_eq!(server.connect_tcp().ask_bulk("GET k"), "v");
    let large = "x".repeat(3_000_000);
    client.send(format!("*3\r\n$3\r\nSET\r\n$1\r\nl\r\n${}\r\n{large}\r\n", large.len()));
    assert_eq!(client.line(), "+OK");
    assert_eq!(client.ask_bulk("GET l"), large);
    let pipeline = "INCR n\r\n".repeat(1000);
    client.send(pipeline);
    (1..=1000).for_each(|number| assert_eq!(client.line(), format!(":{number}")));
    // The plain port goes on beside it; the other one is deaf to plain words.
    let mut plain = Client(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection"));
    plain.send("PING\r\n");
    assert!(!String::from_utf8_lossy(&plain.rest()).contains("PONG"));
}

#[test]
fn certificates_of_clients_are_required_welcome_or_ignored() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    authority.issue("alice");
    stranger.issue("mallory");
    let anonymous = authority.trusting();
    let known = anonymous.showing(&authority, "alice");
    let unknown = anonymous.showing(&stranger, "mallory");
    let (server, port) = authority.serve(TlsAuthClients::Yes);
    for (option, admitted) in [
        ("yes", [false, true, false]),
        ("optional", [true, true, false]),
        ("no", [true, true, true]),
        ("yes", [false, true, false]),
    ] {
        assert_eq!(set(&server, &[("tls-auth-clients", option)]), "+OK");
        for (visitor, admitted) in [anonymous, known, unknown].into_iter().zip(admitted) {
            for versions in [OLD, NEW] {
                let connected = visitor.with(versions).connect(port);
                let shown = visitor.shown.map(|(_, name)| name);
                assert_eq!(connected.is_ok(), admitted, "{option}: {shown:?}");
            }
        }
    }
    // Who does not know the server's authority does not speak with it.
    assert!(stranger.trusting().showing(&authority, "alice").connect(port).is_err());
}

#[test]
fn certificates_name_users() {
    let authority = Authority::new();
    ["alice", "nobody", "disabled"].iter().for_each(|name| authority.issue(name));
    let (server, port) = authority.serve(TlsAuthClients::Optional);
    let mut admin = server.connect();
    assert_eq!(admin.ask("ACL SETUSER alice on >secret ~a* +get +acl|whoami +ping"), "+OK");
    assert_eq!(admin.ask("ACL SETUSER disabled off ~* +@all"), "+OK");
    let who = |name| {
        let mut client = authority.trusting().showing(&authority, name).connect(port).unwrap();
        client.ask_bulk("ACL WHOAMI")
    };
    assert_eq!(who("alice"), "default");
    assert_eq!(set(&server, &[("tls-auth-clients-user", "CN")]), "+OK");
    assert_eq!((who("alice"), who("nobody"), who("disabled")), named());
    let mut alice = authority.trusting().showing(&authority, "alice").connect(port).unwrap();
    assert_eq!(alice.ask("GET a1"), "$-1");
    assert!(alice.ask("GET b1").starts_with("-NOPERM"));
    assert!(alice.ask("SET a1 x").starts_with("-NOPERM"));
    let mut anonymous = authority.trusting().connect(port).unwrap();
    assert_eq!(anonymous.ask_bulk("ACL WHOAMI"), "default");
    // Who needs no password by certificate needs one without.
    assert_eq!(set(&server, &[("requirepass", "p")]), "+OK");
    assert_eq!(who("alice"), "alice");
    assert!(server.connect().ask("GET a").starts_with("-NOAUTH"));
}

fn named() -> (String, String, String) {
    ("alice".to_owned(), "default".to_owned(), "default".to_owned())
}

#[test]
fn a_new_certificate_takes_effect_and_open_connections_stay() {
    let (old, new) = (Authority::new(), Authority::new());
    let (server, port) = old.serve(TlsAuthClients::No);
    let mut client = old.trusting().connect(port).expect("a connection");
    let (cert, key, ca) = (new.path("server.crt"), new.path("server.key"), new.path("ca.crt"));
    let files = [("tls-cert-file", &*cert), ("tls-key-file", &key), ("tls-ca-cert-file", &ca)];
    assert_eq!(set(&server, &files), "+OK");
    assert!(old.trusting().connect(port).is_err());
    assert!(new.trusting().connect(port).is_ok());
    assert_eq!(client.ask("PING"), "+PONG");
    // The same names with other contents, as tools that renew certificates do it.
    let before = std::fs::read(&cert).unwrap();
    new.issue("server");
    assert_ne!(std::fs::read(&cert).unwrap(), before);
    assert_eq!(set(&server, &files), "+OK");
    assert!(new.trusting().connect(port).is_ok());
}

#[test]
fn a_broken_certificate_is_refused_and_the_old_one_stays() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (server, port) = authority.serve(TlsAuthClients::No);
    authority.write("broken.crt", "-----BEGIN CERTIFICATE-----\nnonsense\n");
    authority.write("empty.key", "");
    let (broken, empty) = (authority.path("broken.crt"), authority.path("empty.key"));
    let foreign = other.path("server.key");
    for (name, value) in [
        ("tls-cert-file", &*broken),
        ("tls-cert-file", "/nonexistent/server.crt"),
        ("tls-key-file", &empty),
        ("tls-key-file", &foreign),
        ("tls-ca-cert-file", "/nonexistent/ca.crt"),
        ("tls-protocols", "SSLv3"),
        ("tls-ciphers", "no-such-cipher"),
    ] {
        let reply = set(&server, &[(name, value)]);
        assert!(reply.starts_with("-ERR CONFIG SET failed"), "{name} {value}: {reply}");
        println!("{reply}");
        assert!(authority.trusting().connect(port).is_ok(), "{name} {value}");
    }
    // The file that is in use is broken behind the server's back.
    authority.write("server.crt", "nonsense");
    let path = authority.path("server.crt");
    assert!(set(&server, &[("tls-cert-file", &path)]).starts_with("-ERR CONFIG SET failed"));
    assert!(authority.trusting().connect(port).is_ok());
}

#[test]
fn protocols_are_those_of_the_option() {
    let authority = Authority::new();
    let (server, port) = authority.serve(TlsAuthClients::No);
    let visitor = authority.trusting();
    for (option, older, newer) in [
        ("TLSv1.2", true, false),
        ("TLSv1.3", false, true),
        ("TLSv1.2 TLSv1.3", true, true),
        ("", true, true),
    ] {
        assert_eq!(set(&server, &[("tls-protocols", option)]), "+OK");
        assert_eq!(visitor.with(OLD).connect(port).is_ok(), older, "{option}");
        assert_eq!(visitor.with(NEW).connect(port).is_ok(), newer, "{option}");
    }
}

#[test]
fn the_port_is_opened_moved_and_closed_by_config_set() {
    let authority = Authority::new();
    let (server, port) = authority.serve(TlsAuthClients::No);
    let mut client = authority.trusting().connect(port).expect("a connection");
    assert_eq!(set(&server, &[("tls-port", "0")]), "+OK");
    assert!(authority.trusting().connect(port).is_err());
    assert_eq!(client.ask("PING"), "+PONG");
    assert_eq!(set(&server, &[("tls-port", &port.to_string())]), "+OK");
    assert!(authority.trusting().connect(port).is_ok());
}
