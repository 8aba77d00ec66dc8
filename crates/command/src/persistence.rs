use std::sync::atomic::AtomicBool;

/// What the parts of the server know of persistence.
#[derive(Debug, Default)]
pub struct Persistence {
    /// Payloads of RESTORE need no right checksum (DEBUG SET-SKIP-CHECKSUM-VALIDATION).
    pub skip_checksums: AtomicBool,
}
