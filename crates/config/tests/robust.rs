//! Random configuration files neither crash the reader nor come back changed.

#[path = "../../../fuzz/bodies/configuration.rs"]
mod configuration;

use configuration::configuration as fuzz_config;

/// A generator of numbers that is the same everywhere (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// A value that fits many options, or none.
fn value(random: &mut Random) -> Vec<u8> {
    const VALUES: [&str; 24] = [
        "yes",
        "no",
        "0",
        "1",
        "-1",
        "100",
        "65536",
        "1mb",
        "5%",
        "700",
        "\"\"",
        "''",
        "a b c d",
        "normal 0 0 0",
        "pubsub 1k 1kb 9",
        "\"\\x00\\n\\\"\"",
        "60 1000",
        "KEA",
        "127.0.0.1 6379",
        "\"900 1\"",
        "{title}",
        "notice",
        "99.9 0",
        "./",
    ];
    match random.below(8) {
        0 => (0..random.below(40)).map(|_| random.next() as u8).collect(),
        1 => random.next().to_string().into_bytes(),
        _ => VALUES[random.below(VALUES.len())].as_bytes().to_vec(),
    }
}

#[test]
fn random_lines_are_read_or_refused_and_come_back_the_same() {
    let mut random = Random(20_261_121);
    let mut names: Vec<&str> = config::all()
        .flat_map(|option| std::iter::once(option.name).chain(option.aliases.iter().copied()))
        .collect();
    names.extend([
        "include",
        "user",
        "rename-command",
        "loadmodule",
        "sentinel",
        "a.b",
        "#",
        "nothing",
    ]);
    for _ in 0..10_000 {
        let mut text = Vec::new();
        for _ in 0..1 + random.below(3) {
            text.extend_from_slice(names[random.below(names.len())].as_bytes());
            text.push(b' ');
            text.extend(value(&mut random));
            text.push(b'\n');
        }
        fuzz_config(&text);
    }
}

#[test]
fn random_bytes_are_read_or_refused() {
    let mut random = Random(7);
    for _ in 0..3_000 {
        let bytes: Vec<u8> = (0..random.below(200)).map(|_| random.next() as u8).collect();
        fuzz_config(&bytes);
    }
}
