//! What the declaration of an option says.

use crate::kind::{Context, Kind};
use crate::value::{Slot, Value};
use crate::{Config, SetError};

/// Whether the server acts on an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The server acts on it.
    Works,
    /// Accepted for compatibility and ignored.
    Accepted,
}

/// Facts about an option besides its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Fixed once the server runs.
    pub immutable: bool,
    /// Changed at run time only where `enable-protected-configs` allows it.
    pub protected: bool,
    /// Not shown in logs, MONITOR and the slow log.
    pub sensitive: bool,
    /// Answered by CONFIG GET only when its full name is asked for.
    pub hidden: bool,
    /// Counts as changed whenever it is set, since what it names may have changed.
    pub volatile: bool,
    /// Refused at run time while a data set is loaded.
    pub deny_loading: bool,
}

/// Checks a value beyond its kind; at the start of the server if the flag is set.
pub(crate) type Check = fn(&Value, bool) -> Result<(), &'static str>;

/// The declaration of an option.
#[derive(Clone, Copy)]
pub struct Opt {
    /// The name, in lower case.
    pub name: &'static str,
    /// Other names for the same option.
    pub aliases: &'static [&'static str],
    /// Whether the server acts on it.
    pub status: Status,
    /// What values it takes, and its default.
    pub kind: Kind,
    /// Further facts.
    pub flags: Flags,
    /// One sentence of documentation.
    pub doc: &'static str,
    pub(crate) slot: Slot,
    pub(crate) check: Option<Check>,
    /// Numbers beyond these are taken as the nearest of them, rather than refused.
    pub(crate) clamp: Option<(i128, i128)>,
}

impl Opt {
    /// An option with a typed field.
    pub(crate) const fn new(
        status: Status,
        name: &'static str,
        kind: Kind,
        slot: Slot,
        doc: &'static str,
    ) -> Self {
        let flags = Flags {
            immutable: false,
            protected: false,
            sensitive: false,
            hidden: false,
            volatile: false,
            deny_loading: false,
        };
        Self { name, aliases: &[], status, kind, flags, doc, slot, check: None, clamp: None }
    }

    /// An option that is accepted and ignored, and has no field.
    pub(crate) const fn ignored(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self::new(Status::Accepted, name, kind, Slot::Other, doc)
    }

    pub(crate) const fn alias(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub(crate) const fn immutable(mut self) -> Self {
        self.flags.immutable = true;
        self
    }

    pub(crate) const fn protected(mut self) -> Self {
        self.flags.protected = true;
        self
    }

    pub(crate) const fn sensitive(mut self) -> Self {
        self.flags.sensitive = true;
        self
    }

    pub(crate) const fn hidden(mut self) -> Self {
        self.flags.hidden = true;
        self
    }

    pub(crate) const fn volatile(mut self) -> Self {
        self.flags.volatile = true;
        self
    }

    pub(crate) const fn deny_loading(mut self) -> Self {
        self.flags.deny_loading = true;
        self
    }

    pub(crate) const fn check(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }

    pub(crate) const fn clamp(mut self, min: i128, max: i128) -> Self {
        self.clamp = Some((min, max));
        self
    }

    /// The option's value in a configuration.
    #[must_use]
    pub fn value(&self, config: &Config) -> Value {
        match self.slot {
            Slot::Field { get, .. } => get(config),
            Slot::Other => {
                config.others.get(self.name).cloned().unwrap_or_else(|| self.kind.default_value())
            }
        }
    }

    /// The option's value as CONFIG GET answers it.
    #[must_use]
    pub fn text(&self, config: &Config) -> Vec<u8> {
        self.kind.text(&self.value(config))
    }

    /// Whether the option has its default.
    #[must_use]
    pub fn is_default(&self, config: &Config) -> bool {
        self.value(config) == self.kind.default_value()
    }

    /// Sets the option; false if the value does not fit its field.
    pub(crate) fn put(&self, config: &mut Config, value: Value) -> bool {
        match self.slot {
            Slot::Field { put, .. } => put(config, &value),
            Slot::Other => {
                config.others.insert(self.name, value);
                true
            }
        }
    }

    /// Reads and checks a value; `at_start` says whether the server starts. The error is what
    /// Redis answers.
    pub(crate) fn read(
        &self,
        args: &[Vec<u8>],
        current: &Value,
        context: &Context<'_>,
        at_start: bool,
    ) -> Result<Value, String> {
        let mut value = self.kind.parse(args, current, context)?;
        if let (Value::Int(number), Some((min, max))) = (&mut value, self.clamp) {
            *number = (*number).clamp(min, max);
        }
        self.check.map_or(Ok(()), |check| check(&value, at_start))?;
        Ok(value)
    }

    /// The error that CONFIG SET answers for this option.
    #[must_use]
    pub fn failed(&self, message: impl Into<String>) -> SetError {
        SetError::failed(self.name, message)
    }
}

impl std::fmt::Debug for Opt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opt").field("name", &self.name).finish_non_exhaustive()
    }
}
