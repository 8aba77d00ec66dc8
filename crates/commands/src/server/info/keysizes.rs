//! How large the values are: the number of elements of collections, the length of strings.

use std::fmt::Write;

use command::{Ctx, Cursor, Stint};
use keyspace::{Digits, EntryRef, Value};
use value::{Kind, ObjectRef};

use super::Lines;

/// The types that are told, in the order of the lines, with their names there.
const TYPES: [(Kind, &str); 5] = [
    (Kind::String, "strings_sizes"),
    (Kind::List, "lists_items"),
    (Kind::Set, "sets_items"),
    (Kind::SortedSet, "zsets_items"),
    (Kind::Hash, "hashes_items"),
];

/// A bin for zero and one for each power of two.
const BINS: usize = 65;

/// Keys visited under one cursor's step.
const STINT: Stint = Stint { places: 1024, keys: 1024, expires: false };

/// For each database and type, how many values have a size from one power of two to the next. Walks over
/// all keys.
pub fn keysizes(ctx: &mut Ctx<'_>, lines: &mut Lines) {
    for number in 0..ctx.services.keyspace.databases() {
        let mut counts = [[0u64; BINS]; TYPES.len()];
        ctx.db.within(number, |db| {
            let mut cursor = Cursor::default();
            while !cursor.is_end() {
                cursor = db.walk(cursor, STINT, |entry| {
                    let bins = TYPES.iter().position(|(kind, _)| *kind == entry.kind());
                    let bins = bins.and_then(|at| counts.get_mut(at));
                    if let Some(count) = bins.and_then(|bins| bins.get_mut(bin(size(entry)))) {
                        *count += 1;
                    }
                });
            }
        });
        for ((_, name), bins) in TYPES.iter().zip(&counts) {
            let mut text = String::new();
            for (bin, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0) {
                let comma = if text.is_empty() { "" } else { "," };
                let _ = write!(text, "{comma}{}={count}", label(bin));
            }
            if !text.is_empty() {
                lines.field(&format!("db{number}_distrib_{name}"), text);
            }
        }
    }
}

fn size(entry: EntryRef<'_>) -> usize {
    match entry.value() {
        Value::Object(ObjectRef::List(list)) => list.len(),
        Value::Object(ObjectRef::Set(set)) => set.len(),
        Value::Object(ObjectRef::Hash(hash)) => hash.len(),
        Value::Object(ObjectRef::SortedSet(zset)) => zset.len(),
        value => value.text(&mut Digits::new()).map_or(0, <[u8]>::len),
    }
}

fn bin(size: usize) -> usize {
    size.checked_ilog2().map_or(0, |log| log as usize + 1)
}

/// The least size of a bin, as `4`, `2K`, `1M`.
fn label(bin: usize) -> String {
    const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
    let Some(log) = bin.checked_sub(1) else { return "0".into() };
    format!("{}{}", 1u64 << (log % 10), UNITS.get(log / 10).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{bin, label};

    #[test]
    fn bins_begin_at_powers_of_two() {
        let labels = [0, 1, 2, 3, 4, 1023, 1024, 5000, 1 << 20, usize::MAX].map(bin).map(label);
        assert_eq!(labels, ["0", "1", "2", "2", "4", "512", "1K", "4K", "1M", "8E"]);
    }
}
