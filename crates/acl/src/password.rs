use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// What is kept of a password: its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of a password.
    pub fn of(password: &[u8]) -> Self {
        Self(Sha256::digest(password).into())
    }

    /// From 64 hexadecimal digits, in lower case.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text: &[u8; 64] = text.try_into().ok()?;
        let mut digest = [0; 32];
        for (byte, digits) in digest.iter_mut().zip(text.as_chunks::<2>().0) {
            *byte = value(digits[0])? << 4 | value(digits[1])?;
        }
        Some(Self(digest))
    }

    /// The 64 digits.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Compares in a time that tells nothing of the digests.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for Digest {
    /// A digest is as good as a password to whoever has a list of them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest(..)")
    }
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn only_the_same_bytes_have_the_same_digest() {
        assert!(Digest::of(b"secret\0\xff").matches(&Digest::of(b"secret\0\xff")));
        for other in [&b"secre"[..], b"secret ", b"Secret", b""] {
            assert!(!Digest::of(b"secret").matches(&Digest::of(other)));
        }
    }

    #[test]
    fn digests_are_64_digits_in_lower_case() {
        let text = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        assert_eq!(Digest::of(b"secret").hex(), text);
        assert_eq!(Digest::parse(text.as_bytes()), Some(Digest::of(b"secret")));
        assert_eq!(Digest::parse(text.to_uppercase().as_bytes()), None);
        assert_eq!(Digest::parse(&text.as_bytes()[1..]), None);
        assert_eq!(Digest::parse(b""), None);
    }
}
