use std::ops::Range;

use command::{Args, Ctx, Error};

const UNBALANCED: Error = Error::fixed(
    "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified.",
);
const UNBALANCED_GROUP: Error = Error::fixed(
    "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.",
);
const GROUP_ALONE: Error =
    Error::fixed("ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
const NOACK_ALONE: Error =
    Error::fixed("ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
const CLAIM_ALONE: Error =
    Error::fixed("ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.");
const BAD_IDLE: Error = Error::fixed("ERR min-idle-time is not an integer");
const NEGATIVE_IDLE: Error = Error::fixed("ERR min-idle-time must be a positive integer");
const MAXCOUNT_BELOW_COUNT: Error =
    Error::fixed("ERR MAXCOUNT must be greater than or equal to COUNT");
const NO_GROUP: Error = Error::fixed("ERR Missing GROUP option for XREADGROUP");

/// What stands before the keys, and where these are.
#[derive(Debug, Default)]
pub struct Options {
    /// Entries of one stream; no limit when `None`.
    pub count: Option<usize>,
    /// Entries in all; no limit when `None`.
    pub max_count: Option<usize>,
    /// Bytes of the reply after which no entry follows; no limit when `None`.
    pub max_size: Option<usize>,
    /// Whether pending entries are claimed that have been idle for so many milliseconds.
    pub claim: Option<u64>,
    /// Whether to wait, and until when, milliseconds since the epoch.
    pub block: Option<Option<i64>>,
    /// The word that is the group's name; the consumer's is the next.
    pub group: usize,
    pub noack: bool,
    /// The first key.
    first: usize,
    /// Number of keys, and of IDs behind them.
    pub streams: usize,
}

impl Options {
    /// Reads the words up to the keys.
    pub fn parse(ctx: &Ctx<'_>, args: Args<'_>, grouped: bool) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut word = 1;
        while word < args.len() {
            let left = args.len() - word - 1;
            if args.is(word, "BLOCK") && left >= 1 {
                options.block = Some(deadline(ctx, args, word + 1)?);
                word += 1;
            } else if args.is(word, "COUNT") && left >= 1 {
                let count = args.integer(word + 1)?;
                options.count = usize::try_from(count).ok().filter(|count| *count > 0);
                word += 1;
            } else if args.is(word, "MAXCOUNT") && left >= 1 {
                options.max_count = Some(positive(args, word)?);
                word += 1;
            } else if args.is(word, "MAXSIZE") && left >= 1 {
                options.max_size = Some(positive(args, word)?);
                word += 1;
            } else if args.is(word, "CLAIM") && left >= 1 {
                if !grouped {
                    return Err(CLAIM_ALONE);
                }
                let idle = args.integer(word + 1).map_err(|_| BAD_IDLE)?;
                options.claim = Some(u64::try_from(idle).map_err(|_| NEGATIVE_IDLE)?);
                word += 1;
            } else if args.is(word, "STREAMS") && left >= 1 {
                if !left.is_multiple_of(2) {
                    return Err(if grouped { UNBALANCED_GROUP } else { UNBALANCED });
                }
                (options.first, options.streams) = (word + 1, left / 2);
                break;
            } else if args.is(word, "GROUP") && left >= 2 {
                if !grouped {
                    return Err(GROUP_ALONE);
                }
                options.group = word + 1;
                word += 2;
            } else if args.is(word, "NOACK") {
                if !grouped {
                    return Err(NOACK_ALONE);
                }
                options.noack = true;
            } else {
                return Err(Error::SYNTAX);
            }
            word += 1;
        }
        if options.first == 0 {
            return Err(Error::SYNTAX);
        }
        if options.max_count.is_some_and(|max| options.count.is_some_and(|count| max < count)) {
            return Err(MAXCOUNT_BELOW_COUNT);
        }
        if grouped && options.group == 0 {
            return Err(NO_GROUP);
        }
        Ok(options)
    }

    /// The words that are keys.
    pub fn keys(&self) -> Range<usize> {
        self.first..self.first + self.streams
    }

    /// The words that are IDs.
    pub fn ids(&self) -> Range<usize> {
        self.first + self.streams..self.first + 2 * self.streams
    }

    /// How many entries of one stream may be given at most.
    pub fn limit(&self) -> usize {
        let limits = [self.count, self.max_count].into_iter().flatten();
        limits.min().unwrap_or(usize::MAX)
    }

    /// The words of each key and its ID.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        self.keys().zip(self.ids())
    }
}

/// The limit behind the word at `word`.
fn positive(args: Args<'_>, word: usize) -> Result<usize, Error> {
    let limit = args.integer(word + 1)?;
    usize::try_from(limit).ok().filter(|limit| *limit > 0).ok_or_else(|| {
        let option = args.text(word).to_uppercase();
        Error::new(format!("ERR {option} must be a positive integer"))
    })
}

/// When a timeout in milliseconds, the word at `word`, is over; `None` when it never is.
fn deadline(ctx: &Ctx<'_>, args: Args<'_>, word: usize) -> Result<Option<i64>, Error> {
    let timeout = args
        .integer(word)
        .map_err(|_| Error::fixed("ERR timeout is not an integer or out of range"))?;
    match timeout {
        ..0 => Err(Error::fixed("ERR timeout is negative")),
        0 => Ok(None),
        _ => {
            let deadline = ctx.now_ms().checked_add(timeout);
            deadline.map(Some).ok_or(Error::fixed("ERR timeout is out of range"))
        }
    }
}

/// The word behind STREAMS, if the options before it are well formed.
pub fn streams_word(args: Args<'_>) -> Option<usize> {
    let mut word = 1;
    while word < args.len() {
        word += match args.at(word) {
            option if option.eq_ignore_ascii_case(b"STREAMS") => return Some(word + 1),
            option if option.eq_ignore_ascii_case(b"GROUP") => 3,
            option if option.eq_ignore_ascii_case(b"NOACK") => 1,
            option if option.eq_ignore_ascii_case(b"BLOCK") => 2,
            option if option.eq_ignore_ascii_case(b"COUNT") => 2,
            option if option.eq_ignore_ascii_case(b"MAXCOUNT") => 2,
            option if option.eq_ignore_ascii_case(b"MAXSIZE") => 2,
            option if option.eq_ignore_ascii_case(b"CLAIM") => 2,
            _ => return None,
        };
    }
    None
}
