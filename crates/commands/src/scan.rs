//! What SSCAN, HSCAN and ZSCAN share.

use codec::glob;
use command::{Args, Error};
use resp::Writer;
use value::Item;

/// The options behind key and cursor.
pub(crate) struct ScanOptions<'a> {
    pattern: Option<&'a [u8]>,
    /// About how many elements are looked at.
    pub(crate) count: usize,
    /// Whether values are left out.
    pub(crate) no_values: bool,
}

const NO_VALUES: Error = Error::fixed("ERR NOVALUES option can only be used in HSCAN");

const NO_SCORES: Error = Error::fixed("ERR NOSCORES option can only be used in ZSCAN");

impl<'a> ScanOptions<'a> {
    /// Reads the words from the fourth on. `no_values` is the option that leaves values out, if there is one.
    pub(crate) fn parse(args: Args<'a>, no_values: Option<&str>) -> Result<Self, Error> {
        let mut options = Self { pattern: None, count: 10, no_values: false };
        let mut at = 3;
        while at < args.len() {
            if no_values.is_some_and(|name| args.is(at, name)) {
                options.no_values = true;
                at += 1;
                continue;
            }
            if args.is(at, "NOVALUES") {
                return Err(NO_VALUES);
            }
            if args.is(at, "NOSCORES") {
                return Err(NO_SCORES);
            }
            let value = args.get(at + 1).ok_or(Error::SYNTAX)?;
            if args.is(at, "COUNT") {
                let count = args.integer(at + 1)?;
                if count < 1 {
                    return Err(Error::SYNTAX);
                }
                options.count = usize::try_from(count).unwrap_or(usize::MAX);
            } else if args.is(at, "MATCH") {
                options.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else {
                return Err(Error::SYNTAX);
            }
            at += 2;
        }
        Ok(options)
    }

    /// Whether the pattern lets an element through.
    pub(crate) fn admits(&self, item: Item<'_>) -> bool {
        self.pattern
            .is_none_or(|pattern| item.with_bytes(|text| glob::matches(pattern, text, false)))
    }
}

/// Writes the reply to a key that is not there.
pub(crate) fn nothing(reply: &mut Writer<'_>) {
    reply.array(2);
    reply.bulk(b"0");
    reply.array(0);
}

/// Writes the cursor and the elements that `walk` writes before it says what the cursor is; it returns
/// how many there were, too.
pub(crate) fn write(reply: &mut Writer<'_>, walk: impl FnOnce(&mut Writer<'_>) -> (u64, usize)) {
    // The cursor stands before the elements, but is known only behind them.
    let mut elements = Vec::new();
    let (cursor, count) = walk(&mut Writer::new(&mut elements, reply.protocol()));
    reply.array(2);
    reply.bulk(cursor.to_string().as_bytes());
    reply.array(count);
    reply.raw(&elements);
}
