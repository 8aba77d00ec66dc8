use std::cmp::Ordering;
use std::ops::Range;

use command::{Database, Error};
use value::{Item, ObjectRef};

use super::request::Request;

const NOT_NUMBERS: Error = Error::fixed("ERR One or more scores can't be converted into double");

/// The elements of a collection, copied, with what they are compared by.
#[derive(Default)]
pub(super) struct Rows {
    /// All texts, of elements and of what they are compared by.
    texts: Vec<u8>,
    rows: Vec<Row>,
    /// Those that are asked for.
    window: Range<usize>,
}

#[derive(Clone)]
struct Row {
    text: Range<usize>,
    weight: Weight,
}

/// What a row is compared by. All rows of a call have one of a kind, but for what is missing.
#[derive(Clone)]
enum Weight {
    /// By its own text, or not at all.
    Itself,
    Number(f64),
    Text(Range<usize>),
    /// Nothing was found under the pattern: before everything else.
    Missing,
}

impl Rows {
    /// Copies the elements, in their own order; only those asked for where they need no sorting.
    ///
    /// # Errors
    /// When the value is neither list, set nor sorted set.
    pub(super) fn copy(
        source: Option<ObjectRef<'_>>,
        request: &Request<'_>,
    ) -> Result<Self, Error> {
        let mut rows = Self::default();
        let Some(source) = source else { return Ok(rows) };
        let len = match source {
            ObjectRef::List(list) => list.len(),
            ObjectRef::Set(set) => set.len(),
            ObjectRef::SortedSet(zset) => zset.len(),
            _ => return Err(Error::WRONG_TYPE),
        };
        let window = request.window(len);
        // The order of a set has no direction.
        let (wanted, back) = if request.sorts {
            (0..len, false)
        } else {
            (window.clone(), request.descending && !matches!(source, ObjectRef::Set(_)))
        };
        rows.rows.reserve_exact(wanted.len());
        match source {
            ObjectRef::List(list) if back => {
                let from = len.saturating_sub(1 + wanted.start);
                list.iter_back_from(from).take(wanted.len()).for_each(|item| rows.push(item));
            }
            ObjectRef::List(list) => {
                list.iter_from(wanted.start).take(wanted.len()).for_each(|item| rows.push(item));
            }
            ObjectRef::Set(set) => {
                let items = set.iter().skip(wanted.start).take(wanted.len());
                items.for_each(|item| rows.push(item));
            }
            ObjectRef::SortedSet(zset) => {
                let ranks = if back { len - wanted.end..len - wanted.start } else { wanted };
                zset.range(ranks, back).for_each(|(member, _)| rows.push(Item::Bytes(member)));
            }
            _ => {}
        }
        rows.window = if request.sorts { window } else { 0..rows.rows.len() };
        Ok(rows)
    }

    fn push(&mut self, item: Item<'_>) {
        let text = self.note(|texts| item.write_to(texts));
        self.rows.push(Row { text, weight: Weight::Itself });
    }

    fn note(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
        let start = self.texts.len();
        write(&mut self.texts);
        start..self.texts.len()
    }

    /// Finds out what each row is compared by.
    ///
    /// # Errors
    /// When something that is to be compared as a number is none; all have been looked up by then.
    pub(super) fn weigh(
        &mut self,
        db: &mut Database<'_>,
        request: &Request<'_>,
    ) -> Result<(), Error> {
        let mut all_numbers = true;
        let Self { texts, rows, .. } = self;
        for row in rows {
            row.weight = match (&request.by, request.alpha) {
                (None, true) => Weight::Itself,
                (None, false) => number(texts.get(row.text.clone()).unwrap_or_default()),
                (Some(by), alpha) => {
                    let element = texts.get(row.text.clone()).unwrap_or_default().to_vec();
                    by.look_up(db, &element, |found| match found {
                        None => Weight::Missing,
                        Some(text) if alpha => {
                            let start = texts.len();
                            texts.extend_from_slice(text);
                            Weight::Text(start..texts.len())
                        }
                        Some(text) => number(text),
                    })
                }
            };
            if !request.alpha {
                // Where there is no number, it counts as zero.
                all_numbers &= !matches!(row.weight, Weight::Itself);
                if matches!(row.weight, Weight::Missing) {
                    row.weight = Weight::Number(0.0);
                }
            }
        }
        if all_numbers { Ok(()) } else { Err(NOT_NUMBERS) }
    }

    /// Brings the rows that are asked for into their places.
    pub(super) fn sort(&mut self, request: &Request<'_>) {
        let Self { texts, rows, window } = self;
        let text = |range: &Range<usize>| texts.get(range.clone()).unwrap_or_default();
        let compare = |a: &Row, b: &Row| {
            let order = match (&a.weight, &b.weight) {
                (Weight::Number(one), Weight::Number(other)) => {
                    let order = one.partial_cmp(other).unwrap_or(Ordering::Equal);
                    order.then_with(|| text(&a.text).cmp(text(&b.text)))
                }
                (Weight::Text(one), Weight::Text(other)) => text(one).cmp(text(other)),
                (Weight::Missing, Weight::Missing) => Ordering::Equal,
                (Weight::Missing, _) => Ordering::Less,
                (_, Weight::Missing) => Ordering::Greater,
                _ => text(&a.text).cmp(text(&b.text)),
            };
            if request.descending { order.reverse() } else { order }
        };
        // Of many, only those asked for need to be in order; what is equal keeps its order where all
        // are, so that a page of few seldom differs from it.
        if window.start == window.end {
            return;
        }
        if window.len() < rows.len() / 4 {
            let (_, _, behind) = rows.select_nth_unstable_by(window.start, compare);
            if let Some(rest) = window.len().checked_sub(2)
                && rest + 1 < behind.len()
            {
                behind.select_nth_unstable_by(rest, compare);
            }
            if let Some(wanted) = rows.get_mut(window.clone()) {
                wanted.sort_by(compare);
            }
        } else {
            rows.sort_by(compare);
        }
    }

    /// The number of rows asked for.
    pub(super) fn len(&self) -> usize {
        self.window.len()
    }

    /// The texts of the rows asked for.
    pub(super) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        let wanted = self.rows.get(self.window.clone()).unwrap_or_default();
        wanted.iter().map(|row| self.texts.get(row.text.clone()).unwrap_or_default())
    }
}

/// The number that a text is, as C's `strtod` reads it up to a zero byte; an empty one is zero.
/// [`Weight::Itself`] where it is none.
fn number(text: &[u8]) -> Weight {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Weight::Number(0.0);
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
    let number = codec::number::parse_f64(text.get(start..).unwrap_or_default());
    number.map_or(Weight::Itself, Weight::Number)
}
