use std::ops::Range;

use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use keyspace::Digits;

use super::range::{Unit, bits_between};

/// `BITCOUNT key [start [end [BYTE | BIT]]]`
pub const BITCOUNT: Spec = Spec {
    name: "bitcount",
    arity: -2,
    flags: Flags::READONLY.union(Flags::LINEAR),
    group: Group::Bitmap,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "2.6.0",
    summary: "Counts the bits that are set in a string or in a part of it.",
    complexity: "O(N)",
    syntax: "key \
        [index=(start:integer [end_index=(end:integer [index_unit=(BYTE | BIT)])])]",
    history: &[
        ("7.0.0", "Options `BYTE` and `BIT`."),
        ("8.0.0", "The end may be left out, as in Valkey."),
    ],
    run: bitcount,
    ..Spec::BASE
};

fn bitcount(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let range = match args.len() {
        2 => None,
        3 => Some((args.integer(2)?, -1, Unit::Byte)),
        4 => Some((args.integer(2)?, args.integer(3)?, Unit::Byte)),
        5 => Some((args.integer(2)?, args.integer(3)?, Unit::parse(args, 4)?)),
        _ => return Err(Error::SYNTAX),
    };
    let mut digits = Digits::new();
    let Some(entry) = ctx.db.get_string(args.key(1))? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let text = entry.value().text(&mut digits).unwrap_or_default();
    let bits = match range {
        None => 0..text.len() as u64 * 8,
        Some((start, end, _)) if start < 0 && end < 0 && start > end => 0..0,
        Some((start, end, unit)) => bits_between(start, end, unit, text.len()),
    };
    ctx.reply.integer(count(text, bits) as i64);
    Ok(())
}

/// The number of bits set among `bits`, which lie inside of `text`.
fn count(text: &[u8], bits: Range<u64>) -> u64 {
    if bits.is_empty() {
        return 0;
    }
    let (first, last) = ((bits.start >> 3) as usize, ((bits.end - 1) >> 3) as usize);
    let Some(bytes) = text.get(first..=last) else { return 0 };
    let before = bytes.first().map_or(0, |byte| byte & !(0xff >> (bits.start & 7)));
    let after = bytes.last().map_or(0, |byte| byte & (0x7f >> ((bits.end - 1) & 7)));
    let (words, rest) = bytes.as_chunks::<8>();
    let in_words: u64 =
        words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    let in_rest: u64 = rest.iter().map(|byte| u64::from(byte.count_ones())).sum();
    in_words + in_rest - u64::from(before.count_ones()) - u64::from(after.count_ones())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::count;

    proptest! {
        #[test]
        fn counting_by_words_gives_what_counting_bit_by_bit_does(
            text in prop::collection::vec(any::<u8>(), 1..40),
            ends in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        ) {
            let total = text.len() * 8;
            let (start, end) = (ends.0.index(total), ends.1.index(total + 1));
            let naive = (start..end).filter(|at| text[at / 8] & (0x80 >> (at % 8)) != 0).count();
            prop_assert_eq!(count(&text, start as u64..end as u64), naive as u64);
        }
    }
}
