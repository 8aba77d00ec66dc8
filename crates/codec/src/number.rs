//! Numbers as text, by Redis's rules.

use crate::float_text::{self, FloatText, Form};
use rustc_apfloat::{Float, ieee::Double};

/// The integer that `text` spells in canonical form: an optional minus sign and digits without
/// leading zeros, nothing else (no plus sign, no blanks, no `-0`), within the range of `i64`.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    match text {
        [b'-', digits @ ..] => {
            let magnitude = parse_u64(digits).filter(|&magnitude| magnitude != 0)?;
            0i64.checked_sub_unsigned(magnitude)
        }
        digits => i64::try_from(parse_u64(digits)?).ok(),
    }
}

/// Like [`parse_i64`] without a sign, within the range of `u64`.
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    match text {
        [b'0'] => Some(0),
        [b'1'..=b'9', ..] if text.len() <= 20 => {
            let mut value = 0u64;
            for &byte in text {
                let digit = byte.wrapping_sub(b'0');
                if digit > 9 {
                    return None;
                }
                value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
            }
            Some(value)
        }
        _ => None,
    }
}

/// The double that `text` spells from end to end, by the rules of `strtod`: decimal, hexadecimal
/// (`0x1.8p3`) or infinite (`inf`, `infinity`, in any case), with an optional sign.
///
/// `None` for anything else: blanks, NaN, values beyond the range, and values too small to be told
/// from 0. The sign of zero is kept.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    // Most scores are short integers.
    if let Some(integer) = parse_short_integer(text) {
        return Some(integer);
    }
    let FloatText { negative, form } = FloatText::parse(text)?;
    let magnitude = match form {
        Form::Infinity => f64::INFINITY,
        Form::Decimal(parts) | Form::Hexadecimal(parts) if parts.is_zero() => 0.0,
        Form::Decimal(_) => {
            let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            return (value.is_finite() && value != 0.0).then_some(value);
        }
        Form::Hexadecimal(parts) => {
            let value: Double = float_text::hexadecimal(&parts)?;
            f64::from_bits(value.to_bits() as u64)
        }
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// Up to 15 digits, leading zeros included: what a double holds exactly. The sign of zero is kept.
#[inline]
fn parse_short_integer(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    let mut magnitude = 0_u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude * 10 + u64::from(digit);
    }
    Some(if negative { -(magnitude as f64) } else { magnitude as f64 })
}

/// The longest text that [`format_f64`] writes, in bytes.
pub const F64_TEXT_MAX: usize = 32;

/// Appends `value` as Redis 7.2 and later print it in replies and scores.
///
/// `nan`, `inf`, `-inf`, `-0`; integral values up to 2^62 in magnitude as integers; anything else
/// by its shortest digits that read back as the same double, in positional notation down to 1e-7
/// and scientific (`1.5e-9`, `1e+30`, no padding of the exponent) outside.
///
/// Redis 7.0 prints `%.17g` instead (`0.10000000000000001` for 0.1), and pads exponents to two
/// digits.
pub fn format_f64(value: f64, out: &mut Vec<u8>) {
    /// Up to here Redis prints integral doubles as integers.
    const INTEGER_MAX: f64 = (i64::MAX / 2) as f64;
    if value.is_nan() {
        out.extend_from_slice(b"nan");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"inf" } else { b"-inf" });
    } else if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0" } else { b"0" });
    } else if value.abs() <= INTEGER_MAX && value.trunc() == value {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        let mut buffer = zmij::Buffer::new();
        let (digits, count, exponent) = shortest_digits(buffer.format_finite(value.abs()));
        if value < 0.0 {
            out.push(b'-');
        }
        place_digits(digits.get(..count).unwrap_or_default(), exponent, value < 0.0, out);
    }
}

