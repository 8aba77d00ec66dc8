use std::ops::Range;

use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use keyspace::Digits;

use super::range::{Unit, bits_between};

/// `BITPOS key bit [start [end [BYTE | BIT]]]`
pub const BITPOS: Spec = Spec {
    name: "bitpos",
    arity: -3,
    flags: Flags::READONLY,
    group: Group::Bitmap,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "2.8.7",
    summary: "Finds the first bit that is set, or clear, in a string or in a part of it.",
    complexity: "O(N)",
    syntax: "key bit:integer \
        [index=(start:integer [end_index=(end:integer [index_unit=(BYTE | BIT)])])]",
    history: &[("7.0.0", "Options `BYTE` and `BIT`.")],
    run: bitpos,
    ..Spec::BASE
};

fn bitpos(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let bit = match args.integer(2)? {
        0 => false,
        1 => true,
        _ => return Err(Error::fixed("ERR The bit argument must be 1 or 0.")),
    };
    let range = match args.len() {
        3 => None,
        4 => Some((args.integer(3)?, -1, Unit::Byte)),
        5 => Some((args.integer(3)?, args.integer(4)?, Unit::Byte)),
        6 => {
            let start = args.integer(3)?;
            let unit = Unit::parse(args, 5)?;
            Some((start, args.integer(4)?, unit))
        }
        _ => return Err(Error::SYNTAX),
    };
    let mut digits = Digits::new();
    let Some(entry) = ctx.db.get_string(args.key(1))? else {
        // An endless row of zeros.
        ctx.reply.integer(if bit { -1 } else { 0 });
        return Ok(());
    };
    let text = entry.value().text(&mut digits).unwrap_or_default();
    let bits = match range {
        None => 0..text.len() as u64 * 8,
        Some((start, end, unit)) => bits_between(start, end, unit, text.len()),
    };
    let position = match find(text, bits.clone(), bit) {
        Some(position) => position as i64,
        // Without a given end, the zeros that follow the string count.
        None if !bit && args.len() < 5 && !bits.is_empty() => bits.end as i64,
        None => -1,
    };
    ctx.reply.integer(position);
    Ok(())
}

/// The first of `bits`, which lie inside of `text`, that is `bit`.
fn find(text: &[u8], bits: Range<u64>, bit: bool) -> Option<u64> {
    if bits.is_empty() {
        return None;
    }
    let first = (bits.start >> 3) as usize;
    let bytes = text.get(first..=((bits.end - 1) >> 3) as usize)?;
    let flip = if bit { 0 } else { 0xff };
    let in_byte = |index: usize, byte: u8| {
        let found = (first + index) as u64 * 8 + u64::from((byte ^ flip).leading_zeros());
        Some(found).filter(|found| *found < bits.end)
    };
    let (head, rest) = bytes.split_first()?;
    let before = !(0xff >> (bits.start & 7));
    let head = if bit { head & !before } else { head | before };
    if head ^ flip != 0 {
        return in_byte(0, head);
    }
    let boring = u64::from_ne_bytes([flip; 8]);
    let (words, tail) = rest.as_chunks::<8>();
    let skipped = words.iter().take_while(|word| u64::from_ne_bytes(**word) == boring).count() * 8;
    let words = words.as_flattened().get(skipped..).unwrap_or_default();
    let (index, byte) = words.iter().chain(tail).enumerate().find(|(_, byte)| **byte != flip)?;
    in_byte(1 + skipped + index, *byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::find;

    proptest! {
        #[test]
        fn finding_by_words_gives_what_finding_bit_by_bit_does(
            text in prop::collection::vec(prop_oneof![3 => Just(0u8), 3 => Just(255), 1 => any::<u8>()], 1..40),
            ends in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
            bit: bool,
        ) {
            let total = text.len() * 8;
            let (start, end) = (ends.0.index(total), ends.1.index(total + 1));
            let naive = (start..end).find(|at| (text[at / 8] & (0x80 >> (at % 8)) != 0) == bit);
            prop_assert_eq!(
                find(&text, start as u64..end as u64, bit),
                naive.map(|at| at as u64)
            );
        }
    }
}
