//! The x87 long double: what INCRBYFLOAT and HINCRBYFLOAT reckon with.
//!
//! Redis parses by `strtold`, adds, and prints by `%.17Lf` without trailing zeros. Doubles would
//! give other digits (0.1 + 0.2 is 0.3 here), so the 80-bit format is emulated, on any processor.

use crate::float_text::{self, FloatText, Form, Parts};
use rustc_apfloat::{Float, Round, ieee::X87DoubleExtended};

/// Longer texts are refused, as Redis does.
const TEXT_MAX: usize = 5 * 1024 - 1;
/// Decimal exponents beyond this are out of range (the format ends at 1.2e4932 and 3.6e-4951).
const DECIMAL_EXPONENT_MAX: i64 = 5_000;
/// The exponent field's bias plus the places of the 64-bit significand behind its point.
const EXPONENT_BIAS: i32 = 16_383 + 63;
/// Decimals printed at most.
const DECIMALS: usize = 17;
/// Ten to the power of [`DECIMALS`].
const DECIMAL_UNIT: u128 = 10u128.pow(DECIMALS as u32);
/// Decimal digits in one limb of a big integer.
const LIMB_DIGITS: usize = 9;

/// An 80-bit extended-precision number: 64 bits of significand, 15 of exponent.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct LongDouble(X87DoubleExtended);

impl LongDouble {
    /// The number that `text` spells from end to end: decimal, hexadecimal (`0x1.8p3`) or
    /// infinite, with an optional sign.
    ///
    /// `None` for anything else: blanks, NaN, 5120 bytes or more, values beyond the format's range,
    /// and values too small to be told from 0.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let FloatText { negative, form } = FloatText::parse(text)?;
        let magnitude = match form {
            Form::Infinity => X87DoubleExtended::INFINITY,
            Form::Decimal(parts) | Form::Hexadecimal(parts) if parts.is_zero() => {
                X87DoubleExtended::ZERO
            }
            Form::Decimal(parts) => decimal(&parts)?,
            Form::Hexadecimal(parts) => float_text::hexadecimal(&parts)?,
        };
        Some(Self(if negative { -magnitude } else { magnitude }))
    }

    /// The greatest finite number.
    pub fn greatest() -> Self {
        Self(X87DoubleExtended::largest())
    }

    /// An integer, which the format always holds exactly.
    pub fn from_i64(value: i64) -> Self {
        Self(X87DoubleExtended::from_i128(i128::from(value)).value)
    }

    /// Whether this is no number (the sum of opposite infinities).
    pub fn is_nan(self) -> bool {
        self.0.is_nan()
    }

    /// Whether this is infinite (given so, or a sum beyond the range).
    pub fn is_infinite(self) -> bool {
        self.0.is_infinite()
    }

    /// The number with up to 17 decimals, correctly rounded, without trailing zeros or a sign on
    /// zero; `inf`, `-inf`, `nan`. Never in scientific notation: up to 4951 bytes.
    pub fn to_text(self) -> String {
        if self.0.is_nan() {
            return "nan".to_owned();
        }
        let sign = if self.0.is_negative() { "-" } else { "" };
        if self.0.is_infinite() {
            return format!("{sign}inf");
        }
        let bits = self.0.to_bits();
        let significand = bits as u64;
        let field = ((bits >> 64) & 0x7fff) as i32;
        // Subnormal numbers have the exponent of the smallest normal ones.
        let exponent = field.max(1) - EXPONENT_BIAS;
        let magnitude = match u32::try_from(exponent) {
            Ok(exponent) => integer_text(significand, exponent),
            Err(_) => fraction_text(significand, exponent.unsigned_abs()),
        };
        if magnitude == "0" { magnitude } else { format!("{sign}{magnitude}") }
    }
}

impl std::ops::Add for LongDouble {
    type Output = Self;

    /// The nearest number to the sum, ties to even.
    fn add(self, other: Self) -> Self {
        Self(self.0.add_r(other.0, Round::NearestTiesToEven).value)
    }
}

impl std::ops::Sub for LongDouble {
    type Output = Self;

    /// The nearest number to the difference, ties to even.
    fn sub(self, other: Self) -> Self {
        Self(self.0.sub_r(other.0, Round::NearestTiesToEven).value)
    }
}

/// The number nearest to a decimal one other than zero, without its sign; `None` when it is out of
/// range.
fn decimal(parts: &Parts<'_>) -> Option<X87DoubleExtended> {
    if parts.leading_place().saturating_add(parts.exponent).abs() > DECIMAL_EXPONENT_MAX {
        return None;
    }
    let mut text = Vec::with_capacity(parts.whole.len() + parts.fraction.len() + 24);
    text.extend_from_slice(if parts.whole.is_empty() { b"0" } else { parts.whole });
    if !parts.fraction.is_empty() {
        text.push(b'.');
        text.extend_from_slice(parts.fraction);
    }
    text.extend_from_slice(format!("e{}", parts.exponent).as_bytes());
    float_text::nearest(&text)
}

