//! Certificates and keys in files (PEM, RFC 7468).

use std::fs;
use std::path::Path;

use pkcs8::EncryptedPrivateKeyInfo;
use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::Error;

fn read(path: &str) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| Error::new(format!("cannot read {path}: {error}")))
}

/// The certificates in a file, the first the owner's, then those that lead to an authority.
///
/// # Errors
/// When the file cannot be read or has none.
pub fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let failed =
        |error| Error::new(format!("Failed to load certificate: {path}: {}", reason(&error)));
    let found = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    if found.is_empty() {
        return Err(Error::new(format!("Failed to load certificate: {path}: it has none")));
    }
    Ok(found)
}

/// The private key in a file, decrypted with `password` when it is encrypted.
///
/// # Errors
/// When the file cannot be read, has no key that is understood, or the password is wrong.
pub fn private_key(path: &str, password: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    let failed = |why: &str| Error::new(format!("Failed to load private key: {path}: {why}"));
    let text = read(path)?;
    let has = |mark: &[u8]| text.windows(mark.len()).any(|window| window == mark);
    if has(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        let text = String::from_utf8_lossy(&text);
        let begin = text.find("-----BEGIN ENCRYPTED").unwrap_or_default();
        let text = text.get(begin..).unwrap_or_default();
        let (_, document) = pkcs8::SecretDocument::from_pem(text)
            .map_err(|_| failed("the encrypted key is malformed"))?;
        let info = EncryptedPrivateKeyInfo::try_from(document.as_bytes())
            .map_err(|_| failed("the encrypted key is malformed"))?;
        let key = info
            .decrypt(password)
            .map_err(|_| failed("wrong password, or an encryption that is not supported"))?;
        return Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into());
    }
    if has(b"Proc-Type: 4,ENCRYPTED") {
        return Err(failed(
            "this old form of encryption is not supported; convert the key with 'openssl pkcs8 -topk8'",
        ));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| failed(&reason(&error)))
}

/// The authorities in a file and in the files of a directory; either may be empty.
///
/// # Errors
/// When one cannot be read, or there is no authority at all.
pub fn authorities(file: &str, directory: &str) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    if !file.is_empty() {
        for certificate in certificates(file)? {
            roots.add(certificate).map_err(|error| {
                Error::new(format!("Failed to configure CA certificate(s) file: {file}: {error}"))
            })?;
        }
    }
    if !directory.is_empty() {
        let failed = |error: std::io::Error| {
            let why =
                format!("Failed to configure CA certificate(s) directory: {directory}: {error}");
            Error::new(why)
        };
        for entry in fs::read_dir(directory).map_err(failed)? {
            add_file(&mut roots, &entry.map_err(failed)?.path());
        }
    }
    if roots.is_empty() {
        return Err(Error::new("Failed to configure CA certificate(s): there are none"));
    }
    Ok(roots)
}

/// Adds what a file of a directory has; other files may lie there too.
pub fn add_file(roots: &mut RootCertStore, path: &Path) {
    let Ok(text) = fs::read(path) else { return };
    for certificate in CertificateDer::pem_slice_iter(&text).flatten() {
        let _ = roots.add(certificate);
    }
}

/// What is wrong with a file. The library shows a missing line as numbers.
fn reason(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            format!("the line that ends {} is missing", String::from_utf8_lossy(end_marker))
        }
        other => other.to_string(),
    }
}
