//! Feeds a fuzz target with mutated seeds on a stable compiler: no coverage guides it, so the seeds
//! and the pieces that are put in carry the grammar.

use std::time::{Duration, Instant};

/// Calls `body` with inputs made from `seeds` and `pieces` for `FUZZ_SECONDS` (one by default).
/// `FUZZ_SEED` chooses other inputs; what fails is printed with its input.
pub fn drive(body: fn(&[u8]), seeds: &[&[u8]], pieces: &[&[u8]]) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let mut random = Random(number("FUZZ_SEED").unwrap_or(1).wrapping_mul(2).wrapping_add(1));
    let end = Instant::now() + Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(1));
    while Instant::now() < end {
        for _ in 0..256 {
            let input = input(&mut random, seeds, pieces);
            if std::panic::catch_unwind(|| body(&input)).is_err() {
                panic!("failing input: b\"{}\"", input.escape_ascii());
            }
        }
    }
}

fn input(random: &mut Random, seeds: &[&[u8]], pieces: &[&[u8]]) -> Vec<u8> {
    let mut input: Vec<u8> = (0..3).map(|_| random.below(256) as u8).collect();
    for _ in 0..=random.below(3) {
        input.extend_from_slice(seeds[random.below(seeds.len())]);
    }
    for _ in 0..random.below(6) {
        let at = random.below(input.len() + 1);
        let end = at + random.below((input.len() - at).min(12) + 1);
        match random.below(4) {
            0 => drop(input.splice(at..end, [])),
            1 => drop(input.splice(at..at, pieces[random.below(pieces.len())].iter().copied())),
            2 => drop(input.splice(at..at, input[at..end].to_vec())),
            _ if at < input.len() => input[at] = random.below(256) as u8,
            _ => input.push(random.below(256) as u8),
        }
    }
    input
}

/// Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % bound as u64) as usize
    }
}
