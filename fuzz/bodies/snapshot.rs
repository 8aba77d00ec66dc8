//! Snapshot files: no bytes panic the reader, or make it take more than they could stand for.

use rdb::{Item, Limits, Scanner};

/// `input` is a file.
pub fn snapshot(input: &[u8]) {
    let Ok(mut scanner) = Scanner::new(input) else { return };
    while let Ok(item) = scanner.next_item() {
        match item {
            Item::Chunk(chunk) => {
                for record in chunk.records() {
                    assert!(chunk.len_of(record) <= input.len());
                    let _ = chunk.key(record);
                    let _ = chunk.decode(record, &Limits::default());
                }
            }
            Item::End { .. } => break,
            _ => {}
        }
    }
    assert!(scanner.position() <= input.len() as u64);
}
