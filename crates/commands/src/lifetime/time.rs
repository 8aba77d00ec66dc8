use command::{Args, Error};

const NEGATIVE: Error = Error::fixed("ERR invalid expire time, must be >= 0");

/// How an argument tells a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    /// Milliseconds in one unit.
    unit_ms: i64,
    /// Whether it counts from now on.
    relative: bool,
}

impl Time {
    pub(crate) const SECONDS: Self = Self { unit_ms: 1000, relative: true };
    pub(crate) const MILLISECONDS: Self = Self { unit_ms: 1, relative: true };
    pub(crate) const UNIX_SECONDS: Self = Self { unit_ms: 1000, relative: false };
    pub(crate) const UNIX_MILLISECONDS: Self = Self { unit_ms: 1, relative: false };

    /// The latest deadline, which Redis keeps in 46 bits: milliseconds since the epoch.
    const LATEST_MS: i64 = (1 << 46) - 1;

    /// The deadline that the word at `index` tells to `command`, milliseconds since the epoch.
    pub(crate) fn deadline(
        self,
        args: Args<'_>,
        index: usize,
        now: i64,
        command: &str,
    ) -> Result<i64, Error> {
        let time = args.integer(index)?;
        if time < 0 {
            return Err(NEGATIVE);
        }
        let base = if self.relative { now } else { 0 };
        time.checked_mul(self.unit_ms)
            .and_then(|time| time.checked_add(base))
            .filter(|deadline| *deadline <= Self::LATEST_MS)
            .ok_or_else(|| Error::invalid_expire(command))
    }
}

/// Milliseconds as seconds, rounded up.
pub(crate) fn seconds(ms: i64) -> i64 {
    ms.saturating_add(999) / 1000
}
