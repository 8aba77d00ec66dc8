//! The connecting side.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore,
    SignatureScheme, StreamOwned,
};

use crate::{Error, ciphers, files};

/// Where systems keep the authorities that they trust.
const SYSTEM_AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// The options of the connecting side; empty text means unset.
#[derive(Clone, Debug, Default)]
pub struct ClientSettings {
    /// File of the authorities that are trusted; without it and the next one, the system's.
    pub ca_file: String,
    /// Directory with such files.
    pub ca_dir: String,
    /// Own certificate.
    pub cert_file: String,
    /// Its key.
    pub key_file: String,
    /// The name that the server is asked for, and that its certificate then has to have. Without it, any
    /// name will do that a trusted authority vouches for, as with redis-cli: many certificates of servers
    /// name no host.
    pub server_name: String,
    /// Accepts any certificate.
    pub insecure: bool,
    /// Ciphers of TLS 1.2, as OpenSSL names them.
    pub ciphers: String,
    /// Ciphers of TLS 1.3.
    pub suites: String,
}

/// A blocking stream whose other end has been authenticated.
pub type ClientStream<S> = StreamOwned<ClientConnection, S>;

/// Does the handshake over `socket`, which is connected to `host` and blocks.
///
/// # Errors
/// When an option or a file is wrong, or the two ends cannot agree.
pub fn connect<S: Read + Write>(
    settings: &ClientSettings,
    host: &str,
    socket: S,
) -> Result<ClientStream<S>, Error> {
    let config = Arc::new(connecting(settings)?);
    let asked = if settings.server_name.is_empty() { host } else { &settings.server_name };
    let name = ServerName::try_from(asked.to_owned())
        .map_err(|_| Error::new(format!("'{asked}' is no name that a server can have")))?;
    let session = ClientConnection::new(config, name)?;
    let mut stream = StreamOwned::new(session, socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(|error| failed(&error))?;
    }
    Ok(stream)
}

fn failed(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::new("the server closed the connection"),
        _ => Error::new(error.to_string()),
    }
}

fn connecting(settings: &ClientSettings) -> Result<ClientConfig, Error> {
    let cipher_suites = ciphers::choose(&settings.ciphers, &settings.suites)?;
    let provider = Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() });
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = if settings.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
    } else {
        let roots = if settings.ca_file.is_empty() && settings.ca_dir.is_empty() {
            system_authorities()
        } else {
            files::authorities(&settings.ca_file, &settings.ca_dir)?
        };
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| Error::new(error.to_string()))?;
        if settings.server_name.is_empty() {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyName(verifier)))
        } else {
            builder.with_webpki_verifier(verifier)
        }
    };
    if settings.cert_file.is_empty() {
        return Ok(builder.with_no_client_auth());
    }
    let chain = files::certificates(&settings.cert_file)?;
    let key = files::private_key(&settings.key_file, b"")?;
    Ok(builder.with_client_auth_cert(chain, key)?)
}

fn system_authorities() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    if let Some(path) = SYSTEM_AUTHORITIES.iter().map(Path::new).find(|path| path.exists()) {
        files::add_file(&mut roots, path);
    }
    roots
}

/// Accepts any certificate, as somebody has asked for; that the other end has its key is still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Accepts every name in a certificate that a trusted authority vouches for.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use rustls::Error::InvalidCertificate;
        match self.0.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // The name is looked at last, when the rest is found to be in order.
            Err(InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
