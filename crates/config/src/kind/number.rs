//! Integers, memory sizes and octal numbers as text.

/// Redis reads no longer memory sizes.
const MAX_DIGITS: usize = 127;

/// A decimal integer as Redis writes one: an optional minus, no plus, no leading zeros, no blanks,
/// within 64 bits.
pub(crate) fn integer(text: &[u8]) -> Option<i128> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits == b"0" && !negative {
        return Some(0);
    }
    if digits.first() == Some(&b'0') {
        return None;
    }
    let magnitude = decimal(digits)?;
    let number = if negative { -magnitude } else { magnitude };
    i64::try_from(number).ok().map(i128::from)
}

/// A memory size in bytes: digits and a unit, in any case. `k`, `m`, `g` are powers of 1000, `kb`,
/// `mb`, `gb` powers of 1024, `b` or nothing is bytes; nothing at all is 0, as in Redis. Sizes beyond
/// 128 bits count as the largest, so that they fail a check of bounds.
pub(crate) fn memory(text: &[u8]) -> Option<i128> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    if text.is_empty() {
        return Some(0);
    }
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    let number = std::str::from_utf8(digits).ok()?.parse::<i128>().unwrap_or(i128::MAX);
    Some(number.saturating_mul(factor))
}

/// A percentage, `0%` and more, without the sign.
pub(crate) fn percent(text: &[u8]) -> Option<i128> {
    let digits = text.strip_suffix(b"%")?;
    integer(digits).filter(|number| *number >= 0)
}

/// An octal number such as `700` or `0700`.
pub(crate) fn octal(text: &[u8]) -> Option<i128> {
    if text.is_empty() || !text.iter().all(|byte| (b'0'..=b'7').contains(byte)) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    i64::from_str_radix(text, 8).ok().map(i128::from)
}

/// Bytes with the largest of the units gb, mb and kb that divides them.
pub(crate) fn memory_text(bytes: i128) -> String {
    for (factor, unit) in [(1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")] {
        if bytes != 0 && bytes % factor == 0 {
            return format!("{}{unit}", bytes / factor);
        }
    }
    bytes.to_string()
}

/// Digits only, at least one, as a number of at most 2^64 - 1.
fn decimal(digits: &[u8]) -> Option<i128> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse::<u64>().ok().map(i128::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_strict() {
        assert_eq!(integer(b"0"), Some(0));
        assert_eq!(integer(b"-1"), Some(-1));
        assert_eq!(integer(b"9223372036854775807"), Some(i128::from(i64::MAX)));
        assert_eq!(integer(b"-9223372036854775808"), Some(i128::from(i64::MIN)));
        for text in ["", "-", "-0", "+1", "01", " 1", "1 ", "1a", "9223372036854775808"] {
            assert_eq!(integer(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn memory_sizes_know_units_of_1000_and_of_1024() {
        let cases: [(&str, i128); 11] = [
            ("", 0),
            ("0", 0),
            ("99999999999999999999999999999999999999999gb", i128::MAX),
            ("100b", 100),
            ("1k", 1000),
            ("1Kb", 1024),
            ("2m", 2_000_000),
            ("2MB", 2 << 20),
            ("3G", 3_000_000_000),
            ("3gb", 3 << 30),
            ("18446744073709551615", u64::MAX as i128),
        ];
        for (text, bytes) in cases {
            assert_eq!(memory(text.as_bytes()), Some(bytes), "{text}");
        }
        for text in ["b", "-1", "1t", "1.5gb", "1 kb"] {
            assert_eq!(memory(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn memory_is_written_in_the_largest_unit_that_divides_it() {
        for (bytes, text) in [(0, "0"), (1023, "1023"), (1024, "1kb"), (3 << 20, "3mb")] {
            assert_eq!(memory_text(bytes), text);
        }
        assert_eq!(memory_text(1 << 30), "1gb");
    }

    #[test]
    fn octal_and_percent_take_only_their_digits() {
        assert_eq!(octal(b"0777"), Some(0o777));
        assert_eq!(octal(b"8"), None);
        assert_eq!(octal(b"-1"), None);
        assert_eq!(percent(b"5%"), Some(5));
        assert_eq!(percent(b"-5%"), None);
        assert_eq!(percent(b"%"), None);
    }
}
