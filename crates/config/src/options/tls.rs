//! TLS.

use super::{INT, NO, OPTIONAL, PORT, YES, int, word};
use crate::Status::Works;
use crate::kind::Kind;
use crate::value::at;
use crate::{Opt, TlsAuthClients, TlsUser};

pub(super) const OPTIONS: &[Opt] = &[
    Opt::new(Works, "tls-port", PORT, at!(tls_port), "TCP port for TLS; 0 listens on none."),
    Opt::new(Works, "tls-cert-file", OPTIONAL, at!(tls_cert_file), "The server's certificate.")
        .volatile(),
    Opt::new(
        Works,
        "tls-key-file",
        OPTIONAL,
        at!(tls_key_file),
        "The key of the server's certificate.",
    )
    .volatile(),
    Opt::new(
        Works,
        "tls-key-file-pass",
        Kind::Secret,
        at!(tls_key_file_pass),
        "Password of that key.",
    )
    .sensitive(),
    Opt::ignored(
        "tls-client-cert-file",
        OPTIONAL,
        "The certificate for connections that the server makes.",
    )
    .volatile(),
    Opt::ignored("tls-client-key-file", OPTIONAL, "The key of that certificate.").volatile(),
    Opt::ignored("tls-client-key-file-pass", Kind::Secret, "Password of that key.").sensitive(),
    Opt::ignored("tls-dh-params-file", OPTIONAL, "Diffie-Hellman parameters.").volatile(),
    Opt::new(
        Works,
        "tls-ca-cert-file",
        OPTIONAL,
        at!(tls_ca_cert_file),
        "Certificates of the authorities that are trusted.",
    )
    .volatile(),
    Opt::new(
        Works,
        "tls-ca-cert-dir",
        OPTIONAL,
        at!(tls_ca_cert_dir),
        "Directory with such certificates.",
    )
    .volatile(),
    Opt::new(
        Works,
        "tls-auth-clients",
        word(TlsAuthClients::WORDS, "yes"),
        at!(tls_auth_clients),
        "Whether clients must show a certificate.",
    ),
    Opt::new(
        Works,
        "tls-auth-clients-user",
        word(TlsUser::WORDS, "off"),
        at!(tls_auth_clients_user),
        "Which part of a client's certificate names its user.",
    ),
    Opt::ignored("tls-replication", NO, "Use TLS towards the primary."),
    Opt::ignored("tls-cluster", NO, "Use TLS between nodes of the cluster."),
    Opt::new(
        Works,
        "tls-protocols",
        OPTIONAL,
        at!(tls_protocols),
        "Versions of TLS that are allowed.",
    ),
    Opt::new(
        Works,
        "tls-ciphers",
        OPTIONAL,
        at!(tls_ciphers),
        "Ciphers of TLS 1.2 that are allowed.",
    ),
    Opt::new(
        Works,
        "tls-ciphersuites",
        OPTIONAL,
        at!(tls_ciphersuites),
        "Cipher suites of TLS 1.3 that are allowed.",
    ),
    Opt::new(
        Works,
        "tls-prefer-server-ciphers",
        NO,
        at!(tls_prefer_server_ciphers),
        "Prefer the server's order of ciphers to the client's.",
    ),
    Opt::new(
        Works,
        "tls-session-caching",
        YES,
        at!(tls_session_caching),
        "Let clients resume sessions.",
    ),
    Opt::new(
        Works,
        "tls-session-cache-size",
        int(0, INT, 20480),
        at!(tls_session_cache_size),
        "Sessions that are remembered; 0 means no limit.",
    ),
    Opt::new(
        Works,
        "tls-session-cache-timeout",
        int(0, INT, 300),
        at!(tls_session_cache_timeout_s),
        "Seconds for which a session is remembered.",
    ),
    Opt::ignored(
        "tls-auto-reload-interval",
        int(0, INT, 0),
        "Seconds after which changed certificates are loaded; 0 means never.",
    ),
];
