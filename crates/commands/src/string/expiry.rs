use command::{Args, Error};

/// When a value expires, as the options EX, PX, EXAT and PXAT say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Which word has the number.
    word: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Seconds,
    Milliseconds,
    SecondsAt,
    MillisecondsAt,
}

impl Expiry {
    /// Seconds from now, at `word`.
    pub const fn seconds(word: usize) -> Self {
        Self { word, kind: Kind::Seconds }
    }

    /// Milliseconds from now, at `word`.
    pub const fn milliseconds(word: usize) -> Self {
        Self { word, kind: Kind::Milliseconds }
    }

    /// The option at `index`, if it is one of these and has an argument.
    pub fn option(args: Args<'_>, index: usize) -> Option<Self> {
        let name = args.get(index)?;
        args.get(index + 1)?;
        let kind = [
            ("EX", Kind::Seconds),
            ("PX", Kind::Milliseconds),
            ("EXAT", Kind::SecondsAt),
            ("PXAT", Kind::MillisecondsAt),
        ]
        .into_iter()
        .find(|(option, _)| name.eq_ignore_ascii_case(option.as_bytes()))?
        .1;
        Some(Self { word: index + 1, kind })
    }

    /// The word that has the number.
    pub fn word(self) -> usize {
        self.word
    }

    /// Whether the other is the same option, with whatever argument.
    pub fn is_same_option(self, other: Self) -> bool {
        self.kind == other.kind
    }

    /// Whether it names a moment, not a span.
    pub fn is_absolute(self) -> bool {
        matches!(self.kind, Kind::SecondsAt | Kind::MillisecondsAt)
    }

    /// The moment, milliseconds since the epoch.
    ///
    /// # Errors
    /// When the argument is no number, or is not positive, or the moment is out of range; `command`
    /// is named then.
    pub fn deadline_ms(self, args: Args<'_>, now_ms: i64, command: &str) -> Result<i64, Error> {
        let number = args.integer(self.word)?;
        let factor = match self.kind {
            Kind::Seconds | Kind::SecondsAt => 1000,
            Kind::Milliseconds | Kind::MillisecondsAt => 1,
        };
        let start = if self.is_absolute() { 0 } else { now_ms };
        Some(number)
            .filter(|number| *number > 0)
            .and_then(|number| number.checked_mul(factor))
            .and_then(|span| span.checked_add(start))
            .ok_or_else(|| Error::invalid_expire(command))
    }
}