/// Takes a decimal text apart: its significant digits, their count, and the power of ten of the
/// last one.
fn shortest_digits(text: &str) -> ([u8; 20], usize, i32) {
    let mut digits = [0; 20];
    let mut count = 0;
    let mut exponent = 0;
    let mut after_point = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'.' => after_point = true,
            b'e' | b'E' => {
                exponent += text
                    .get(text.len() - bytes.len()..)
                    .and_then(|tail| tail.parse::<i32>().ok())
                    .unwrap_or(0);
                break;
            }
            _ => {
                if after_point {
                    exponent -= 1;
                }
                if count == 0 && byte == b'0' {
                    continue;
                }
                if let Some(place) = digits.get_mut(count) {
                    *place = byte;
                    count += 1;
                } else {
                    exponent += 1;
                }
            }
        }
    }
    while count > 1 && digits.get(count - 1) == Some(&b'0') {
        count -= 1;
        exponent += 1;
    }
    (digits, count, exponent)
}

/// Writes `digits` times ten to the `exponent`, choosing the notation as Redis does.
fn place_digits(digits: &[u8], exponent: i32, negative: bool, out: &mut Vec<u8>) {
    let count = digits.len() as i32;
    let scientific = exponent + count - 1;
    let magnitude = scientific.abs();
    if exponent >= 0 && magnitude < count + 7 {
        out.extend_from_slice(digits);
        out.extend(std::iter::repeat_n(b'0', exponent as usize));
    } else if exponent < 0 && (exponent > -7 || magnitude < 4) {
        let whole = count + exponent;
        if whole <= 0 {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', whole.unsigned_abs() as usize));
            out.extend_from_slice(digits);
        } else {
            let (before, after) = digits.split_at(whole as usize);
            out.extend_from_slice(before);
            out.push(b'.');
            out.extend_from_slice(after);
        }
    } else {
        let kept = digits.len().min(18 - usize::from(negative));
        let (first, rest) = digits.get(..kept).unwrap_or_default().split_at(1);
        out.extend_from_slice(first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
        out.push(b'e');
        out.push(if scientific < 0 { b'-' } else { b'+' });
        out.extend_from_slice(itoa::Buffer::new().format(magnitude).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_integers_are_integers() {
        for (text, value) in [
            ("0", 0),
            ("-1", -1),
            ("42", 42),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(parse_i64(text.as_bytes()), Some(value));
        }
        for text in
            ["", "-", "-0", "00", "01", "+1", " 1", "1 ", "1.0", "1a", "9223372036854775808"]
        {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_i64(b"-9223372036854775809"), None);
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_u64(b"18446744073709551616"), None);
        assert_eq!(parse_u64(b"99999999999999999999"), None);
    }

    /// Compared with ZADD of redis-server 7.0.15.
    #[test]
    fn doubles_read_as_by_strtod() {
        for (text, value) in [
            ("0", 0.0),
            ("1.5", 1.5),
            ("+1", 1.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("-1E+2", -100.0),
            ("0x10", 16.0),
            ("-0X.8p1", -1.0),
            ("0x1.00000000000008000000000000000000000000000000000001p0", 1.0 + f64::EPSILON),
            ("0x1.000000000000080000000000000000000000000000000000p0", 1.0),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("5e-324", 5e-324),
            ("0e999", 0.0),
            ("0.1", 0.1),
            ("9007199254740993", 9007199254740992.0),
        ] {
            assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text:?}");
        }
        assert!(parse_f64(b"-0").is_some_and(|zero| zero.is_sign_negative()));
        assert!(parse_f64(b"-0.0").is_some_and(|zero| zero.is_sign_negative()));
        for text in [
            "",
            " 1",
            "1 ",
            "nan",
            "1e400",
            "-1e400",
            "1e-400",
            "0x1p-2000",
            "0x1p2000",
            "1e",
            "x",
            "0x",
            ".",
            "1,5",
            "1.5.2",
            "inf ",
            "1\0",
        ] {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn doubles_print_by_their_shortest_digits() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-42.0, "-42"),
            (0.1, "0.1"),
            (3.25, "3.25"),
            (-1.5, "-1.5"),
            (1e17, "100000000000000000"),
            (4611686018427387904.0, "4611686018427387904"),
            (1e19, "1e+19"),
            (1.5e300, "1.5e+300"),
            (123456789.125, "123456789.125"),
            (0.0001, "0.0001"),
            (0.000001, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-9, "1.5e-9"),
            (5e-324, "5e-324"),
            (-1.7976931348623157e308, "-1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            let mut out = Vec::new();
            format_f64(value, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
            assert!(out.len() <= F64_TEXT_MAX);
        }
    }
}
