//! TLS.

use super::{INT, NO, OPTIONAL, PORT, YES, int, word};
use crate::Opt;
use crate::kind::Kind;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::ignored("tls-port", PORT, "TCP port for TLS; 0 listens on none."),
    Opt::ignored("tls-cert-file", OPTIONAL, "The server's certificate.").volatile(),
    Opt::ignored("tls-key-file", OPTIONAL, "The key of the server's certificate.").volatile(),
    Opt::ignored("tls-key-file-pass", Kind::Secret, "Password of that key.").sensitive(),
    Opt::ignored(
        "tls-client-cert-file",
        OPTIONAL,
        "The certificate for connections that the server makes.",
    )
    .volatile(),
    Opt::ignored("tls-client-key-file", OPTIONAL, "The key of that certificate.").volatile(),
    Opt::ignored("tls-client-key-file-pass", Kind::Secret, "Password of that key.").sensitive(),
    Opt::ignored("tls-dh-params-file", OPTIONAL, "Diffie-Hellman parameters.").volatile(),
    Opt::ignored("tls-ca-cert-file", OPTIONAL, "Certificates of the authorities that are trusted.")
        .volatile(),
    Opt::ignored("tls-ca-cert-dir", OPTIONAL, "Directory with such certificates.").volatile(),
    Opt::ignored(
        "tls-auth-clients",
        word(&["no", "yes", "optional"], "yes"),
        "Whether clients must show a certificate.",
    ),
    Opt::ignored(
        "tls-auth-clients-user",
        word(&["off", "cn", "uri"], "off"),
        "Which part of a client's certificate names its user.",
    ),
    Opt::ignored("tls-replication", NO, "Use TLS towards the primary."),
    Opt::ignored("tls-cluster", NO, "Use TLS between nodes of the cluster."),
    Opt::ignored("tls-protocols", OPTIONAL, "Versions of TLS that are allowed."),
    Opt::ignored("tls-ciphers", OPTIONAL, "Ciphers of TLS 1.2 that are allowed."),
    Opt::ignored("tls-ciphersuites", OPTIONAL, "Cipher suites of TLS 1.3 that are allowed."),
    Opt::ignored(
        "tls-prefer-server-ciphers",
        NO,
        "Prefer the server's order of ciphers to the client's.",
    ),
    Opt::ignored("tls-session-caching", YES, "Let clients resume sessions."),
    Opt::ignored(
        "tls-session-cache-size",
        int(0, INT, 20480),
        "Sessions that are remembered; 0 means no limit.",
    ),
    Opt::ignored(
        "tls-session-cache-timeout",
        int(0, INT, 300),
        "Seconds for which a session is remembered.",
    ),
    Opt::ignored(
        "tls-auto-reload-interval",
        int(0, INT, 0),
        "Seconds after which changed certificates are loaded; 0 means never.",
    ),
];
