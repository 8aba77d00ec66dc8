//! The dense encoding: six bits a register, the first in the low bits of the first byte.

/// The register at an index. `registers` has one byte a register times 6/8.
pub(super) fn get(registers: &[u8], index: usize) -> u8 {
    let (byte, shift) = (index * 6 / 8, index * 6 % 8);
    let low = registers[byte] >> shift;
    let high = if shift > 2 { u16::from(registers[byte + 1]) << (8 - shift) } else { 0 };
    (low | high as u8) & 63
}

/// Raises the register at an index to a value; whether that was a change.
pub(super) fn raise(registers: &mut [u8], index: usize, value: u8) -> bool {
    if get(registers, index) >= value {
        return false;
    }
    let (byte, shift) = (index * 6 / 8, index * 6 % 8);
    registers[byte] = registers[byte] & !(63 << shift) | value << shift;
    if shift > 2 {
        let next = &mut registers[byte + 1];
        *next = *next & !(63 >> (8 - shift)) | value >> (8 - shift);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_do_not_touch_each_other() {
        let mut bytes = [0; 12];
        for (index, value) in (0..16).zip([63, 1, 32, 7, 50, 63, 2, 9].into_iter().cycle()) {
            assert!(raise(&mut bytes, index, value));
            assert!(!raise(&mut bytes, index, value));
        }
        let values: Vec<u8> = (0..16).map(|index| get(&bytes, index)).collect();
        assert_eq!(values, [[63, 1, 32, 7, 50, 63, 2, 9]; 2].concat());
    }
}
