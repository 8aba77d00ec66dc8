use std::collections::BTreeMap;
use std::fmt::Write;

/// What there is of one type, encoding, or command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Keys, or commands.
    pub count: u64,
    /// Members, fields, entries; words of commands.
    pub elements: u64,
    /// Bytes in the file.
    pub bytes: u64,
    /// The largest of them, in bytes, and its name.
    pub largest: (u64, String),
}

/// What a file holds, by type.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    rows: BTreeMap<String, Figures>,
    /// Keys with a deadline.
    pub volatile: u64,
    /// Keys whose deadline has passed.
    pub expired: u64,
}

/// Characters of a key that are shown.
const SHOWN: usize = 40;

impl Statistics {
    /// Counts one thing.
    pub fn add(&mut self, row: &str, elements: u64, bytes: u64, name: &[u8]) {
        let figures = match self.rows.get_mut(row) {
            Some(figures) => figures,
            None => self.rows.entry(row.to_owned()).or_default(),
        };
        figures.count += 1;
        figures.elements += elements;
        figures.bytes += bytes;
        if bytes > figures.largest.0 {
            figures.largest = (bytes, shown(name));
        }
    }

    /// How many things there are.
    pub fn count(&self) -> u64 {
        self.rows.values().map(|figures| figures.count).sum()
    }

    /// A table; `what` and `parts` head the columns of counts.
    pub fn table(&self, what: &str, parts: &str) -> String {
        let mut out = String::new();
        let width = self.rows.keys().map(String::len).max().unwrap_or(0).max(4);
        let _ = writeln!(
            out,
            "  {:<width$} {what:>12} {parts:>12} {:>14} {:>12}  of",
            "type", "bytes", "largest"
        );
        for (row, figures) in &self.rows {
            let Figures { count, elements, bytes, largest: (most, name) } = figures;
            let _ = writeln!(
                out,
                "  {row:<width$} {count:>12} {elements:>12} {bytes:>14} {most:>12}  {name}"
            );
        }
        out
    }
}

/// A key as people can read it.
pub fn shown(name: &[u8]) -> String {
    let text = codec::quote::quote(name);
    let plain = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&text);
    match plain.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", plain.get(..end).unwrap_or_default()),
        None => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_each_type_is_named() {
        let mut statistics = Statistics::default();
        statistics.add("set", 3, 10, b"a");
        statistics.add("set", 2, 30, b"b\x01");
        statistics.add("list", 1, 5, b"c");
        assert_eq!(statistics.count(), 3);
        let table = statistics.table("keys", "elements");
        assert!(table.contains("set"), "{table}");
        assert!(table.contains("\\x01"), "{table}");
        assert_eq!(table.lines().count(), 3);
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(shown(&[b'x'; 100]).len(), SHOWN + 3);
    }
}
