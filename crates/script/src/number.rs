/// A number without its fraction, as x86 converts it: what does not fit becomes the least integer.
pub(crate) fn truncate(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&value) { value as i64 } else { i64::MIN }
}

/// Appends a number as C's `%.<digits>g` prints it.
pub(crate) fn general(value: f64, digits: usize, out: &mut Vec<u8>) {
    if !value.is_finite() {
        let text = match (value.is_nan(), value.is_sign_negative()) {
            (true, true) => "-nan",
            (true, false) => "nan",
            (false, true) => "-inf",
            (false, false) => "inf",
        };
        return out.extend_from_slice(text.as_bytes());
    }
    if value == value.trunc() && value.abs() < 1e14 && (value != 0.0 || !value.is_sign_negative()) {
        let integer = value as i64;
        if digits >= 14 || integer.unsigned_abs() < 10_u64.pow(digits as u32) {
            return out.extend_from_slice(integer.to_string().as_bytes());
        }
    }
    let digits = digits.max(1);
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= digits as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        let text = format!("{}e{sign}{:02}", trim(mantissa), exponent.abs());
        return out.extend_from_slice(text.as_bytes());
    }
    let places = (digits as i32 - 1 - exponent).max(0) as usize;
    out.extend_from_slice(trim(&format!("{value:.places$}")).as_bytes());
}

/// The generator of POSIX's `lrand48`, which Redis gives to scripts as `math.random`.
pub(crate) struct Lrand48(u64);

impl Default for Lrand48 {
    fn default() -> Self {
        Self(0x1234_ABCD_330E)
    }
}

impl Lrand48 {
    pub fn seed(&mut self, seed: i32) {
        self.0 = (u64::from(seed as u32) << 16) | 0x330E;
    }

    /// A number below 2^31.
    pub fn next(&mut self) -> i32 {
        self.0 = self.0.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & 0xFFFF_FFFF_FFFF;
        (self.0 >> 17) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64, digits: usize) -> String {
        let mut out = Vec::new();
        general(value, digits, &mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    #[test]
    fn numbers_print_as_in_c() {
        assert_eq!(text(3.0, 17), "3");
        assert_eq!(text(0.1, 17), "0.10000000000000001");
        assert_eq!(text(1e15, 14), "1e+15");
        assert_eq!(text(123456789012345678.0, 14), "1.2345678901235e+17");
        assert_eq!(text(1.5, 14), "1.5");
        assert_eq!(text(1e-5, 14), "1e-05");
        assert_eq!(text(0.0001, 14), "0.0001");
        assert_eq!(text(-0.0, 14), "-0");
        assert_eq!(text(99999999999999999999.0, 17), "1e+20");
        assert_eq!(text(1234567.0, 3), "1.23e+06");
        assert_eq!(text(f64::NEG_INFINITY, 14), "-inf");
    }

    #[test]
    fn random_numbers_are_those_of_lrand48() {
        let mut random = Lrand48::default();
        random.seed(0);
        assert_eq!([random.next(), random.next()], [366850414, 1610402240]);
    }
}
