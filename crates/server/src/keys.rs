//! The keys that data files are encrypted with: what the configuration says of them, and their exchange.

use std::io;
use std::sync::Arc;

use command::Services;
use config::Config;
use encryption::{Keyring, Keys, Source};

/// The keys of the configuration; none when it names no place with keys.
///
/// # Errors
/// When there are none at that place.
fn load(config: &Config) -> Result<Option<Arc<Keyring>>, String> {
    let Config { encryption_key_file: file, encryption_key_env: env, .. } = config;
    let source = Source::of(file, env, &config.encryption_key_command);
    let loaded = source.and_then(|source| {
        source.map(|source| source.load(|doubt| tracing::warn!("{doubt}"))).transpose()
    });
    loaded.map(|keys| keys.map(Arc::new)).map_err(|error| error.to_string())
}

/// The keys that the server begins with.
///
/// # Errors
/// When there are none at the place that the configuration names.
pub fn at_start(config: &Config) -> Result<Keys, String> {
    let keys = load(config).map_err(|error| format!("No key to encrypt with: {error}"))?;
    note(keys.as_deref());
    let held = Keys::default();
    held.set(keys);
    Ok(held)
}

/// Says with which key files are written.
fn note(keys: Option<&Keyring>) {
    let Some(keys) = keys else { return };
    let others: Vec<String> = keys.names().skip(1).map(|name| format!(", '{name}'")).collect();
    tracing::info!(
        "Snapshots and append-only files are encrypted with the key '{}'; keys that are known: '{}'{}",
        keys.current(),
        keys.current(),
        others.concat()
    );
}

/// What loading a plain file comes to when there are keys.
///
/// # Errors
/// When the configuration wants none.
pub fn accept_plain(services: &Services) -> io::Result<()> {
    match services.config.load().encryption_refuse_plain {
        true => Err(io::Error::other("it is not encrypted, and encryption-refuse-plain is set")),
        false => Ok(()),
    }
}

/// Reads the keys again. What is written from now on, the append-only file included, is encrypted with the first of
/// them, or plain when there are none any more.
///
/// # Errors
/// When they cannot be had, or one of them has changed under its name: files need it. Those before stay then.
pub fn reload(services: &Services) -> Result<(), String> {
    let (before, after) = (services.encryption.get(), load(&services.config.load())?);
    if let (Some(before), Some(after)) = (&before, &after)
        && let Some(name) = before.conflict(after)
    {
        return Err(format!(
            "the key '{name}' is another one than before, and files that need the old one could not be read any \
             more: give it another name"
        ));
    }
    let gone = before.iter().flat_map(|before| before.names());
    for name in gone.filter(|name| !after.iter().any(|after| after.has(name))) {
        tracing::warn!(
            "The key '{name}' is not known any more: files that need it are lost unless they are written anew, by \
             BGREWRITEAOF and BGSAVE, before the server ends"
        );
    }
    note(after.as_deref());
    let current = |keys: &Option<Arc<Keyring>>| keys.as_ref().map(|keys| keys.current().to_owned());
    let moves = current(&before) != current(&after);
    if after.is_none() && moves {
        tracing::warn!("Snapshots and append-only files are written plain from now on");
    }
    services.encryption.set(after);
    if moves {
        services.aof.ask_next_file();
    }
    Ok(())
}
