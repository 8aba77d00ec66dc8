//! Handshakes and transfers between the two sides, over streams in memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{CertificateParams, CertifiedIssuer, DnType, KeyPair, SanType};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::*;

/// A directory with the files of an authority, a server and a client.
struct Files(PathBuf);

impl Files {
    fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("rubrica-tls-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        let files = Self(path);
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"))
            .expect("an authority");
        files.write("ca.crt", &authority.pem());
        for (name, common_name) in [("server", "localhost"), ("client", "alice")] {
            let mut params =
                CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
            params.distinguished_name.push(DnType::CommonName, common_name);
            let uri = format!("urn:user:{common_name}").try_into().expect("a URI");
            params.subject_alt_names.push(SanType::URI(uri));
            let key = KeyPair::generate().expect("a key");
            let certificate = params.signed_by(&key, &authority).expect("a certificate");
            files.write(&format!("{name}.crt"), &certificate.pem());
            files.write(&format!("{name}.key"), &key.serialize_pem());
        }
        files
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("a file");
    }

    fn path(&self, name: &str) -> String {
        Path::new(&self.0).join(name).display().to_string()
    }

    fn settings(&self, clients: ClientCertificates) -> Settings {
        Settings {
            cert_file: self.path("server.crt"),
            key_file: self.path("server.key"),
            ca_file: self.path("ca.crt"),
            clients,
            resumption: true,
            session_lifetime_s: 60,
            ..Settings::default()
        }
    }

