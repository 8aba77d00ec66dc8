use std::fmt;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use parking_lot::RwLock;
use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(crate) const KEY: usize = 32;
/// Bytes of a key's name at most.
pub(crate) const NAME_MAX: usize = 32;

/// A key as it stands in memory: at one place, since moving it moves no bytes, and overwritten when it goes.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// Why a text holds no keys. It never says what stands there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is nothing.
    #[error("there is no key in it")]
    None,
    /// A line is none.
    #[error(
        "line {0} is no key: 64 hexadecimal digits, or 32 bytes in base64, with 'name:' in front or not"
    )]
    Line(usize),
    /// A name is none.
    #[error("line {0}: the name of a key has 1 to 32 letters, digits, '.', '_' or '-'")]
    Name(usize),
    /// A name is there twice.
    #[error("line {0}: there is a key of that name already")]
    Duplicate(usize),
}

/// Master keys by name. The first encrypts, all decrypt.
pub struct Keyring {
    keys: Vec<(String, Secret)>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Keyring {
    /// Reads keys, separated by ends of lines or commas: each `name:key` or only a key, as 64 hexadecimal digits or
    /// in base64. A key without a name is called by the beginning of a digest of it. Empty lines and lines that
    /// begin with `#` do not count.
    ///
    /// # Errors
    /// When there is no key, or something else.
    pub fn parse(text: &[u8]) -> Result<Self, KeyError> {
        let mut ring = Self { keys: Vec::new() };
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let number = index + 1;
            if line.trim_ascii().starts_with(b"#") {
                continue;
            }
            for word in line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                if !word.is_empty() {
                    ring.add(word, number)?;
                }
            }
        }
        if ring.keys.is_empty() { Err(KeyError::None) } else { Ok(ring) }
    }

    fn add(&mut self, word: &[u8], line: usize) -> Result<(), KeyError> {
        let (name, text) = match word.iter().position(|byte| *byte == b':') {
            Some(at) => (Some(word.get(..at).unwrap_or_default()), word.get(at + 1..)),
            None => (None, Some(word)),
        };
        let secret = secret(text.unwrap_or_default().trim_ascii()).ok_or(KeyError::Line(line))?;
        let name = match name {
            Some(name) => name_of(name.trim_ascii()).ok_or(KeyError::Name(line))?,
            None => digest_name(&secret),
        };
        if self.find(&name).is_some() {
            return Err(KeyError::Duplicate(line));
        }
        self.keys.push((name, secret));
        Ok(())
    }

    /// The name of the key that encrypts.
    pub fn current(&self) -> &str {
        self.keys.first().map_or("", |(name, _)| name)
    }

    /// The names of all keys.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(name, _)| name.as_str())
    }

    /// Whether there is a key of this name.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The name of a key that is another one there.
    pub fn conflict(&self, other: &Self) -> Option<&str> {
        let differs = |(name, secret): &&(String, Secret)| {
            other.find(name).is_some_and(|found| {
                digest(&SHA256, &found[..]).as_ref() != digest(&SHA256, &secret[..]).as_ref()
            })
        };
        self.keys.iter().find(differs).map(|(name, _)| name.as_str())
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Secret> {
        self.keys.iter().find(|(known, _)| known == name).map(|(_, secret)| secret)
    }

    pub(crate) fn first(&self) -> Option<(&str, &Secret)> {
        self.keys.first().map(|(name, secret)| (name.as_str(), secret))
    }
}

/// The cipher of a key. ring fails only for a wrong length.
pub(crate) fn cipher(secret: &[u8]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, secret).ok().map(LessSafeKey::new)
}

fn name_of(name: &[u8]) -> Option<String> {
    let fine = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let named = (1..=NAME_MAX).contains(&name.len()) && name.iter().all(fine);
    named.then(|| String::from_utf8_lossy(name).into_owned())
}

/// Eight hexadecimal digits that tell keys apart and nothing about them.
fn digest_name(secret: &Secret) -> String {
    let mut text = Zeroizing::new(b"name of a key at rest: ".to_vec());
    text.extend_from_slice(secret);
    digest(&SHA256, &text).as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn secret(text: &[u8]) -> Option<Secret> {
    let mut secret = Zeroizing::new(vec![0; KEY]);
    if text.len() == 2 * KEY {
        for (byte, pair) in secret.iter_mut().zip(text.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            let digit = |byte: u8| char::from(byte).to_digit(16);
            *byte = (digit(*high)? * 16 + digit(*low)?) as u8;
        }
        return Some(secret);
    }
    let decoded = Base64::decode(text, &mut secret[..]).ok()?;
    (decoded.len() == KEY).then_some(())?;
    Some(secret)
}

/// The keys of a running server, which may be exchanged.
#[derive(Debug, Default)]
pub struct Keys {
    current: RwLock<Option<Arc<Keyring>>>,
}

impl Keys {
    /// The keys of this moment; none when files are written plain.
    pub fn get(&self) -> Option<Arc<Keyring>> {
        self.current.read().clone()
    }

    /// Puts others in their place.
    pub fn set(&self, keys: Option<Arc<Keyring>>) {
        *self.current.write() = keys;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
    const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn keys_are_read_in_both_forms_with_names_and_without() {
        let text = format!("# old and new\nnew: {HEX}\n\n  old:{BASE64}  \r\n{HEX}");
        let ring = Keyring::parse(text.as_bytes()).expect("keys");
        let names: Vec<_> = ring.names().collect();
        assert_eq!((names[0], names[1], names[2].len()), ("new", "old", 8));
        assert_eq!(ring.current(), "new");
        assert_eq!(ring.find("new"), ring.find("old"));
        let one_line = format!("a:{HEX},b:{BASE64}");
        assert_eq!(Keyring::parse(one_line.as_bytes()).expect("keys").names().count(), 2);
    }

    #[test]
    fn what_is_no_key_is_refused_by_its_line_and_not_repeated() {
        let short = &HEX[2..];
        for (text, error) in [
            (String::new(), KeyError::None),
            ("# nothing\n\n".to_owned(), KeyError::None),
            (short.to_owned(), KeyError::Line(1)),
            (format!("a:{HEX}\nb:{short}xx"), KeyError::Line(2)),
            (format!("a b:{HEX}"), KeyError::Name(1)),
            (format!(":{HEX}"), KeyError::Name(1)),
            (format!("{}:{HEX}", "n".repeat(33)), KeyError::Name(1)),
            (format!("a:{HEX}\n\na:{BASE64}"), KeyError::Duplicate(3)),
            (format!("{HEX}\n{HEX}"), KeyError::Duplicate(2)),
        ] {
            assert_eq!(Keyring::parse(text.as_bytes()).err(), Some(error.clone()), "{text}");
            assert!(!error.to_string().contains("0001"));
        }
    }

    #[test]
    fn a_key_that_is_another_under_its_name_is_named() {
        let ring = |text: String| Keyring::parse(text.as_bytes()).expect("keys");
        let before = ring(format!("a:{HEX},b:{BASE64}"));
        assert_eq!(before.conflict(&ring(format!("c:{},b:{HEX}", "ab".repeat(32)))), None);
        let other = ring(format!("a:{HEX},b:{}", "ab".repeat(32)));
        assert_eq!(before.conflict(&other), Some("b"));
    }

    #[test]
    fn keys_are_not_shown() {
        let ring = Keyring::parse(format!("a:{HEX}").as_bytes()).expect("keys");
        assert_eq!(format!("{ring:?}"), "[\"a\"]");
    }
}
