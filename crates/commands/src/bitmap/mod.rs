//! Strings as bit arrays: bit 0 is the highest bit of the first byte.

mod bit;
mod count;
mod field;
mod field_value;
mod operation;
mod position;
mod range;

use command::{Args, Error, Spec};

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &bit::GETBIT,
    &bit::SETBIT,
    &count::BITCOUNT,
    &field::BITFIELD,
    &field::BITFIELD_RO,
    &operation::BITOP,
    &position::BITPOS,
];

const BAD_OFFSET: Error = Error::fixed("ERR bit offset is not an integer or out of range");

/// The bit offset that the word at `index` gives; `limit` is the greatest length of a string in
/// bytes. Behind `#` it counts in units of `unit` bits, if there is a unit.
fn bit_offset(args: Args<'_>, index: usize, unit: Option<u32>, limit: u64) -> Result<u64, Error> {
    let (text, unit) = match (args.at(index), unit) {
        ([b'#', text @ ..], Some(unit)) => (text, u64::from(unit)),
        (text, _) => (text, 1),
    };
    codec::number::parse_u64(text)
        .and_then(|offset| offset.checked_mul(unit))
        .filter(|offset| offset >> 3 < limit && i64::try_from(*offset).is_ok())
        .ok_or(BAD_OFFSET)
}
