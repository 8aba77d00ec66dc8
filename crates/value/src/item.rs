//! What collections hold: a byte string, or the integer it is the canonical text of
//!
//! A text is canonical when printing the integer gives the same bytes back, so `-0`, `01`, `+1` and
//! the empty string stay bytes. Because every member goes through [`Item::parse`], two items are
//! equal exactly when their texts are.

/// The longest text that one item may have, in bytes; the protocol's bulk limit must stay below it.
pub const MAX_ITEM_LEN: usize = (u32::MAX as usize) - 64;

/// One member, field or value. `Bytes` never holds the canonical text of an `i64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item<'a> {
    /// The integer whose decimal text the item is.
    Int(i64),
    /// Any other text.
    Bytes(&'a [u8]),
}

/// Room for an integer's decimal text.
pub type Digits = itoa::Buffer;

impl<'a> Item<'a> {
    /// The item that `text` stands for.
    #[inline]
    pub fn parse(text: &'a [u8]) -> Self {
        match canonical_int(text) {
            Some(int) => Item::Int(int),
            None => Item::Bytes(text),
        }
    }

    /// The item's text; an integer is printed into `digits`.
    #[inline]
    pub fn text<'b>(self, digits: &'b mut Digits) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Item::Int(int) => digits.format(int).as_bytes(),
            Item::Bytes(bytes) => bytes,
        }
    }

    /// Calls `f` with the item's text.
    #[inline]
    pub fn with_bytes<R>(self, f: impl FnOnce(&[u8]) -> R) -> R {
        f(self.text(&mut Digits::new()))
    }

    /// Appends the item's text to `out`.
    pub fn write_to(self, out: &mut Vec<u8>) {
        self.with_bytes(|text| out.extend_from_slice(text));
    }

    /// The item's text as a new vector.
    pub fn to_vec(self) -> Vec<u8> {
        self.with_bytes(<[u8]>::to_vec)
    }

    /// Length of the item's text in bytes.
    pub fn text_len(self) -> usize {
        self.with_bytes(<[u8]>::len)
    }

    /// The integer, if the text is one.
    pub fn as_int(self) -> Option<i64> {
        match self {
            Item::Int(int) => Some(int),
            Item::Bytes(_) => None,
        }
    }

    /// Whether the item's text is `text`, whichever way `text` could be stored.
    pub fn is_text(self, text: &[u8]) -> bool {
        self.with_bytes(|own| own == text)
    }
}

impl From<i64> for Item<'_> {
    fn from(int: i64) -> Self {
        Item::Int(int)
    }
}

/// The integer that `text` is the canonical decimal form of.
#[inline]
pub fn canonical_int(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // 19 digits are the most that an `i64` has.
    let (&first, rest) = digits.split_first()?;
    if rest.len() > 18 || !first.is_ascii_digit() {
        return None;
    }
    if first == b'0' {
        return (rest.is_empty() && !negative).then_some(0);
    }
    let mut magnitude = u64::from(first - b'0');
    for &byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Nineteen nines fit a u64.
        magnitude = magnitude * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_texts_are_integers() {
        for text in ["", "-", "-0", "+1", "01", "-01", " 1", "1 ", "1.0", "0x1", "00", "1e3"] {
            assert_eq!(canonical_int(text.as_bytes()), None, "{text:?}");
        }
        for text in ["9223372036854775808", "-9223372036854775809", "99999999999999999999"] {
            assert_eq!(canonical_int(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn integers_survive_the_way_through_their_text() {
        for int in [0, 1, -1, 9, 10, -10, 127, 128, 4095, -4096, i64::MAX, i64::MIN, i64::MIN + 1] {
            let text = int.to_string();
            assert_eq!(Item::parse(text.as_bytes()), Item::Int(int));
            assert_eq!(Item::Int(int).to_vec(), text.as_bytes());
        }
    }
}