/// `significand` divided by two to the `shift`, rounded to [`DECIMALS`], half to even.
fn fraction_text(significand: u64, shift: u32) -> String {
    // Below 2^121: a larger shift leaves nothing, not even half a unit.
    let scaled = u128::from(significand) * DECIMAL_UNIT;
    if shift > 122 {
        return "0".to_owned();
    }
    let (quotient, remainder) = (scaled >> shift, scaled & ((1 << shift) - 1));
    let half = 1u128 << (shift - 1);
    let up = remainder > half || (remainder == half && quotient % 2 == 1);
    let rounded = quotient + u128::from(up);
    let text = format!("{}.{:0DECIMALS$}", rounded / DECIMAL_UNIT, rounded % DECIMAL_UNIT);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `significand` times two to the `shift`, in decimal.
fn integer_text(significand: u64, shift: u32) -> String {
    const LIMB: u64 = 10u64.pow(LIMB_DIGITS as u32);
    /// Doublings at a time, so that a limb times their factor plus a carry fits in 64 bits.
    const STEP: u32 = 32;
    let mut limbs: Vec<u64> = Vec::new();
    let mut rest = significand;
    while rest > 0 || limbs.is_empty() {
        limbs.push(rest % LIMB);
        rest /= LIMB;
    }
    let mut left = shift;
    while left > 0 {
        let step = left.min(STEP);
        let mut carry = 0;
        for limb in &mut limbs {
            let product = (*limb << step) + carry;
            *limb = product % LIMB;
            carry = product / LIMB;
        }
        while carry > 0 {
            limbs.push(carry % LIMB);
            carry /= LIMB;
        }
        left -= step;
    }
    let mut digits = limbs.iter().rev();
    let mut text = digits.next().map_or_else(String::new, u64::to_string);
    for limb in digits {
        text.push_str(&format!("{limb:0LIMB_DIGITS$}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(a: &str, b: &str) -> String {
        let parse = |text: &str| LongDouble::parse(text.as_bytes()).unwrap();
        (parse(a) + parse(b)).to_text()
    }

    /// Compared with INCRBYFLOAT of redis-server 7.0.15.
    #[test]
    fn sums_have_the_digits_of_an_x87() {
        for (a, b, text) in [
            ("0.1", "0.2", "0.3"),
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("3", "-3", "0"),
            ("-0", "-1e-30", "0"),
            ("1e18", "0.5", "1000000000000000000.5"),
            ("1e20", "5", "100000000000000000008"),
            ("0x1.8p1", ".5", "3.5"),
            ("0", "123456789.123456789123456789", "123456789.12345678912242875"),
            ("0", "5e-18", "0"),
            ("0", "5.1e-18", "0.00000000000000001"),
        ] {
            assert_eq!(sum(a, b), text, "{a} + {b}");
        }
        let huge = sum("1e4000", "0");
        assert_eq!(huge.len(), 4000);
        assert!(huge.starts_with("999999999999999999996546387309"));
    }

    #[test]
    fn out_of_range_sums_say_so() {
        let parse = |text: &str| LongDouble::parse(text.as_bytes()).unwrap();
        assert!((parse("1e4932") + parse("1e4932")).is_infinite());
        assert!((parse("inf") + parse("-INFINITY")).is_nan());
        assert_eq!(parse("-inf").to_text(), "-inf");
        assert_eq!(LongDouble::from_i64(i64::MIN).to_text(), i64::MIN.to_string());
    }

    #[test]
    fn only_whole_numbers_in_range_are_read() {
        let long = "1".repeat(TEXT_MAX + 1);
        for text in [
            "",
            " 1",
            "1 ",
            "nan",
            "-nan",
            "1e",
            "1e+",
            ".",
            "e5",
            "0x",
            "0x.p1",
            "0x1p",
            "1_0",
            "1e5000",
            "1e99999999999999999999",
            "1e-5000",
            "0x1p99999",
            "--1",
            "+-1",
            "infinit",
            "1\0",
            &long,
        ] {
            assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text:?}");
        }
        for text in ["0e99999999999", "0x0p99999", "0x00.000", "1e4932", "4e-4951", "+.5", "5."] {
            assert!(LongDouble::parse(text.as_bytes()).is_some(), "{text:?}");
        }
        assert!(LongDouble::parse(&long.as_bytes()[1..]).is_none());
        let zeros = format!("0.{}1", "0".repeat(4800));
        assert!(LongDouble::parse(zeros.as_bytes()).is_some());
    }
}
