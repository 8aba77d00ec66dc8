/// Appends a length, or another number that is kept like one.
pub(crate) fn put(number: u64, out: &mut Vec<u8>) {
    match number {
        0..=0x3f => out.push(number as u8),
        0x40..=0x3fff => out.extend_from_slice(&(0x4000 | number as u16).to_be_bytes()),
        0x4000..=0xffff_ffff => {
            out.push(0x80);
            out.extend_from_slice(&(number as u32).to_be_bytes());
        }
        _ => {
            out.push(0x81);
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

/// Appends a string that is an integer of up to 32 bits; false for others.
pub(crate) fn put_int(int: i64, out: &mut Vec<u8>) -> bool {
    if let Ok(int) = i8::try_from(int) {
        out.extend_from_slice(&[0xc0, int as u8]);
    } else if let Ok(int) = i16::try_from(int) {
        out.push(0xc1);
        out.extend_from_slice(&int.to_le_bytes());
    } else if let Ok(int) = i32::try_from(int) {
        out.push(0xc2);
        out.extend_from_slice(&int.to_le_bytes());
    } else {
        return false;
    }
    true
}
