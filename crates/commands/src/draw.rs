//! Drawing: without putting back, and how much with it.

use command::Error;
use config::Config;
use resp::Writer;

const TOO_LARGE: Error = Error::fixed("ERR value is out of range, the reply would be too large");

/// The room for a reply of elements that are drawn with repetition. A client asks for as many as it likes
/// of them with a few bytes, so there is a bound: what may wait to be sent to it, and
/// `proto-max-bulk-len` anyway.
pub(crate) struct Room {
    end: usize,
}

impl Room {
    /// The least that an element takes in a reply: an empty bulk string.
    const LEAST: u64 = 6;

    /// # Errors
    /// When `count` elements do not fit, however small.
    pub(crate) fn new(reply: &Writer<'_>, config: &Config, count: u64) -> Result<Self, Error> {
        let [normal, ..] = &config.client_output_buffer_limit;
        let hard = Some(normal.hard_bytes).filter(|bytes| *bytes > 0);
        let bytes = hard.unwrap_or(u64::MAX).min(config.proto_max_bulk_len);
        if count.saturating_mul(Self::LEAST) > bytes {
            return Err(TOO_LARGE);
        }
        Ok(Self { end: reply.len().saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX)) })
    }

    /// # Errors
    /// When the reply has outgrown the room.
    pub(crate) fn check(&self, reply: &Writer<'_>) -> Result<(), Error> {
        if reply.len() > self.end { Err(TOO_LARGE) } else { Ok(()) }
    }
}

/// Decides of one element after the other whether it belongs to a sample, such that every sample of the
/// wanted size has the same probability (Knuth's algorithm S).
pub(crate) struct Selection {
    wanted: usize,
    left: usize,
}

impl Selection {
    /// A sample of `wanted` among `left` elements.
    pub(crate) fn new(wanted: usize, left: usize) -> Self {
        Self { wanted, left }
    }

    /// Whether the next element belongs to it, given 64 random bits.
    pub(crate) fn takes(&mut self, word: u64) -> bool {
        let place = (u128::from(word) * self.left as u128) >> 64;
        let takes = place < self.wanted as u128;
        self.left = self.left.saturating_sub(1);
        self.wanted -= usize::from(takes);
        takes
    }
}

#[cfg(test)]
mod tests {
    use env::{Random, RngCore, SeedableRng};

    use super::Selection;

    #[test]
    fn samples_have_the_wanted_size_and_take_every_element_equally_often() {
        let mut random = Random::seed_from_u64(7);
        let mut taken = [0u32; 10];
        for _ in 0..10_000 {
            let mut selection = Selection::new(3, taken.len());
            let mut size = 0;
            for count in &mut taken {
                if selection.takes(random.next_u64()) {
                    *count += 1;
                    size += 1;
                }
            }
            assert_eq!(size, 3);
        }
        assert!(taken.iter().all(|count| (2_800..3_200).contains(count)), "{taken:?}");
    }
}
