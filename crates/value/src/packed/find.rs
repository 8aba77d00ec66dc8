//! The search for an entry of a packed run without lengths behind its entries.
//!
//! To find the next entry the processor must have read the length of this one, which takes longer than all that is done
//! with an entry. But fields and values of one hash, and members of one set, are often as long as their neighbours. So the
//! lengths of a group are taken for those of the next ones, and only compared with them: that nobody waits for.

use crate::item::Item;

use super::entry;

/// Longest body that is encoded without allocating.
const NEEDLE_ROOM: usize = 72;

/// Bytes at the end of a body that are compared first.
const END: usize = 4;

/// Most entries of a group: field, value and deadline.
const STRIDE_MAX: usize = 3;

/// The offset of the first entry equal to `item` among every `stride`th of `run`, at most [`STRIDE_MAX`].
///
/// Equal items have equal bodies, so the needle is encoded once and entries are compared as bytes.
pub(super) fn find(run: &[u8], stride: usize, item: Item<'_>) -> Option<usize> {
    let len = entry::body_len(item);
    let (mut room, mut long) = ([0; NEEDLE_ROOM], Vec::new());
    let needle = if len <= NEEDLE_ROOM {
        &mut room[..len]
    } else {
        long.resize(len, 0);
        &mut long[..]
    };
    entry::write_body(item, &mut *needle);
    match stride {
        1 => Needle::new(needle)?.find::<1>(run),
        2 => Needle::new(needle)?.find::<2>(run),
        _ => Needle::new(needle)?.find::<STRIDE_MAX>(run),
    }
}

/// A body that is looked for.
#[derive(Clone, Copy)]
struct Needle<'a> {
    body: &'a [u8],
    first: u8,
    /// Names often begin alike ("field:17") and seldom end alike: their ends are compared first, as one number.
    end: Option<(usize, [u8; END])>,
}

impl<'a> Needle<'a> {
    fn new(body: &'a [u8]) -> Option<Self> {
        let (&first, text) = body.split_first()?;
        let end = text.last_chunk().map(|end| (body.len() - END, *end));
        Some(Self { body, first, end })
    }

    /// Whether it is what `rest`, whose first byte is its own, starts with.
    #[inline(always)]
    fn starts(self, rest: &[u8]) -> bool {
        self.end.is_none_or(|(at, end)| {
            rest.get(at..).and_then(<[u8]>::first_chunk).is_some_and(|found| *found == end)
        }) && rest.starts_with(self.body)
    }

    /// The offset of the first group of `STRIDE` entries that begins with this one.
    fn find<const STRIDE: usize>(self, run: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let rest = run.get(at..)?;
            if *rest.first()? == self.first && self.starts(rest) {
                return Some(at);
            }
            let shape = Shape::<STRIDE>::of(rest)?;
            at += shape.len;
            for group in rest.get(shape.len..)?.chunks_exact(shape.len) {
                if !shape.fits(group) {
                    break;
                }
                if group[0] == self.first && self.starts(group) {
                    return Some(at);
                }
                at += shape.len;
            }
        }
    }
}

/// How long the entries of a group are.
struct Shape<const STRIDE: usize> {
    /// For each entry where it begins, and what of its first byte, under a mask, says that it is so long.
    heads: [(usize, u8, u8); STRIDE],
    /// All of it.
    len: usize,
}

impl<const STRIDE: usize> Shape<STRIDE> {
    /// The shape of the group at the start of `run`, if there is one.
    #[inline(always)]
    fn of(run: &[u8]) -> Option<Self> {
        let (mut heads, mut len) = ([(0, 0, 0); STRIDE], 0);
        for head in &mut heads {
            let rest = run.get(len..)?;
            let (mask, bits) = entry::length_bits(*rest.first()?);
            *head = (len, mask, bits);
            len += entry::body_span(rest)?;
        }
        (len <= run.len()).then_some(Self { heads, len })
    }

    /// Whether the entries of a group are as long as these, given that it has as many bytes.
    #[inline(always)]
    fn fits(&self, group: &[u8]) -> bool {
        self.heads.iter().fold(true, |fits, &(at, mask, bits)| fits & (group[at] & mask == bits))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Packed;
    use super::*;

    /// Texts and integers of lengths that many or few have.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            4 => "[a-c]{5}".prop_map(String::into_bytes),
            1 => "[a-c]{0,7}".prop_map(String::into_bytes),
            2 => (0..200_i64).prop_map(|int| int.to_string().into_bytes()),
            1 => any::<i64>().prop_map(|int| int.to_string().into_bytes()),
            1 => (60..70_usize).prop_map(|len| vec![b'a'; len]),
            1 => (4090..4100_usize).prop_map(|len| vec![b'b'; len]),
        ]
    }

    proptest! {
        #[test]
        fn what_is_found_is_the_first_equal_entry_at_the_start_of_a_group(
            texts in prop::collection::vec(text(), 1..60),
            stride in 1..=STRIDE_MAX,
            at in any::<prop::sample::Index>(),
        ) {
            let texts = &texts[..texts.len() / stride * stride];
            prop_assume!(!texts.is_empty());
            let mut packed = Packed::<false>::new();
            let offsets: Vec<usize> = texts.iter().map(|text| {
                let offset = packed.byte_len();
                packed.push_back(Item::parse(text));
                offset
            }).collect();
            for needle in [at.get(texts), &b"missing"[..], b"-5", b""] {
                let place = (0..texts.len()).step_by(stride).find(|&at| texts[at] == needle);
                let found = find(packed.run(), stride, Item::parse(needle));
                prop_assert_eq!(found, place.map(|at| offsets[at]));
            }
        }
    }
}