    fn client(&self, shows_certificate: bool) -> ClientConnection {
        let roots = files::authorities(&self.path("ca.crt"), "").expect("authorities");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let config = if shows_certificate {
            let chain = files::certificates(&self.path("client.crt")).expect("a certificate");
            let key = files::private_key(&self.path("client.key"), b"").expect("a key");
            builder.with_client_auth_cert(chain, key).expect("a configuration")
        } else {
            builder.with_no_client_auth()
        };
        let name = ServerName::try_from("localhost").expect("a name");
        ClientConnection::new(Arc::new(config), name).expect("a client")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One end of a pair of pipes that never wait; a read gives at most `step` bytes, and no more than `room`
/// bytes may lie in the outgoing pipe.
#[derive(Clone)]
struct End {
    incoming: Rc<RefCell<VecDeque<u8>>>,
    outgoing: Rc<RefCell<VecDeque<u8>>>,
    step: usize,
    room: usize,
}

fn ends(step: usize, room: usize) -> (End, End) {
    let (one, other) = (Rc::default(), Rc::default());
    let end = |incoming: &Rc<_>, outgoing: &Rc<_>| End {
        incoming: Rc::clone(incoming),
        outgoing: Rc::clone(outgoing),
        step,
        room,
    };
    (end(&one, &other), end(&other, &one))
}

impl Read for End {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut incoming = self.incoming.borrow_mut();
        let count = buffer.len().min(self.step).min(incoming.len());
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        for (place, byte) in buffer.iter_mut().zip(incoming.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }
}

impl Write for End {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut outgoing = self.outgoing.borrow_mut();
        let count = bytes.len().min(self.room.saturating_sub(outgoing.len()));
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        outgoing.extend(bytes.iter().take(count));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lets a client send and receive what it can.
fn step(client: &mut ClientConnection, end: &mut End) -> Result<(), rustls::Error> {
    while client.wants_write() && client.write_tls(end).is_ok() {}
    while client.read_tls(end).is_ok_and(|count| count > 0) {
        client.process_new_packets()?;
    }
    while client.wants_write() && client.write_tls(end).is_ok() {}
    Ok(())
}

/// Does a handshake; the error is the server's.
fn shake(stream: &mut Stream<End>, client: &mut ClientConnection, end: &mut End) -> io::Result<()> {
    for _ in 0..1000 {
        let _ = step(client, end);
        if stream.handshake()? && !client.is_handshaking() {
            return Ok(());
        }
    }
    Err(ErrorKind::TimedOut.into())
}

fn pair(files: &Files, settings: &Settings, shows: bool) -> (Stream<End>, ClientConnection, End) {
    pair_over(files, settings, shows, ends(usize::MAX, usize::MAX))
}

fn pair_over(
    files: &Files,
    settings: &Settings,
    shows: bool,
    (ours, theirs): (End, End),
) -> (Stream<End>, ClientConnection, End) {
    let config = accepting(settings).expect("a configuration");
    (Stream::new(ours, config).expect("a stream"), files.client(shows), theirs)
}

#[test]
fn bytes_go_both_ways_in_any_pieces() {
    let files = Files::new();
    let settings = files.settings(ClientCertificates::Ignored);
    for (step_bytes, room) in [(usize::MAX, usize::MAX), (7, 100), (1, 5000)] {
        let ends = ends(step_bytes, room);
        let (mut stream, mut client, mut end) = pair_over(&files, &settings, false, ends);
        shake(&mut stream, &mut client, &mut end).expect("a handshake");
        let sent: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        let (mut to_send, mut received) = (sent.as_slice(), Vec::new());
        let mut buffer = Vec::with_capacity(333);
        while received.len() < sent.len() {
            let count = client.writer().write(to_send).expect("room");
            to_send = &to_send[count..];
            step(&mut client, &mut end).expect("a client");
            match stream.receive(&mut buffer) {
                Ok(count) => assert!(count > 0 && buffer.len() <= 333),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            received.append(&mut buffer.clone());
            buffer.clear();
        }
        assert_eq!(received, sent);
        let (mut to_send, mut received) = (sent.as_slice(), Vec::new());
        while received.len() < sent.len() {
            match stream.send(to_send) {
                Ok(count) => to_send = &to_send[count..],
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            let _ = stream.push();
            step(&mut client, &mut end).expect("a client");
            let _ = client.reader().read_to_end(&mut received);
        }
        assert_eq!(received, sent);
        assert!(!stream.is_pending());
    }
}

#[test]
fn the_end_is_seen_and_said() {
    let files = Files::new();
    let settings = files.settings(ClientCertificates::Ignored);
    let (mut stream, mut client, mut end) = pair(&files, &settings, false);
    shake(&mut stream, &mut client, &mut end).expect("a handshake");
    client.writer().write_all(b"last").expect("room");
    client.send_close_notify();
    step(&mut client, &mut end).expect("a client");
    let mut buffer = Vec::with_capacity(100);
    assert_eq!(stream.receive(&mut buffer).expect("bytes"), 4);
    assert_eq!(stream.receive(&mut buffer).expect("the end"), 0);
    drop(stream);
    step(&mut client, &mut end).expect("a client");
    assert_eq!(client.reader().read(&mut [0; 9]).expect("a goodbye"), 0);
}

#[test]
fn certificates_of_clients_are_asked_for_and_name_them() {
    let files = Files::new();
    for (asked, shows, admitted) in [
        (ClientCertificates::Required, true, true),
        (ClientCertificates::Required, false, false),
        (ClientCertificates::Optional, true, true),
        (ClientCertificates::Optional, false, true),
        (ClientCertificates::Ignored, true, true),
    ] {
        let (mut stream, mut client, mut end) = pair(&files, &files.settings(asked), shows);
        let result = shake(&mut stream, &mut client, &mut end);
        assert_eq!(result.is_ok(), admitted, "{asked:?} {shows}");
        let named = admitted && shows && asked != ClientCertificates::Ignored;
        let name =
            |field| stream.client_name(field).map(|name| String::from_utf8(name).expect("text"));
        assert_eq!(name(Field::CommonName).as_deref(), named.then_some("alice"));
        assert_eq!(name(Field::Uri).as_deref(), named.then_some("urn:user:alice"));
    }
}

#[test]
fn what_is_no_tls_is_refused_at_once() {
    let files = Files::new();
    let config = accepting(&files.settings(ClientCertificates::Ignored)).expect("a configuration");
    for nonsense in [&b"PING\r\n"[..], b"*1\r\n$4\r\nPING\r\n", b"GET / HTTP/1.1\r\n\r\n"] {
        let (ours, mut theirs) = ends(usize::MAX, usize::MAX);
        let mut stream = Stream::new(ours, Arc::clone(&config)).expect("a stream");
        assert!(!stream.handshake().expect("nothing yet"));
        theirs.write_all(nonsense).expect("room");
        let error = stream.handshake().expect_err("nonsense");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        drop(stream);
        let mut answer = Vec::new();
        let _ = theirs.read_to_end(&mut answer);
        assert_eq!(answer, b"", "an alert is nonsense to it");
    }
}

#[test]
fn wrong_settings_are_named() {
    let files = Files::new();
    let good = files.settings(ClientCertificates::Required);
    let wrong = |change: &dyn Fn(&mut Settings)| {
        let mut settings = good.clone();
        change(&mut settings);
        accepting(&settings).expect_err("an error").to_string()
    };
    assert_eq!(wrong(&|one| one.cert_file.clear()), "No tls-cert-file configured!");
    assert_eq!(wrong(&|one| one.key_file.clear()), "No tls-key-file configured!");
    assert!(wrong(&|one| one.ca_file.clear()).contains("tls-ca-cert-file"));
    assert!(wrong(&|one| one.cert_file = files.path("nosuch")).contains("nosuch"));
    assert!(wrong(&|one| one.cert_file = files.path("server.key")).contains("server.key"));
    assert!(wrong(&|one| one.key_file = files.path("client.key")).contains("does not belong"));
    assert!(wrong(&|one| one.protocols = "TLSv1.1".into()).contains("TLSv1.1"));
}

#[test]
fn names_are_found_in_no_wrong_certificate() {
    let files = Files::new();
    let certificate = files::certificates(&files.path("client.crt")).expect("one").remove(0);
    assert_eq!(name_of(&certificate, Field::CommonName), Some(&b"alice"[..]));
    for length in 0..certificate.len() {
        let _ = name_of(&certificate[..length], Field::CommonName);
        let _ = name_of(&certificate[..length], Field::Uri);
        let mut changed = certificate.to_vec();
        changed[length] ^= 0xff;
        let _ = name_of(&changed, Field::CommonName);
        let _ = name_of(&changed, Field::Uri);
    }
}
