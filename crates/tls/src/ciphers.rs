//! Protocols and ciphers by the names that OpenSSL gives them, since configurations use those.

use rustls::crypto::ring::cipher_suite as suite;
use rustls::{SupportedCipherSuite, SupportedProtocolVersion, version};

use crate::Error;

/// Every cipher there is, the best first: OpenSSL's name, and the cipher.
const ALL: [(&str, SupportedCipherSuite); 9] = [
    ("TLS_AES_256_GCM_SHA384", suite::TLS13_AES_256_GCM_SHA384),
    ("TLS_AES_128_GCM_SHA256", suite::TLS13_AES_128_GCM_SHA256),
    ("TLS_CHACHA20_POLY1305_SHA256", suite::TLS13_CHACHA20_POLY1305_SHA256),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-RSA-AES256-GCM-SHA384", suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-RSA-AES128-GCM-SHA256", suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-RSA-CHACHA20-POLY1305", suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];

/// Words of a cipher list that stand for everything there is: nothing weak is.
const EVERYTHING: [&str; 6] = ["DEFAULT", "ALL", "HIGH", "ECDHE", "EECDH", "KECDHE"];

type Named = (&'static str, SupportedCipherSuite);

fn of_version(version: &'static SupportedProtocolVersion) -> impl Iterator<Item = Named> {
    ALL.into_iter().filter(move |(_, suite)| suite.version() == version)
}

/// The ciphers that `tls-ciphers` (TLS 1.2) and `tls-ciphersuites` (TLS 1.3) allow, in the order of
/// preference. An empty option allows all.
///
/// # Errors
/// When an option is given and names none that is supported.
pub fn choose(ciphers: &str, suites: &str) -> Result<Vec<SupportedCipherSuite>, Error> {
    let new = of_list("tls-ciphersuites", suites, of_version(&version::TLS13).collect())?;
    let old = of_list("tls-ciphers", ciphers, of_version(&version::TLS12).collect())?;
    Ok(new.into_iter().chain(old).map(|(_, suite)| suite).collect())
}

/// What a list in OpenSSL's form leaves of `known`. What it forbids is gone; names of ciphers that are not
/// supported allow nothing.
fn of_list(option: &str, list: &str, known: Vec<Named>) -> Result<Vec<Named>, Error> {
    let mut chosen: Vec<Named> = Vec::new();
    let mut forbidden: Vec<&str> = Vec::new();
    for word in list.split([':', ',', ' ']).filter(|word| !word.is_empty()) {
        if let Some(word) = word.strip_prefix(['!', '-']) {
            chosen.retain(|(name, _)| !is_meant(word, name));
            forbidden.push(word);
        } else if !word.starts_with(['+', '@']) {
            let more = known.iter().filter(|(name, _)| is_meant(word, name));
            for one in more.filter(|(name, _)| !forbidden.iter().any(|word| is_meant(word, name))) {
                if !chosen.iter().any(|(name, _)| *name == one.0) {
                    chosen.push(*one);
                }
            }
        }
    }
    if list.trim().is_empty() {
        return Ok(known);
    }
    if chosen.is_empty() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        return Err(Error::new(format!(
            "{option} allows no cipher that this server supports; those are {}",
            names.join(", ")
        )));
    }
    Ok(chosen)
}

/// Whether a word of a list means a cipher: its name, a class, or classes joined by `+`.
fn is_meant(word: &str, name: &str) -> bool {
    word.split('+').all(|class| {
        let class = class.to_ascii_uppercase();
        let part = match class.as_str() {
            all if EVERYTHING.contains(&all) => return true,
            "AES" => return name.contains("AES"),
            "AESGCM" => return name.contains("GCM"),
            "AECDSA" => "ECDSA",
            "ARSA" => "RSA",
            other => other,
        };
        part == name || name.split('-').any(|piece| piece == part)
    })
}

/// The versions that `tls-protocols` allows; empty allows all there are.
///
/// # Errors
/// When it names something else, or a version that is not supported.
pub fn protocols(list: &str) -> Result<Vec<&'static SupportedProtocolVersion>, Error> {
    let mut versions = Vec::new();
    for word in list.split_ascii_whitespace() {
        match word.to_ascii_lowercase().as_str() {
            "tlsv1.3" => versions.push(&version::TLS13),
            "tlsv1.2" => versions.push(&version::TLS12),
            "tlsv1" | "tlsv1.1" => {
                return Err(Error::new(format!(
                    "tls-protocols: {word} is broken and not supported; use TLSv1.2 or TLSv1.3"
                )));
            }
            _ => {
                return Err(Error::new(format!(
                    "Invalid tls-protocols specified: '{word}'. Use a combination of 'TLSv1.2' and 'TLSv1.3'"
                )));
            }
        }
    }
    if versions.is_empty() {
        versions = vec![&version::TLS13, &version::TLS12];
    }
    Ok(versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(list: &str) -> Vec<&'static str> {
        let known = of_version(&version::TLS12).collect();
        of_list("tls-ciphers", list, known)
            .map_or(Vec::new(), |found| found.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn lists_of_openssl_are_understood() {
        for all in ["", "DEFAULT:!MEDIUM", "HIGH:!aNULL:!MD5", "ALL"] {
            assert_eq!(chosen(all).len(), 6, "{all}");
        }
        let order = ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"];
        assert_eq!(chosen(&order.join(":")), order);
        assert_eq!(chosen("ECDHE+AESGCM:!aRSA:!AES256").len(), 1);
        assert_eq!(chosen("HIGH:!CHACHA20").len(), 4);
        assert_eq!(chosen("AES128-SHA:ECDHE-ECDSA-CHACHA20-POLY1305").len(), 1);
    }

    #[test]
    fn lists_that_leave_nothing_are_refused() {
        let error = choose("AES128-SHA", "").expect_err("nothing is left").to_string();
        assert!(error.starts_with("tls-ciphers allows no cipher"), "{error}");
        let error = choose("", "TLS_AES_128_CCM_SHA256").expect_err("nothing is left").to_string();
        assert!(error.starts_with("tls-ciphersuites allows no cipher"), "{error}");
        assert_eq!(choose("", "TLS_AES_128_GCM_SHA256").expect("ciphers").len(), 7);
    }

    #[test]
    fn old_protocols_are_refused() {
        assert_eq!(protocols("").expect("versions").len(), 2);
        assert_eq!(protocols("TLSv1.3").expect("versions"), [&version::TLS13]);
        assert!(protocols("TLSv1.1 TLSv1.2").is_err());
        assert!(protocols("SSLv3").is_err());
    }
}
