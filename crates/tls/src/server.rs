//! The accepting side's options.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::sessions::Sessions;
use crate::{Error, ciphers, files};

/// Whether clients have to show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are not asked.
    Ignored,
    /// They may; a wrong one is refused.
    Optional,
    /// They have to.
    #[default]
    Required,
}

/// The options of the accepting side, by the names of the configuration; empty text means unset.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `tls-cert-file`
    pub cert_file: String,
    /// `tls-key-file`
    pub key_file: String,
    /// `tls-key-file-pass`
    pub key_password: Vec<u8>,
    /// `tls-ca-cert-file`
    pub ca_file: String,
    /// `tls-ca-cert-dir`
    pub ca_dir: String,
    /// `tls-auth-clients`
    pub clients: ClientCertificates,
    /// `tls-protocols`
    pub protocols: String,
    /// `tls-ciphers`
    pub ciphers: String,
    /// `tls-ciphersuites`
    pub suites: String,
    /// `tls-prefer-server-ciphers`
    pub own_order: bool,
    /// `tls-session-caching`
    pub resumption: bool,
    /// `tls-session-cache-size`
    pub sessions_max: usize,
    /// `tls-session-cache-timeout`, seconds.
    pub session_lifetime_s: u64,
}

/// What new connections are accepted with.
///
/// # Errors
/// Says which option is missing or wrong, or which file.
pub fn accepting(settings: &Settings) -> Result<Arc<ServerConfig>, Error> {
    if settings.cert_file.is_empty() {
        return Err(Error::new("No tls-cert-file configured!"));
    }
    if settings.key_file.is_empty() {
        return Err(Error::new("No tls-key-file configured!"));
    }
    let asks = settings.clients != ClientCertificates::Ignored;
    if asks && settings.ca_file.is_empty() && settings.ca_dir.is_empty() {
        return Err(Error::new(
            "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-auth-clients is enabled!",
        ));
    }
    let versions = ciphers::protocols(&settings.protocols)?;
    let cipher_suites = ciphers::choose(&settings.ciphers, &settings.suites)?;
    let provider = Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() });
    let verifier = verifier(settings, &provider)?;
    let certificate = Arc::new(SingleCertAndKey::from(certified(settings, &provider)?));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(certificate);
    config.ignore_client_order = settings.own_order;
    if settings.resumption {
        config.session_storage =
            Arc::new(Sessions::new(settings.sessions_max, settings.session_lifetime_s));
    } else {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Arc::new(config))
}

fn certified(settings: &Settings, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
    let chain = files::certificates(&settings.cert_file)?;
    let key = files::private_key(&settings.key_file, &settings.key_password)?;
    let failed =
        |error| Error::new(format!("Failed to load private key: {}: {error}", settings.key_file));
    let key = provider.key_provider.load_private_key(key).map_err(failed)?;
    let certified = CertifiedKey::new(chain, key);
    // Certificates that cannot be read here (of version 1, say) may well do for the clients.
    if let Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) =
        certified.keys_match()
    {
        return Err(Error::new(format!(
            "The key in {} does not belong to the certificate in {}",
            settings.key_file, settings.cert_file
        )));
    }
    Ok(certified)
}

fn verifier(
    settings: &Settings,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    // Wrong authorities are found at once, not when they are first needed.
    let has_authorities = !settings.ca_file.is_empty() || !settings.ca_dir.is_empty();
    let roots = has_authorities
        .then(|| files::authorities(&settings.ca_file, &settings.ca_dir))
        .transpose()?;
    let Some(roots) = roots.filter(|_| settings.clients != ClientCertificates::Ignored) else {
        return Ok(WebPkiClientVerifier::no_client_auth());
    };
    let builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = match settings.clients {
        ClientCertificates::Optional => builder.allow_unauthenticated(),
        _ => builder,
    };
    builder.build().map_err(|error| Error::new(format!("Failed to configure TLS: {error}")))
}
