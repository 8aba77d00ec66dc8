//! The grammar of floating-point numbers that C's `strtod` takes whole, shared by doubles and long
//! doubles.

use rustc_apfloat::{Float, Round};

/// Hexadecimal digits that decide the rounding of any format here; a last one stands for the rest.
const HEX_DIGITS_KEPT: usize = 40;
/// Binary exponents beyond this are out of range of every format here.
const HEX_EXPONENT_MAX: i64 = 20_000;

/// A number's text, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FloatText<'a> {
    pub negative: bool,
    pub form: Form<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    Infinity,
    /// Digits `whole.fraction` times ten to the `exponent` (saturated).
    Decimal(Parts<'a>),
    /// Hexadecimal digits `whole.fraction` times two to the `exponent` (saturated).
    Hexadecimal(Parts<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub whole: &'a [u8],
    pub fraction: &'a [u8],
    pub exponent: i64,
}

impl Parts<'_> {
    /// Whether every digit is 0.
    pub fn is_zero(&self) -> bool {
        self.whole.iter().chain(self.fraction).all(|&digit| digit == b'0')
    }

    /// The power of the base that the first digit other than 0 counts, the exponent left out.
    pub fn leading_place(&self) -> i64 {
        let zeros = self.whole.iter().take_while(|&&digit| digit == b'0').count();
        if zeros < self.whole.len() {
            return (self.whole.len() - zeros) as i64 - 1;
        }
        -(self.fraction.iter().take_while(|&&digit| digit == b'0').count() as i64) - 1
    }
}

impl<'a> FloatText<'a> {
    /// Takes `text` apart; `None` when it is no number from end to end, or "nan", which no command
    /// accepts.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let form = match text {
            [b'0', b'x' | b'X', digits @ ..] => {
                Form::Hexadecimal(parts(digits, u8::is_ascii_hexdigit, b'p')?)
            }
            _ if text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity") => {
                Form::Infinity
            }
            _ => Form::Decimal(parts(text, u8::is_ascii_digit, b'e')?),
        };
        Some(Self { negative, form })
    }
}

fn parts(text: &[u8], is_digit: fn(&u8) -> bool, exponent_letter: u8) -> Option<Parts<'_>> {
    let (whole, text) = split_digits(text, is_digit);
    let (fraction, text) = match text {
        [b'.', rest @ ..] => split_digits(rest, is_digit),
        _ => (&[][..], text),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent = match text {
        [] => 0,
        [letter, rest @ ..] if letter.eq_ignore_ascii_case(&exponent_letter) => exponent(rest)?,
        _ => return None,
    };
    Some(Parts { whole, fraction, exponent })
}

fn split_digits(text: &[u8], is_digit: fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| is_digit(byte)).count())
}

fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    Some(if negative { -magnitude } else { magnitude })
}

/// The number of format `F` nearest to a hexadecimal one other than zero, without its sign;
/// `None` when it is out of range.
pub(crate) fn hexadecimal<F: Float>(parts: &Parts<'_>) -> Option<F> {
    let place = parts.leading_place();
    let mut digits =
        parts.whole.iter().chain(parts.fraction).skip_while(|&&digit| digit == b'0').copied();
    let mut text = b"0x".to_vec();
    text.extend(digits.by_ref().take(HEX_DIGITS_KEPT));
    let kept = text.len() as i64 - 2;
    let sticky = digits.any(|digit| digit != b'0');
    text.push(if sticky { b'1' } else { b'0' });
    // The text so far counts as an integer whose last digit has place 0; move that digit to where
    // it stands.
    let exponent = place.checked_sub(kept)?.checked_mul(4)?.saturating_add(parts.exponent);
    if exponent.abs() > HEX_EXPONENT_MAX {
        return None;
    }
    text.extend_from_slice(format!("p{exponent}").as_bytes());
    nearest(&text)
}

/// The number of format `F` nearest to `text`, a number other than zero in a form that `rustc_apfloat`
/// reads; `None` when it is out of range.
pub(crate) fn nearest<F: Float>(text: &[u8]) -> Option<F> {
    let value =
        F::from_str_r(std::str::from_utf8(text).ok()?, Round::NearestTiesToEven).ok()?.value;
    (value.is_finite() && value.is_non_zero()).then_some(value)
}
