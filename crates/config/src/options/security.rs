//! Passwords, users and what is allowed.

use super::{LONG, OPTIONAL, check, int, text, word};
use crate::Opt;
use crate::Status::{Accepted, Works};
use crate::kind::Kind;
use crate::value::at;
use crate::{AclPubsubDefault, AllowFrom, SanitizePayload};

pub(super) const OPTIONS: &[Opt] = &[
    Opt::new(
        Works,
        "requirepass",
        Kind::Secret,
        at!(requirepass),
        "Password of the default user; empty means none.",
    )
    .sensitive(),
    Opt::new(
        Works,
        "encryption-key-file",
        OPTIONAL,
        at!(encryption_key_file),
        "File with the keys that snapshots and append-only files are encrypted with, as lines `name:key`, the key in \
         base64 or hexadecimal: the first encrypts, all decrypt. Set again, it is read again.",
    )
    .volatile()
    .deny_loading()
    .sensitive()
    .check(check::names_a_key),
    Opt::new(
        Works,
        "encryption-key-env",
        OPTIONAL,
        at!(encryption_key_env),
        "Environment variable with these keys, which commas may separate.",
    )
    .immutable()
    .sensitive()
    .check(check::names_a_key),
    Opt::new(
        Works,
        "encryption-key-command",
        OPTIONAL,
        at!(encryption_key_command),
        "Command for the shell that prints these keys. SIGHUP runs it again.",
    )
    .immutable()
    .sensitive()
    .check(check::names_a_key),
    Opt::new(
        Works,
        "encryption-refuse-plain",
        super::NO,
        at!(encryption_refuse_plain),
        "With keys: load no snapshot and no append-only file that is not encrypted. It may have been put there.",
    ),
    Opt::ignored(
        "encryption-key",
        OPTIONAL,
        "There is no such option: a key must not stand in a configuration or on a command line.",
    )
    .immutable()
    .sensitive()
    .hidden()
    .check(check::no_key),
    Opt::new(
        Accepted,
        "aclfile",
        text(""),
        at!(aclfile),
        "File with the users; empty means that the configuration file holds them.",
    )
    .immutable(),
    Opt::new(
        Accepted,
        "acllog-max-len",
        int(0, LONG, 128),
        at!(acllog_max_len),
        "Denied commands that are remembered.",
    ),
    Opt::new(
        Accepted,
        "acl-pubsub-default",
        word(AclPubsubDefault::WORDS, "resetchannels"),
        at!(acl_pubsub_default),
        "Channels that a new user may use.",
    ),
    Opt::new(
        Works,
        "enable-protected-configs",
        word(AllowFrom::WORDS, "no"),
        at!(enable_protected_configs),
        "From where CONFIG SET may change protected options: no, yes, or local connections.",
    )
    .immutable(),
    Opt::new(
        Works,
        "enable-debug-command",
        word(AllowFrom::WORDS, "no"),
        at!(enable_debug_command),
        "From where DEBUG is allowed: no, yes, or local connections.",
    )
    .immutable(),
    Opt::new(
        Accepted,
        "enable-module-command",
        word(AllowFrom::WORDS, "no"),
        at!(enable_module_command),
        "From where MODULE is allowed: no, yes, or local connections.",
    )
    .immutable(),
    Opt::ignored("enable-debug-assert", super::NO, "Evaluate assertions for debugging.")
        .immutable()
        .hidden(),
    Opt::new(
        Accepted,
        "sanitize-dump-payload",
        word(SanitizePayload::WORDS, "no"),
        at!(sanitize_dump_payload),
        "When values in serialised form are checked in depth.",
    ),
];
