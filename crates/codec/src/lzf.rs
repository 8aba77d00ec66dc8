//! LZF, the compression of long strings in snapshots and of list nodes.
//!
//! The format is LibLZF's, a sequence of two kinds of item, told apart by a control byte:
//! - `000nnnnn`: a run of n + 1 bytes as they are, which follow;
//! - `nnnooooo oooooooo`: a copy of n + 2 bytes from o + 1 bytes back in the output. When n is 7, a
//!   byte to add to it stands between the two.

use std::fmt;

/// The farthest that a copy reaches back, in bytes.
const DISTANCE_MAX: usize = 1 << 13;
/// The longest copy, in bytes.
const COPY_MAX: usize = 255 + 7 + 2;
/// The shortest copy that saves anything, in bytes.
const COPY_MIN: usize = 3;
/// The longest run, in bytes.
const RUN_MAX: usize = 32;
/// No input expands to more than this many times its length: three bytes make a copy.
const EXPANSION_MAX: usize = COPY_MAX.div_ceil(3);

/// Why LZF data cannot be expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LzfError {
    /// The data ends within an item.
    Truncated,
    /// A copy reaches back beyond the start of the output.
    BadDistance,
    /// The output's length is not the one expected.
    BadLength,
}

impl fmt::Display for LzfError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Truncated => "compressed data ends early",
            Self::BadDistance => "compressed data refers to bytes before its start",
            Self::BadLength => "compressed data has the wrong length",
        })
    }
}

impl std::error::Error for LzfError {}

/// `input` compressed, or `None` when that would not save at least `min_saved` bytes (Redis asks
/// for 4 in snapshots).
pub fn compress(input: &[u8], min_saved: usize) -> Option<Vec<u8>> {
    let room = input.len().checked_sub(min_saved).filter(|&room| room > 0)?;
    let mut out = Vec::with_capacity(room);
    // Where each three bytes were last seen, plus one; by hash, later ones replacing earlier.
    let bits = input.len().next_power_of_two().trailing_zeros().clamp(8, 14);
    let mut seen = vec![0u32; 1 << bits];
    let (mut at, mut run_start) = (0, 0);
    while let Some(&[a, b, c]) = input.get(at..).and_then(<[u8]>::first_chunk) {
        let hash = u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9e37_79b1) >> (32 - bits);
        let Some(slot) = seen.get_mut(hash as usize) else { break };
        let candidate = std::mem::replace(slot, u32::try_from(at + 1).ok()?);
        let len = match (candidate as usize).checked_sub(1) {
            Some(from) if at - from <= DISTANCE_MAX => shared_prefix(input, from, at),
            _ => 0,
        };
        if len < COPY_MIN {
            at += 1;
            continue;
        }
        put_runs(input.get(run_start..at)?, &mut out);
        put_copy(at - (candidate as usize - 1), len, &mut out);
        at += len;
        run_start = at;
        if out.len() > room {
            return None;
        }
    }
    put_runs(input.get(run_start..)?, &mut out);
    (out.len() <= room).then_some(out)
}

/// The `len` bytes that `input` expands to.
///
/// Memory is taken for `len` only after `input` has been found long enough to hold them.
pub fn decompress(input: &[u8], len: usize) -> Result<Vec<u8>, LzfError> {
    if len > input.len().saturating_mul(EXPANSION_MAX) {
        return Err(LzfError::BadLength);
    }
    let mut out = Vec::with_capacity(len);
    let mut rest = input;
    while let Some((&control, after)) = rest.split_first() {
        let count = usize::from(control >> 5);
        if count == 0 {
            let (run, after) =
                after.split_at_checked(usize::from(control) + 1).ok_or(LzfError::Truncated)?;
            if run.len() > len - out.len() {
                return Err(LzfError::BadLength);
            }
            out.extend_from_slice(run);
            rest = after;
            continue;
        }
        let (more, after) = match (count, after) {
            (7, [more, after @ ..]) => (usize::from(*more), after),
            (7, []) => return Err(LzfError::Truncated),
            _ => (0, after),
        };
        let (&low, after) = after.split_first().ok_or(LzfError::Truncated)?;
        let distance = (usize::from(control & 31) << 8 | usize::from(low)) + 1;
        let copied = count + more + 2;
        if copied > len - out.len() {
            return Err(LzfError::BadLength);
        }
        let from = out.len().checked_sub(distance).ok_or(LzfError::BadDistance)?;
        copy_within(&mut out, from, copied);
        rest = after;
    }
    if out.len() == len { Ok(out) } else { Err(LzfError::BadLength) }
}

