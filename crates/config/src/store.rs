//! The configuration of a running server: CONFIG GET and CONFIG SET.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;

use crate::kind::Context;
use crate::text::printable;
use crate::{AllowFrom, Config, Opt, OsFiles, SetError};

/// The configuration that all threads see. Readers take a snapshot without waiting; changes are
/// made one after the other.
#[derive(Debug)]
pub struct Store {
    current: ArcSwap<Config>,
    /// Counts published configurations.
    generation: AtomicU64,
    /// Held by whoever changes the configuration.
    change: Mutex<()>,
}

/// Who asks for a change, as far as it decides what is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The connection comes from this machine (loopback or a Unix socket).
    pub local: bool,
    /// A data set is being loaded.
    pub loading: bool,
}

/// A change of the configuration.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The configuration before.
    pub before: Arc<Config>,
    /// The configuration after.
    pub after: Arc<Config>,
    /// Names of the options that changed, in the order in which they were set.
    pub changed: Vec<&'static str>,
}

impl Applied {
    /// Whether the option with this name, not an alias, changed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.changed.contains(&name)
    }
}

impl Store {
    /// A store that starts with this configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            current: ArcSwap::from_pointee(config),
            generation: AtomicU64::new(0),
            change: Mutex::new(()),
        }
    }

    /// The current configuration, for short use; [`Store::snapshot`] to keep it.
    pub fn load(&self) -> Guard<Arc<Config>> {
        self.current.load()
    }

    /// The current configuration.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Config> {
        self.current.load_full()
    }

    /// A number that rises with every change, after the new configuration can be seen. One load:
    /// cheap enough to ask in every turn of a loop.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// CONFIG GET: names and values of the options that the patterns match. A name without `*`,
    /// `?` or `[` finds hidden options, too, and is answered as it was asked. Aliases are options
    /// of their own here. Nothing appears twice.
    pub fn get<P: AsRef<[u8]>>(&self, patterns: &[P]) -> Vec<(String, Vec<u8>)> {
        let config = self.load();
        let mut seen: HashSet<String> = HashSet::new();
        let mut found = Vec::new();
        for pattern in patterns {
            let pattern = pattern.as_ref();
            if !pattern.iter().any(|byte| b"[*?".contains(byte)) {
                let name = printable(pattern);
                if let Some(option) = crate::find(pattern)
                    && seen.insert(name.to_ascii_lowercase())
                {
                    found.push((name, option.text(&config)));
                }
                continue;
            }
            for option in crate::all().filter(|option| !option.flags.hidden) {
                for name in std::iter::once(&option.name).chain(option.aliases) {
                    if codec::glob::matches(pattern, name.as_bytes(), true)
                        && seen.insert((*name).to_owned())
                    {
                        found.push(((*name).to_owned(), option.text(&config)));
                    }
                }
            }
        }
        found
    }

    /// CONFIG SET: all pairs of name and value, or none.
    ///
    /// # Errors
    /// The first pair that is wrong; nothing has changed then.
    pub fn set<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        pairs: &[(N, V)],
        caller: Caller,
    ) -> Result<Applied, SetError> {
        self.set_with(pairs, caller, |_| Ok(()))
    }

    /// CONFIG SET with a step that puts the change into effect, such as listening on a new port.
    /// The new configuration is published only if that step succeeds. Other changes wait for it.
    ///
    /// # Errors
    /// The first pair that is wrong, or the step's error ([`SetError::failed`] names the option);
    /// nothing has changed then.
    pub fn set_with<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        pairs: &[(N, V)],
        caller: Caller,
        put_into_effect: impl FnOnce(&Applied) -> Result<(), SetError>,
    ) -> Result<Applied, SetError> {
        let _changing = self.change.lock();
        let before = self.snapshot();
        let options = allowed(pairs, caller, &before)?;
        let mut after = Config::clone(&before);
        let mut changed = Vec::new();
        for (option, (name, value)) in options.iter().zip(pairs) {
            let name = printable(name.as_ref()).to_ascii_lowercase();
            let differs = set_one(&mut after, option, value.as_ref())
                .map_err(|message| SetError::Failed { name, message })?;
            if differs || option.flags.volatile {
                changed.push(option.name);
            }
        }
        let applied = Applied { before, after: Arc::new(after), changed };
        put_into_effect(&applied)?;
        self.publish(Arc::clone(&applied.after));
        Ok(applied)
    }

    /// Changes the configuration otherwise than by CONFIG SET, for instance by REPLICAOF.
    pub fn update(&self, change: impl FnOnce(&mut Config)) {
        let _changing = self.change.lock();
        let mut config = Config::clone(&self.load());
        change(&mut config);
        self.publish(Arc::new(config));
    }

    /// Takes a change back, with any that was made since.
    pub fn roll_back(&self, applied: &Applied) {
        let _changing = self.change.lock();
        self.publish(Arc::clone(&applied.before));
    }

    /// Makes a configuration the current one; only while [`Store::change`] is held.
    fn publish(&self, config: Arc<Config>) {
        self.current.store(config);
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// The options of the pairs, if they may all be set by this caller.
fn allowed<N: AsRef<[u8]>, V>(
    pairs: &[(N, V)],
    caller: Caller,
    config: &Config,
) -> Result<Vec<&'static Opt>, SetError> {
    let mut options: Vec<&'static Opt> = Vec::with_capacity(pairs.len());
    for (name, _) in pairs {
        let shown = || printable(name.as_ref());
        let option =
            crate::find(name.as_ref()).ok_or_else(|| SetError::Unknown { name: shown() })?;
        let refused = |message: &str| SetError::failed(&shown(), message);
        let protected_allowed = match config.enable_protected_configs {
            AllowFrom::No => false,
            AllowFrom::Yes => true,
            AllowFrom::Local => caller.local,
        };
        if option.flags.immutable {
            return Err(refused("can't set immutable config"));
        }
        if option.flags.protected && !protected_allowed {
            return Err(refused("can't set protected config"));
        }
        if option.flags.deny_loading && caller.loading {
            return Err(SetError::Loading);
        }
        if options.iter().any(|other| other.name == option.name) {
            return Err(refused("duplicate parameter"));
        }
        options.push(option);
    }
    Ok(options)
}

/// Sets one option; returns whether it changed.
fn set_one(config: &mut Config, option: &Opt, value: &[u8]) -> Result<bool, String> {
    let args: Vec<Vec<u8>> = match value {
        value if !option.kind.is_multi() => vec![value.to_vec()],
        b"" => Vec::new(),
        value => value.split(|byte| *byte == b' ').map(<[u8]>::to_vec).collect(),
    };
    let current = option.value(config);
    let context = Context { files: &OsFiles, dir: Path::new(&config.dir) };
    let new = option.read(&args, &current, &context, false)?;
    let differs = new != current;
    if option.put(config, new) { Ok(differs) } else { Err("Invalid argument".into()) }
}

#[cfg(test)]
mod tests;
