//! `notify-keyspace-events`: classes of events, one character each.

use crate::value::{Field, Value};

/// Which keyspace events are published. Empty means none; events go out only if one of
/// [`KeyspaceEvents::KEYSPACE`] and [`KeyspaceEvents::KEYEVENT`] is set too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyspaceEvents(u32);

impl KeyspaceEvents {
    /// `K`: publish to `__keyspace@<db>__:<key>`.
    pub const KEYSPACE: Self = Self(1);
    /// `E`: publish to `__keyevent@<db>__:<event>`.
    pub const KEYEVENT: Self = Self(1 << 1);
    /// `g`: commands for any type, such as DEL, EXPIRE, RENAME.
    pub const GENERIC: Self = Self(1 << 2);
    /// `$`: strings.
    pub const STRING: Self = Self(1 << 3);
    /// `l`: lists.
    pub const LIST: Self = Self(1 << 4);
    /// `s`: sets.
    pub const SET: Self = Self(1 << 5);
    /// `h`: hashes.
    pub const HASH: Self = Self(1 << 6);
    /// `z`: sorted sets.
    pub const ZSET: Self = Self(1 << 7);
    /// `x`: keys that expired.
    pub const EXPIRED: Self = Self(1 << 8);
    /// `e`: keys evicted for `maxmemory`.
    pub const EVICTED: Self = Self(1 << 9);
    /// `t`: streams.
    pub const STREAM: Self = Self(1 << 10);
    /// `m`: a key that was read and is not there.
    pub const KEY_MISS: Self = Self(1 << 11);
    /// `d`: values of modules.
    pub const MODULE: Self = Self(1 << 12);
    /// `n`: a key that was created.
    pub const NEW: Self = Self(1 << 13);
    /// `o`: a key whose value was replaced.
    pub const OVERWRITTEN: Self = Self(1 << 14);
    /// `c`: a key whose type changed.
    pub const TYPE_CHANGED: Self = Self(1 << 15);
    /// `A`: `g$lshzxetd`, that is all types and what happens to any key.
    pub const ALL: Self = Self(0b1_0111_1111_1100);

    /// The letters in the order in which CONFIG GET lists them; those of `A` first.
    const LETTERS: [(u8, Self); 16] = [
        (b'g', Self::GENERIC),
        (b'$', Self::STRING),
        (b'l', Self::LIST),
        (b's', Self::SET),
        (b'h', Self::HASH),
        (b'z', Self::ZSET),
        (b'x', Self::EXPIRED),
        (b'e', Self::EVICTED),
        (b't', Self::STREAM),
        (b'd', Self::MODULE),
        (b'n', Self::NEW),
        (b'K', Self::KEYSPACE),
        (b'E', Self::KEYEVENT),
        (b'm', Self::KEY_MISS),
        (b'o', Self::OVERWRITTEN),
        (b'c', Self::TYPE_CHANGED),
    ];

    /// The classes that these letters name; `None` if one of them names no class.
    #[must_use]
    pub fn parse(letters: &[u8]) -> Option<Self> {
        let mut all = Self::default();
        for letter in letters {
            let class = match letter {
                b'A' => Self::ALL,
                _ => Self::LETTERS.iter().find(|(known, _)| known == letter)?.1,
            };
            all.0 |= class.0;
        }
        Some(all)
    }

    /// Whether all of the other's classes are in this one.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no class is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The classes as bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The classes of these bits; others are dropped.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & 0xffff)
    }

    /// The letters, `A` standing for all classes that it means.
    #[must_use]
    pub fn letters(self) -> String {
        let mut text = String::new();
        let all = self.contains(Self::ALL);
        if all {
            text.push('A');
        }
        for (letter, class) in Self::LETTERS {
            if self.contains(class) && !(all && Self::ALL.contains(class)) {
                text.push(char::from(letter));
            }
        }
        text
    }
}

impl Field for KeyspaceEvents {
    fn to_value(&self) -> Value {
        Value::Events(self.0)
    }
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Events(bits) => Some(Self::from_bits(*bits)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(letters: &str) -> String {
        KeyspaceEvents::parse(letters.as_bytes()).unwrap().letters()
    }

    #[test]
    fn letters_come_back_in_the_order_of_redis() {
        assert_eq!(canonical("KEA"), "AKE");
        assert_eq!(canonical("EK$lz"), "$lzKE");
        assert_eq!(canonical("g$lshzxetdKE"), "AKE");
        assert_eq!(canonical("KEAmn"), "AnKEm");
        assert_eq!(canonical(""), "");
        assert_eq!(KeyspaceEvents::parse(b"Kq"), None);
    }

    #[test]
    fn all_leaves_out_misses_new_keys_overwrites_and_type_changes() {
        let all = KeyspaceEvents::parse(b"A").unwrap();
        assert!(all.contains(KeyspaceEvents::MODULE) && all.contains(KeyspaceEvents::STREAM));
        for letter in ["m", "n", "o", "c", "K", "E"] {
            assert!(!all.contains(KeyspaceEvents::parse(letter.as_bytes()).unwrap()), "{letter}");
        }
    }
}
