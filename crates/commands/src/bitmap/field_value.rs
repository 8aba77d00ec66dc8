use command::{Args, Error};

/// The type of a bit field: `i16`, `u8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Two's complement; otherwise natural numbers.
    pub signed: bool,
    /// Width in bits: 1 to 64, unsigned up to 63.
    pub bits: u32,
}

/// What happens to a number that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Its low bits are kept.
    Wrap,
    /// The nearest number that fits takes its place.
    Saturate,
    /// Nothing is written.
    Fail,
}

impl Overflow {
    /// The word at `index`.
    pub fn parse(args: Args<'_>, index: usize) -> Result<Self, Error> {
        [("WRAP", Self::Wrap), ("SAT", Self::Saturate), ("FAIL", Self::Fail)]
            .into_iter()
            .find(|(name, _)| args.is(index, name))
            .map(|(_, overflow)| overflow)
            .ok_or(Error::fixed("ERR Invalid OVERFLOW type specified"))
    }
}

const BAD_ENCODING: Error = Error::fixed(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
);

impl Encoding {
    /// The word at `index`.
    pub fn parse(args: Args<'_>, index: usize) -> Result<Self, Error> {
        let (signed, width, max) = match args.at(index) {
            [b'i', width @ ..] => (true, width, 64),
            [b'u', width @ ..] => (false, width, 63),
            _ => return Err(BAD_ENCODING),
        };
        codec::number::parse_i64(width)
            .filter(|bits| (1..=max).contains(bits))
            .map(|bits| Self { signed, bits: bits as u32 })
            .ok_or(BAD_ENCODING)
    }

    fn least(self) -> i128 {
        if self.signed { -(1 << (self.bits - 1)) } else { 0 }
    }

    fn greatest(self) -> i128 {
        if self.signed { (1 << (self.bits - 1)) - 1 } else { (1 << self.bits) - 1 }
    }

    /// The low bits of `raw` as a number.
    fn number(self, raw: u64) -> i64 {
        let unused = 64 - self.bits;
        if self.signed {
            ((raw << unused) as i64) >> unused
        } else {
            (raw << unused >> unused) as i64
        }
    }

    /// The number nearest to `value` that the policy gives; `None` when it refuses.
    pub fn fit(self, value: i128, overflow: Overflow) -> Option<i64> {
        if (self.least()..=self.greatest()).contains(&value) {
            return Some(value as i64);
        }
        match overflow {
            Overflow::Wrap => Some(self.number(value as u64)),
            Overflow::Saturate => Some(value.clamp(self.least(), self.greatest()) as i64),
            Overflow::Fail => None,
        }
    }

    /// What a client's number stands for when it is to be stored.
    ///
    /// Negative ones are very great where there are natural numbers only. So are the very least
    /// ones in narrow signed fields: Redis reckons their distance from the greatest number in 64 bits.
    pub fn given(self, value: i64) -> i128 {
        let wide = i128::from(value);
        let is_far = self.bits < 64 && self.greatest() - wide > i128::from(i64::MAX);
        if wide < 0 && (!self.signed || is_far) { wide + (1 << 64) } else { wide }
    }

    /// The number at bit `offset`; beyond the text's end all bits are 0.
    pub fn read(self, text: &[u8], offset: u64) -> i64 {
        let mut window = [0; 16];
        let tail = usize::try_from(offset >> 3).ok().and_then(|first| text.get(first..));
        // A field spans 9 bytes at most.
        for (place, byte) in window.iter_mut().zip(tail.unwrap_or_default().iter().take(9)) {
            *place = *byte;
        }
        let shift = 128 - (offset & 7) as u32 - self.bits;
        self.number((u128::from_be_bytes(window) >> shift) as u64)
    }

    /// Writes a number at bit `offset` of a text that is long enough.
    pub fn write(self, text: &mut [u8], offset: u64, value: i64) {
        let shift = 128 - (offset & 7) as u32 - self.bits;
        let mask = (u128::from(u64::MAX >> (64 - self.bits))) << shift;
        let value = (u128::from(value as u64) << shift) & mask;
        let bytes = mask.to_be_bytes().into_iter().zip(value.to_be_bytes());
        let tail = usize::try_from(offset >> 3).ok().and_then(|first| text.get_mut(first..));
        for (byte, (mask, value)) in tail.unwrap_or_default().iter_mut().zip(bytes) {
            *byte = *byte & !mask | value;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_and_nothing_else_changes(
            signed: bool,
            bits in 1u32..=63,
            offset in 0u64..64,
            value: i64,
            text in prop::collection::vec(any::<u8>(), 17..20),
        ) {
            let encoding = Encoding { signed, bits };
            let value = encoding.number(value as u64);
            let mut changed = text.clone();
            encoding.write(&mut changed, offset, value);
            prop_assert_eq!(encoding.read(&changed, offset), value);
            let bit = |text: &[u8], at: u64| text[at as usize / 8] >> (7 - at % 8) & 1;
            for at in 0..text.len() as u64 * 8 {
                if !(offset..offset + u64::from(bits)).contains(&at) {
                    prop_assert_eq!(bit(&changed, at), bit(&text, at));
                }
            }
        }
    }

    #[test]
    fn numbers_that_do_not_fit_wrap_saturate_or_fail() {
        let (i8, u8) = (Encoding { signed: true, bits: 8 }, Encoding { signed: false, bits: 8 });
        for (encoding, value, wrapped, saturated) in
            [(i8, 128, -128, 127), (i8, -129, 127, -128), (u8, 256, 0, 255), (u8, -1, 255, 0)]
        {
            assert_eq!(encoding.fit(value, Overflow::Wrap), Some(wrapped));
            assert_eq!(encoding.fit(value, Overflow::Saturate), Some(saturated));
            assert_eq!(encoding.fit(value, Overflow::Fail), None);
        }
        assert_eq!(i8.fit(-128, Overflow::Fail), Some(-128));
        assert_eq!(i8.fit(i8.given(i64::MIN), Overflow::Saturate), Some(127));
        assert_eq!(u8.fit(u8.given(-1), Overflow::Saturate), Some(255));
    }
}
