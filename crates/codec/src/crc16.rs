//! Cluster slots: CRC-16/XMODEM of a key, or of its hash tag, modulo 16384.

/// How many slots a cluster has.
pub const SLOTS: u16 = 16384;

/// CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, &byte| {
        let index = (crc >> 8) as u8 ^ byte;
        (crc << 8) ^ TABLE[usize::from(index)]
    })
}

/// The slot of `key`, below [`SLOTS`].
#[inline]
pub fn slot(key: &[u8]) -> u16 {
    crc16(hashed_part(key)) % SLOTS
}

/// What of `key` decides its slot: the text between the first `{` and the next `}`, unless that is
/// empty or missing; then all of it.
#[inline]
pub fn hashed_part(key: &[u8]) -> &[u8] {
    let tag = memchr::memchr(b'{', key).and_then(|open| {
        let behind = key.get(open + 1..)?;
        behind.get(..memchr::memchr(b'}', behind)?)
    });
    tag.filter(|tag| !tag.is_empty()).unwrap_or(key)
}

static TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_catalogued_one() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(crc16(b""), 0);
    }

    /// Compared with CLUSTER KEYSLOT of redis-server 7.0.15.
    #[test]
    fn a_hash_tag_decides_the_slot() {
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!(slot(b"somekey"), 11058);
        assert_eq!(slot(b"a{foo}b"), 12182);
        assert_eq!(slot(b"{foo}{bar}"), 12182);
        assert_eq!(slot(b"foo{}{bar}"), slot_of_all(b"foo{}{bar}"));
        assert_eq!(slot(b"foo{bar"), slot_of_all(b"foo{bar"));
        assert_eq!(slot(b"}foo{a}"), slot(b"a"));
        assert_eq!(slot(b"{{a}}"), slot(b"{a"));
    }

    fn slot_of_all(key: &[u8]) -> u16 {
        crc16(key) % SLOTS
    }
}