/// Appends `len` bytes starting at `from`, some of which may be among those appended.
fn copy_within(out: &mut Vec<u8>, from: usize, len: usize) {
    let mut left = len;
    while left > 0 {
        // What lies behind `from` repeats, so each turn may double it.
        let step = left.min(out.len() - from);
        out.extend_from_within(from..from + step);
        left -= step;
    }
}

/// How many bytes at `from` and `at` (behind it) are the same, as far as one copy can take them.
fn shared_prefix(input: &[u8], from: usize, at: usize) -> usize {
    let (earlier, here) = (input.get(from..), input.get(at..));
    earlier
        .into_iter()
        .flatten()
        .zip(here.into_iter().flatten())
        .take(COPY_MAX)
        .take_while(|(a, b)| a == b)
        .count()
}

fn put_runs(bytes: &[u8], out: &mut Vec<u8>) {
    for run in bytes.chunks(RUN_MAX) {
        out.push((run.len() - 1) as u8);
        out.extend_from_slice(run);
    }
}

/// Writes a copy of `len` (3 to [`COPY_MAX`]) bytes from `distance` (1 to [`DISTANCE_MAX`]) back.
fn put_copy(distance: usize, len: usize, out: &mut Vec<u8>) {
    let [high, low] = ((distance - 1) as u16).to_be_bytes();
    let count = len - 2;
    if count < 7 {
        out.extend_from_slice(&[(count as u8) << 5 | high, low]);
    } else {
        out.extend_from_slice(&[7 << 5 | high, (count - 7) as u8, low]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn repetition_compresses_and_noise_does_not() {
        let text = b"abcdefgh".repeat(1000);
        let packed = compress(&text, 4).unwrap();
        assert!(packed.len() < 200);
        assert_eq!(decompress(&packed, text.len()), Ok(text));
        let mut state = 88_172_645_463_325_252_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .take(2000)
        .collect();
        assert_eq!(compress(&noise, 4), None);
        assert_eq!(compress(b"", 4), None);
        assert_eq!(compress(b"aaaa", 4), None);
    }

    #[test]
    fn damaged_data_is_refused() {
        for (input, len, error) in [
            (&[0x05, 1, 2][..], 6, LzfError::Truncated),
            (&[0x20][..], 3, LzfError::Truncated),
            (&[0xe0][..], 9, LzfError::Truncated),
            (&[0xe0, 1][..], 10, LzfError::Truncated),
            (&[0x20, 0][..], 3, LzfError::BadDistance),
            (&[0x00, 7, 0x20, 1][..], 4, LzfError::BadDistance),
            (&[0x00, 7, 0x20, 0][..], 3, LzfError::BadLength),
            (&[0x00, 7, 0x20, 0][..], 5, LzfError::BadLength),
            (&[0x00, 7][..], usize::MAX, LzfError::BadLength),
        ] {
            assert_eq!(decompress(input, len), Err(error), "{input:?}");
        }
        assert_eq!(decompress(&[0x00, 7, 0x20, 0], 4), Ok(vec![7; 4]));
        assert_eq!(decompress(&[], 0), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn what_is_compressed_expands_to_itself(
            words in proptest::collection::vec("[ab]{1,40}|[a-z]{1,9}|\\PC{0,70}", 0..60),
        ) {
            let text = words.concat().into_bytes();
            if let Some(packed) = compress(&text, 4) {
                prop_assert!(packed.len() + 4 <= text.len());
                prop_assert_eq!(decompress(&packed, text.len()), Ok(text));
            }
        }

        #[test]
        fn any_bytes_expand_within_the_length_or_fail(
            input in proptest::collection::vec(any::<u8>(), 0..100),
            len in 0usize..3000,
        ) {
            if let Ok(out) = decompress(&input, len) {
                prop_assert_eq!(out.len(), len);
                prop_assert!(out.capacity() <= 3000);
            }
        }
    }
}
