//! How a deadline stands in an entry's block.

use super::{TTL, WIDE_TTL};

/// Deadlines below this, and not before 1970, take 44 bits: until the year 2527. What all of them set means
/// is that there is no deadline, only the room for one.
const NEVER: u64 = (1 << 44) - 1;
/// The same for wide ones: the very beginning of time, which no client can set, as a key would be gone with
/// it at once.
const NEVER_WIDE: i64 = i64::MIN;

fn narrow(deadline_ms: i64) -> Option<u64> {
    u64::try_from(deadline_ms).ok().filter(|bits| *bits < NEVER)
}

/// The flags of an entry with this deadline.
pub(super) fn flags(deadline_ms: Option<i64>) -> u8 {
    match deadline_ms {
        None => 0,
        Some(deadline) if narrow(deadline).is_some() => TTL,
        Some(_) => TTL | WIDE_TTL,
    }
}

/// Bytes that the deadline takes apart from the head in an entry with these flags.
#[inline]
pub(super) fn len(flags: u8) -> usize {
    match flags & (TTL | WIDE_TTL) {
        TTL => 5,
        0 => 0,
        _ => 8,
    }
}

/// The four bits in the head and the bytes apart from it, of which [`len`] count. The caller knows that the
/// deadline needs no more than the room there is.
pub(super) fn encode(deadline_ms: Option<i64>, wide: bool) -> (u8, [u8; 8]) {
    if wide {
        let deadline = deadline_ms.map_or(NEVER_WIDE, |at| at.max(NEVER_WIDE + 1));
        return (0, deadline.to_le_bytes());
    }
    let bits = deadline_ms.and_then(narrow).unwrap_or(NEVER);
    ((bits & 15) as u8, (bits >> 4).to_le_bytes())
}

/// The deadline of what [`encode`] gave for a narrow one.
#[inline]
pub(super) fn decode(low: u8, [a, b, c, d, e]: [u8; 5]) -> Option<i64> {
    let bits = u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]) << 4 | u64::from(low);
    (bits != NEVER).then_some(bits as i64)
}

/// The same for a wide one.
pub(super) fn decode_wide(bytes: [u8; 8]) -> Option<i64> {
    let deadline = i64::from_le_bytes(bytes);
    (deadline != NEVER_WIDE).then_some(deadline)
}
