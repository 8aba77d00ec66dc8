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
const NO_GROUP: Error = Error::fixed("ERR Missing GROUP option for XREADGROUP");

/// What stands before the keys, and where these are.
#[derive(Debug)]
pub struct Options {
    /// No limit when `None`.
    pub count: Option<usize>,
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
        let mut options =
            Self { count: None, block: None, group: 0, noack: false, first: 0, streams: 0 };
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

    /// The words of each key and its ID.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        self.keys().zip(self.ids())
    }
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
            _ => return None,
        };
    }
    None
}
