use std::borrow::Cow;

use codec::lzf;
use value::stream::Id;

use crate::error::Error;

/// Bytes being read, front to back.
///
/// Everything that is missing is [`Error::Truncated`], so that whoever has only the beginning of a file can
/// tell "not yet" from "never".
#[derive(Clone, Debug)]
pub struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// What a length field holds.
enum Length {
    Plain(u64),
    /// The string is kept in another way, which this number says.
    Special(u8),
}

/// A string as it is kept.
pub(crate) enum Text<'a> {
    Int(i64),
    Bytes(&'a [u8]),
    Compressed(&'a [u8], usize),
}

/// The longest text that anything here may have.
const TEXT_MAX: u64 = value::item::MAX_ITEM_LEN as u64;

impl<'a> Input<'a> {
    /// The start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// The next `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let end = self.at.checked_add(len).ok_or(Error::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(Error::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| Error::Truncated)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Error> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Error> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Error> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub(crate) fn f64(&mut self) -> Result<f64, Error> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    fn length_field(&mut self) -> Result<Length, Error> {
        let first = self.byte()?;
        Ok(match first >> 6 {
            0 => Length::Plain(u64::from(first & 63)),
            1 => Length::Plain(u64::from(first & 63) << 8 | u64::from(self.byte()?)),
            2 => match first {
                0x80 => Length::Plain(u64::from(u32::from_be_bytes(self.array()?))),
                0x81 => Length::Plain(u64::from_be_bytes(self.array()?)),
                _ => return Err(Error::Corrupt("a length is not well formed")),
            },
            _ => Length::Special(first & 63),
        })
    }

    /// A length, or another number that is kept like one.
    pub(crate) fn number(&mut self) -> Result<u64, Error> {
        match self.length_field()? {
            Length::Plain(number) => Ok(number),
            Length::Special(_) => Err(Error::Corrupt("a string stands where a length should")),
        }
    }

    /// How many things follow, each of which takes at least `bytes_each` bytes.
    pub(crate) fn count(&mut self, bytes_each: usize) -> Result<usize, Error> {
        let count = usize::try_from(self.number()?).map_err(|_| Error::Truncated)?;
        if count.checked_mul(bytes_each).is_none_or(|bytes| bytes > self.remaining()) {
            return Err(Error::Truncated);
        }
        Ok(count)
    }

    /// An ID as two numbers.
    pub(crate) fn id(&mut self) -> Result<Id, Error> {
        Ok(Id::new(self.number()?, self.number()?))
    }

    /// An ID as 16 bytes.
    pub(crate) fn raw_id(&mut self) -> Result<Id, Error> {
        Ok(Id::new(u64::from_be_bytes(self.array()?), u64::from_be_bytes(self.array()?)))
    }

    pub(crate) fn text(&mut self) -> Result<Text<'a>, Error> {
        let len = match self.length_field()? {
            Length::Plain(len) if len > TEXT_MAX => {
                return Err(Error::Corrupt("a string is too long"));
            }
            Length::Plain(len) => return Ok(Text::Bytes(self.take(len as usize)?)),
            Length::Special(0) => return Ok(Text::Int(i64::from(self.byte()? as i8))),
            Length::Special(1) => {
                return Ok(Text::Int(i64::from(i16::from_le_bytes(self.array()?))));
            }
            Length::Special(2) => return Ok(Text::Int(i64::from(self.i32()?))),
            Length::Special(3) => self.number()?,
            Length::Special(_) => return Err(Error::Corrupt("a string's encoding is unknown")),
        };
        let full = self.number()?;
        if len > TEXT_MAX || full > TEXT_MAX {
            return Err(Error::Corrupt("a string is too long"));
        }
        Ok(Text::Compressed(self.take(len as usize)?, full as usize))
    }

    /// A string's bytes.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, [u8]>, Error> {
        self.text()?.bytes()
    }
}

impl<'a> Text<'a> {
    pub(crate) fn bytes(self) -> Result<Cow<'a, [u8]>, Error> {
        Ok(match self {
            Self::Int(int) => Cow::Owned(int.to_string().into_bytes()),
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Compressed(bytes, len) => Cow::Owned(lzf::decompress(bytes, len)?),
        })
    }
}

/// The items of a collection, one after the other; what had to be expanded is kept in between.
pub(crate) struct Scratch(Vec<u8>);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// The next string as an item.
    pub(crate) fn item<'s, 'a: 's>(
        &'s mut self,
        input: &mut Input<'a>,
    ) -> Result<value::Item<'s>, Error> {
        Ok(match input.text()? {
            Text::Int(int) => value::Item::Int(int),
            Text::Bytes(bytes) => value::Item::parse(bytes),
            Text::Compressed(bytes, len) => {
                self.0 = lzf::decompress(bytes, len)?;
                value::Item::parse(&self.0)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_form_are_read() {
        for (bytes, number) in [
            (&[0x3f][..], 63),
            (&[0x7f, 0xff], 16383),
            (&[0x80, 0, 1, 0, 0], 65536),
            (&[0x81, 0, 0, 0, 1, 0, 0, 0, 0], 1 << 32),
        ] {
            assert_eq!(Input::new(bytes).number(), Ok(number));
            for end in 0..bytes.len() {
                assert_eq!(Input::new(&bytes[..end]).number(), Err(Error::Truncated));
            }
        }
        assert!(Input::new(&[0x82]).number().is_err());
        assert!(Input::new(&[0xc0]).number().is_err());
    }

    #[test]
    fn strings_of_every_form_are_read() {
        let string = |bytes| Input::new(bytes).string().map(Cow::into_owned);
        assert_eq!(string(&[3, b'a', b'b', b'c']).unwrap(), b"abc");
        assert_eq!(string(&[0xc0, 0xff]).unwrap(), b"-1");
        assert_eq!(string(&[0xc1, 0, 1]).unwrap(), b"256");
        assert_eq!(string(&[0xc2, 0, 0, 1, 0]).unwrap(), b"65536");
        assert_eq!(string(&[0xc3, 4, 4, 0, 7, 0x20, 0]).unwrap(), [7; 4]);
        assert!(string(&[0xc4]).is_err());
        assert_eq!(string(&[5, 1]), Err(Error::Truncated));
        assert_eq!(
            string(&[0x81, 255, 0, 0, 0, 0, 0, 0, 0]),
            Err(Error::Corrupt("a string is too long"))
        );
    }
}
